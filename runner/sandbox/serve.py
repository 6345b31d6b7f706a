"""`storyboard sandbox`: one server in the foreground, until it is told to end."""

import asyncio
import resource
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from socket import socket

from runner.problems import ExitCode, Stop
from runner.sandbox.front import MOST_CONNECTIONS
from runner.sandbox.listening import bound, listening
from runner.sandbox.options import Options

_HANDLES = MOST_CONNECTIONS + 500


def serve(options: Options, ready: Callable[[str], None], state: Path | None = None) -> None:
    """Answers until SIGINT or SIGTERM; `ready` gets the address as soon as it does.

    Without `state` everything it knows is forgotten at the end. Stop when the port, the folder or the faults file
    is not fit for it.
    """
    _raise_handles()
    line = bound(options.port)
    if state is not None:
        asyncio.run(_until_told(state, options, line, ready))
        return
    with tempfile.TemporaryDirectory(prefix="storyboard-sandbox-") as folder:
        asyncio.run(_until_told(Path(folder), options, line, ready))


async def _until_told(state: Path, options: Options, line: socket, ready: Callable[[str], None]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    host, port = line.getsockname()
    try:
        async with listening(state, options, line):
            ready(f"http://{host}:{port}")
            await told.wait()
    except PermissionError as error:
        raise Stop(ExitCode.UNFIT, f"{error.filename}: {error.strerror}; --state names another folder") from error


def _raise_handles() -> None:
    """Room for a thousand connections, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HANDLES if hard == resource.RLIM_INFINITY else min(_HANDLES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
