"""One running server on a state folder: its line, its memory, its drawing processes, and tasks of dead servers."""

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
from runner.diagnostics.problem import CommandError, ExitCode
from runner.sandbox.api.service import Service
from runner.sandbox.faults.fault_rules import FaultEvent, Faults, read
from runner.sandbox.http.app import SandboxApp
from runner.sandbox.http.http_protocol import GuardedProtocol, reset
from runner.sandbox.options import Options
from runner.sandbox.state.cleanup import clean_up
from runner.sandbox.state.sandbox_state import SandboxState
from runner.sandbox.state.task import Task

_LOOK_FOR_DEAD = 2.0
_KEEP_ALIVE = 75
_BACKLOG = 1024


def bound(port: int) -> socket.socket:
    """A listening socket on loopback; Stop when the port is taken."""
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind(("127.0.0.1", port))
    except OSError as error:
        line.close()
        words = f"port {port} of 127.0.0.1 cannot be used: {error.strerror}; --port 0 takes a free one"
        raise CommandError(ExitCode.INVALID, words) from error
    line.listen(_BACKLOG)
    line.setblocking(False)
    return line


def unfit(folder: Path, error: OSError) -> CommandError:
    """What to say of a state folder that cannot be used."""
    words = f"{folder}: the sandbox cannot keep its tasks there: {error.strerror or error}"
    return CommandError(ExitCode.INVALID, f"{words}\n  make room, or name a folder that can be written")


@asynccontextmanager
async def listening(
    folder: Path, options: Options, line: socket.socket, clock: Clock | None = None
) -> AsyncIterator[Service]:
    """Serves on the line until the block ends."""
    clock = clock or SystemClock()
    faults = Faults(seed=options.seed) if options.faults is None else read(options.faults, options.seed)
    server = clock.token()[:16]
    host, port = line.getsockname()
    try:
        alive = _sign_of_life(folder, server)
        clean_up(folder, clock.now().timestamp(), lambda: not _others(folder, server))
        world = _world(folder, options)
        service = Service(options, world, faults, clock, server, f"http://{host}:{port}")
    except OSError as error:
        raise unfit(folder, error) from error
    said = _Trouble(service.backstage.trouble)
    logging.getLogger("uvicorn.error").addHandler(said)
    asyncio.get_running_loop().set_exception_handler(said.of_the_loop)
    door = _Listener(SandboxApp(service), service, port)
    await door.open(line)
    heir = asyncio.create_task(_take_over_always(service, folder))
    try:
        yield service
    finally:
        heir.cancel()
        await asyncio.gather(heir, return_exceptions=True)
        await door.close()
        await service.backstage.close()
        world.journal.close()
        logging.getLogger("uvicorn.error").removeHandler(said)
        _end_of_life(folder, server, alive)


def _world(folder: Path, options: Options) -> SandboxState:
    """What the folder's journal tells; Stop when a later version wrote it."""
    world = SandboxState(folder, options.credits, options.cap)
    world.refresh()
    if world.newer:
        world.journal.close()
        raise CommandError(
            ExitCode.INVALID,
            f"{world.journal.path} was written by a newer version of storyboard ({world.newer} in it): install that "
            "version, or name another folder",
        )
    return world


class _Trouble(logging.Handler):
    """What uvicorn has to say goes into the state, not on the terminal of who runs a storyboard."""

    def __init__(self, trouble: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._trouble = trouble

    def of_the_loop(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """What a task of the loop ended with and nobody asked for."""
        self._trouble.append(f"{context.get('message')}: {context.get('exception')!r}"[:2000])

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        words = record.getMessage() if error is None else f"{type(error).__name__}: {error}"
        self._trouble.append(words.strip()[:2000])


class _Listener:
    """The listening socket and the connections that came in by it; it can be shut for a while."""

    def __init__(self, app: SandboxApp, service: Service, port: int) -> None:
        self._service = service
        self._port = port
        self._config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._config.load()
        self._connections = ServerState()
        self._listener: asyncio.Server | None = None
        self._shut: asyncio.Task[None] | None = None

    async def open(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: GuardedProtocol(self._config, self._connections, self._welcome, self._service.options.patience),
            sock=line,
            backlog=_BACKLOG,
        )

    def _welcome(self, line: asyncio.Transport) -> bool:
        faults = self._service.faults
        do = faults.pick(FaultEvent("connection")) if faults.wants("connection") else None
        if do is None:
            return True
        if "silent" not in do:
            reset(line)
        seconds = do.get("refuse")
        if isinstance(seconds, int | float) and self._shut is None:
            self._shut = asyncio.create_task(self._shut_for(seconds))
        return False

    async def _shut_for(self, seconds: float) -> None:
        if self._listener is not None:
            self._listener.close()
        await asyncio.sleep(seconds)
        await self.open(bound(self._port))
        self._shut = None

    async def close(self) -> None:
        if self._shut is not None:
            self._shut.cancel()
            await asyncio.gather(self._shut, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._connections.connections):
            connection.transport.abort()
        for request in list(self._connections.tasks):
            request.cancel()
        await asyncio.gather(*self._connections.tasks, return_exceptions=True)


def _sign_of_life(folder: Path, server: str) -> int:
    """A file that is locked for as long as this process lives, however it ends."""
    servers = folder / "servers"
    servers.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = servers / server
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)  # between its birth and its lock somebody took it for a dead one's


def _end_of_life(folder: Path, server: str, handle: int) -> None:
    (folder / "servers" / server).unlink(missing_ok=True)
    os.close(handle)


def _is_alive(folder: Path, server: str) -> bool:
    path = folder / "servers" / server
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


def _others(folder: Path, server: str) -> bool:
    """Whether another server lives on this folder."""
    return any(_is_alive(folder, path.name) for path in (folder / "servers").iterdir() if path.name != server)


async def _take_over_always(service: Service, folder: Path) -> None:
    while True:
        take_over(service, folder)
        await asyncio.sleep(_LOOK_FOR_DEAD)


def take_over(service: Service, folder: Path) -> None:
    """Go on with what servers that are gone have left: clips to draw, webhooks to send."""
    world = service.world
    world.refresh()
    left = [task for task in world.tasks.values() if _unfinished(task)]
    names = {task.server for task in left} - {service.server}
    dead = {name for name in names if not _is_alive(folder, name)}
    if dead:
        with world.journal.held():
            world.refresh()
            heirless = [task for task in left if task.server in dead and _unfinished(task)]
            world.write_held(*({"event": "adopted", "id": task.id, "by": service.server} for task in heirless))
    for task in left:
        if task.server == service.server:
            service.take(task)  # once more, too, what a full disk has ended


def _unfinished(task: Task) -> bool:
    return (task.error is None and task.drawn is None) or (task.callback is not None and not task.called)
