"""`storyboard sandbox`: one server in the foreground, until a signal ends it."""

import asyncio
import resource
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from socket import socket

from runner.sandbox.http.http_protocol import MAX_CONNECTIONS
from runner.sandbox.http.server import bind_listener, running_server
from runner.sandbox.options import Options

# A descriptor for each connection, and some for files and workers.
_OPEN_FILES = MAX_CONNECTIONS + 500


def serve(options: Options, on_ready: Callable[[str], None], state_folder: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets the address once the server listens.

    Without `state_folder` all tasks and uploads are deleted at the end. `SandboxUnusable` when the port, the folder or
    the faults file cannot be used.
    """
    _raise_open_file_limit()
    with bind_listener(options.port) as listener, ExitStack() as stack:
        folder = state_folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storyboard-sandbox-")))
        asyncio.run(_serve_until_signal(folder, options, listener, on_ready))


async def _serve_until_signal(
    folder: Path, options: Options, listener: socket, on_ready: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    host, port = listener.getsockname()
    async with running_server(folder, options, listener):
        on_ready(f"http://{host}:{port}")
        await stop.wait()


def _raise_open_file_limit() -> None:
    """Raise the limit of open files as far as the system allows: each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
