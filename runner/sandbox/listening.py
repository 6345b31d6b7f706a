"""One running server on a state folder: its line, its memory, its drawing processes, and tasks of dead servers."""

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from uvicorn.server import ServerState

from runner.clock import Clock, SystemClock
from runner.problems import ExitCode, Stop
from runner.sandbox.app import Desk
from runner.sandbox.front import Front
from runner.sandbox.options import Options
from runner.sandbox.service import Service
from runner.sandbox.studio import Studio
from runner.sandbox.task import end
from runner.sandbox.world import World

_LOOK_FOR_DEAD = 2.0


def bound(port: int) -> socket.socket:
    """A listening socket on loopback; Stop when the port is taken."""
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind(("127.0.0.1", port))
    except OSError as error:
        line.close()
        words = f"port {port} of 127.0.0.1 cannot be used: {error.strerror}; --port 0 takes a free one"
        raise Stop(ExitCode.UNFIT, words) from error
    line.listen(1024)
    line.setblocking(False)
    return line


@asynccontextmanager
async def listening(
    folder: Path, options: Options, line: socket.socket, clock: Clock | None = None
) -> AsyncIterator[Service]:
    """Serves on the line until the block ends."""
    clock = clock or SystemClock()
    world = World(folder, options.credits, options.cap)
    server = clock.token()[:16]
    alive = _sign_of_life(folder, server)
    service = Service(options, world, Studio(options.processes), clock, server)
    config = uvicorn.Config(
        Desk(service), lifespan="off", log_config=None, access_log=False, server_header=False, date_header=False
    )
    config.load()
    connections = ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Front(config, connections, {}), sock=line)
    heir = asyncio.create_task(_take_over_always(service, folder))
    try:
        yield service
    finally:
        listener.close()
        heir.cancel()
        for connection in list(connections.connections):
            connection.transport.abort()
        for request in list(connections.tasks):
            request.cancel()
        await asyncio.gather(heir, *connections.tasks, return_exceptions=True)
        await service.close()
        world.journal.close()
        _end_of_life(folder, server, alive)


def _sign_of_life(folder: Path, server: str) -> int:
    """A file that is locked for as long as this process lives, however it ends."""
    servers = folder / "servers"
    servers.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(servers / server, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


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


async def _take_over_always(service: Service, folder: Path) -> None:
    while True:
        take_over(service, folder)
        await asyncio.sleep(_LOOK_FOR_DEAD)


def take_over(service: Service, folder: Path) -> None:
    """Draw what servers that are gone have left undrawn."""
    world = service.world
    world.refresh()
    undrawn = [task for task in world.tasks.values() if task.error is None and task.drawn is None]
    dead = {
        name for name in {task.server for task in undrawn} if name != service.server and not _is_alive(folder, name)
    }
    if not dead:
        return
    with world.journal.held():
        world.refresh()
        left = [task for task in undrawn if task.server in dead and task.drawn is None]
        if left:
            world.write_held(*({"event": "adopted", "id": task.id, "by": service.server} for task in left))
    for task in left:
        if end(task) is None:
            service.draw(task)
