"""The sandbox inside of a run: a server in a thread of this process, whose tasks outlive it in the state folder."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

from runner.clock import SystemClock
from runner.edition.edition import Edition
from runner.sandbox.links import kept_token
from runner.sandbox.options import Options


@dataclass(frozen=True, slots=True)
class Address:
    """Where the sandbox answers, and the key it lets in."""

    base_url: str
    key: str = field(repr=False)


@contextmanager
def embedded(
    state: Path, edition: Edition, *, seconds: float | None = None, plain_clips: bool = False, seed: int = 0
) -> Iterator[Address]:
    """A sandbox on a free port of loopback for as long as the block lasts.

    Tasks, uploads and the account stay in `state`: the next one goes on with them, also after a kill. Several may
    share a folder at the same time. `seconds` is how long a task takes; None: as long as its clip is drawn.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = kept_token(state / "key", SystemClock())
    options = Options(edition=edition.name, keys=(key,), seconds=seconds, plain_clips=plain_clips, seed=seed)
    with running(state, options) as base_url:
        yield Address(base_url, key)


@contextmanager
def running(state: Path, options: Options) -> Iterator[str]:
    """A sandbox with every choice open, in a thread of this process; yields its address."""
    from runner.sandbox.listening import bound

    line = bound(options.port)
    host, port = line.getsockname()
    server = _Thread(state, options, line)
    server.start()
    server.wait_until_ready()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class _Thread(threading.Thread):
    """The event loop of the server; `_stop_asked` is set from outside, everything else is the loop's."""

    def __init__(self, state: Path, options: Options, line: socket) -> None:
        super().__init__(name="sandbox", daemon=True)
        self._state, self._options, self._line = state, options, line
        self._loop = asyncio.new_event_loop()
        self._stop_asked = asyncio.Event()
        self._ready = threading.Event()
        self._failed: BaseException | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that started this one
            self._failed = error
        finally:
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        from runner.sandbox.listening import listening

        async with listening(self._state, self._options, self._line):
            self._ready.set()
            await self._stop_asked.wait()

    def wait_until_ready(self) -> None:
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """End the server; what is not drawn yet waits for the next one."""
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._stop_asked.set)
            self.join(timeout=10)
