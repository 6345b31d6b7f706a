"""One server in the foreground, on loopback, until a signal ends it."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from runner.clock import Clock
from runner.dailies_server.dailies_source import DailiesSource
from runner.dailies_server.guard import Guard
from runner.dailies_server.site import DailiesSite
from runner.diagnostics.failures import PortUnusable
from runner.hosts import LOOPBACK

# A browser keeps its connection open: Ctrl-C does not wait for it any longer.
_GRACE_SECONDS = 1


def serve(source: DailiesSource, port: int, clock: Clock, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets the address, with its token, once the server listens.

    `port` 0 chooses a free one. `PortUnusable` when it is taken.
    """
    with _listener(port) as listener:
        # Made before the loop: the address is whole, and nothing answers before there is a guard.
        guard = Guard(listener.getsockname()[1], clock.token(), clock.token())
        asyncio.run(_serve_until_signal(source, guard, listener, on_ready))


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Bound again at once after Ctrl-C: with `--port` the address of a bookmark stays the same.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        message = f"cannot listen on {LOOPBACK}, port {port}: {error.strerror}; without --port a free one is chosen"
        raise PortUnusable(message) from error
    listener.listen()
    return listener


async def _serve_until_signal(
    source: DailiesSource, guard: Guard, listener: socket.socket, on_ready: Callable[[str], None]
) -> None:
    config = uvicorn.Config(
        DailiesSite(source, guard).app,
        lifespan="off",
        log_config=None,
        # The first line on standard output is the address, and programs read it; nothing else may be printed.
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _SignalFreeServer(config)

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    # The socket listens already: a browser that is opened now waits for its answer, and is not refused.
    on_ready(f"http://{LOOPBACK}:{guard.port}/?token={guard.token}")
    await server.serve(sockets=[listener])


class _SignalFreeServer(uvicorn.Server):
    """A server that leaves the signals to its caller, for whom a Ctrl-C is the ordinary end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
