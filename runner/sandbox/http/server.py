"""One running server on a state folder: listener, state, drawing processes, takeover from dead servers."""

import asyncio
import fcntl
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from runner.clock import Clock, SystemClock
from runner.diagnostics.failures import SandboxUnusable
from runner.sandbox.api.service import Service
from runner.sandbox.faults.fault_rules import FaultEvent, Faults, read_faults
from runner.sandbox.http.app import SandboxApp
from runner.sandbox.http.http_protocol import GuardedProtocol, reset_connection
from runner.sandbox.options import Options
from runner.sandbox.state.cleanup import clean_up
from runner.sandbox.state.sandbox_state import SandboxState
from runner.sandbox.state.task import Task

# Seconds between two looks for servers that died: clients wait at most so much longer for their clips.
_TAKE_OVER_SECONDS = 2.0
# As long as a common web server keeps an idle connection.
_KEEP_ALIVE_SECONDS = 75
# Clients that connect in one instant, as a wide run does: beyond, the system would drop them.
_BACKLOG = 1024


def bind_listener(port: int) -> socket.socket:
    """A listening socket on loopback; `SandboxUnusable` when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A sandbox that was just killed leaves its port taken for a minute otherwise.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        message = f"cannot listen on 127.0.0.1, port {port}: {error.strerror}; --port 0 chooses a free port"
        raise SandboxUnusable(message) from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def unusable_folder(folder: Path, error: OSError) -> SandboxUnusable:
    """The error of an unusable state folder."""
    message = f"{folder}: the sandbox cannot store its tasks in this folder: {error.strerror or error}"
    return SandboxUnusable(f"{message}\n  free disk space, or name a writable folder")


@asynccontextmanager
async def running_server(
    folder: Path, options: Options, socket_: socket.socket, clock: Clock | None = None
) -> AsyncIterator[Service]:
    """Context manager: a server on the listening socket."""
    clock = clock or SystemClock()
    faults = Faults(seed=options.seed) if options.faults is None else read_faults(options.faults, options.seed)
    server_id = clock.token()[:16]
    host, port = socket_.getsockname()
    try:
        # Before the cleanup, which asks who else is here: of two servers that start at once each sees the other.
        life_lock = _register(folder, server_id)
        clean_up(folder, clock.now().timestamp(), lambda: not _is_shared(folder, server_id))
        state = _load_state(folder, options)
        service = Service(options, state, faults, clock, server_id, f"http://{host}:{port}")
    except OSError as error:
        raise unusable_folder(folder, error) from error
    error_log = _ErrorLog(service.jobs.errors)
    logging.getLogger("uvicorn.error").addHandler(error_log)
    asyncio.get_running_loop().set_exception_handler(error_log.on_loop_error)
    listener = _Listener(SandboxApp(service), service, port)
    await listener.open(socket_)
    takeover = asyncio.create_task(_take_over_repeatedly(service, folder))
    try:
        yield service
    finally:
        takeover.cancel()
        await asyncio.gather(takeover, return_exceptions=True)
        await listener.close()
        await service.jobs.close()
        state.journal.close()
        logging.getLogger("uvicorn.error").removeHandler(error_log)
        _unregister(folder, server_id, life_lock)


def _load_state(folder: Path, options: Options) -> SandboxState:
    """The state of a folder's journal; `SandboxUnusable` when a later version wrote the journal."""
    state = SandboxState(folder, options.credits, options.cap)
    state.refresh()
    if state.unknown_entry:
        state.journal.close()
        raise SandboxUnusable(
            f"{state.journal.path} was written by a newer version of storyboard ({state.unknown_entry} in it): "
            "install that version, or name another folder",
        )
    return state


class _ErrorLog(logging.Handler):
    """The log of errors of uvicorn and the event loop, which goes into the state report instead of being printed."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def on_loop_error(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Exception handler of the event loop, for tasks whose result nobody awaits."""
        self._errors.append(f"{context.get('message')}: {context.get('exception')!r}"[:2000])

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        message = record.getMessage() if error is None else f"{type(error).__name__}: {error}"
        self._errors.append(message.strip()[:2000])


class _Listener:
    """The listening socket and its connections; a fault can close the socket for a while."""

    def __init__(self, app: SandboxApp, service: Service, port: int) -> None:
        self._service = service
        self._port = port
        self._config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            # No proxy stands before loopback; the API's own clock dates the answers.
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._connections = ServerState()
        self._server: asyncio.Server | None = None
        self._pause: asyncio.Task[None] | None = None

    async def open(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: GuardedProtocol(
                self._config, self._connections, self._accept, self._service.options.request_timeout
            ),
            sock=listener,
            backlog=_BACKLOG,
        )

    def _accept(self, transport: asyncio.Transport) -> bool:
        faults = self._service.faults
        effect = faults.pick(FaultEvent("connection")) if faults.has_rules_for("connection") else None
        if effect is None:
            return True
        if "silent" not in effect:
            reset_connection(transport)
        seconds = effect.get("refuse")
        if isinstance(seconds, int | float) and self._pause is None:
            self._pause = asyncio.create_task(self._pause_for(seconds))
        return False

    async def _pause_for(self, seconds: float) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(seconds)
        # A new socket at the same port: a closed one cannot listen again.
        await self.open(bind_listener(self._port))
        self._pause = None

    async def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            await asyncio.gather(self._pause, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.connections):
            connection.transport.abort()
        for request in list(self._connections.tasks):
            request.cancel()
        await asyncio.gather(*self._connections.tasks, return_exceptions=True)


def _register(folder: Path, server_id: str) -> int:
    """Create this server's lock file, locked until the process ends in whatever way."""
    servers = folder / "servers"
    servers.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = servers / server_id
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)  # another server took the file for a dead server's before it was locked


def _unregister(folder: Path, server_id: str, handle: int) -> None:
    (folder / "servers" / server_id).unlink(missing_ok=True)
    os.close(handle)


def _is_alive(folder: Path, server_id: str) -> bool:
    path = folder / "servers" / server_id
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)


def _is_shared(folder: Path, server_id: str) -> bool:
    """Whether another server is alive on this folder."""
    return any(_is_alive(folder, path.name) for path in (folder / "servers").iterdir() if path.name != server_id)


async def _take_over_repeatedly(service: Service, folder: Path) -> None:
    while True:
        take_over(service, folder)
        await asyncio.sleep(_TAKE_OVER_SECONDS)


def take_over(service: Service, folder: Path) -> None:
    """Continue the jobs of servers that have died: clips to draw, webhooks to send."""
    state = service.state
    state.refresh()
    unfinished = [task for task in state.tasks.values() if _is_unfinished(task)]
    server_ids = {task.server for task in unfinished} - {service.server_id}
    dead_servers = {name for name in server_ids if not _is_alive(folder, name)}
    if dead_servers:
        with state.journal.locked():
            state.refresh()
            # Asked again under the lock: another server may have taken them over meanwhile.
            orphaned = [task for task in unfinished if task.server in dead_servers and _is_unfinished(task)]
            state.write_locked(*({"event": "adopted", "id": task.id, "by": service.server_id} for task in orphaned))
    for task in unfinished:
        if task.server == service.server_id:
            service.resume(task)  # also restarts jobs of this server that a full disk has ended


def _is_unfinished(task: Task) -> bool:
    return (task.error is None and task.drawn_at is None) or (task.callback is not None and not task.callback_result)
