"""`storyboard sandbox`: one server in the foreground, until it is told to end."""

import asyncio
import resource
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from socket import socket

from runner.sandbox.http.http_protocol import MOST_CONNECTIONS
from runner.sandbox.http.server import bound, listening
from runner.sandbox.options import Options

_HANDLES = MOST_CONNECTIONS + 500


def serve(options: Options, ready: Callable[[str], None], state: Path | None = None) -> None:
    """Answers until SIGINT or SIGTERM; `ready` gets the address as soon as it does.

    Without `state` everything it knows is forgotten at the end. Stop when the port, the folder or the faults file
    is not fit for it.
    """
    _raise_handles()
    with bound(options.port) as line, ExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storyboard-sandbox-")))
        asyncio.run(_until_told(folder, options, line, ready))


async def _until_told(state: Path, options: Options, line: socket, ready: Callable[[str], None]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    host, port = line.getsockname()
    async with listening(state, options, line):
        ready(f"http://{host}:{port}")
        await told.wait()


def _raise_handles() -> None:
    """Room for a thousand connections, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HANDLES if hard == resource.RLIM_INFINITY else min(_HANDLES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
