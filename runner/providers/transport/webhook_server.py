"""Listens for webhooks: whatever comes, the answer is 204; what is told is a hint about one attempt's own path."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener

from runner.attempts.task_facts import Callback
from runner.clock import Clock, SystemClock
from runner.lazy_dataclass import dataclass, field
from runner.providers.kinovi.callback import read_callback

_ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """What strangers may take of this machine."""

    head: int = 16 << 10
    """Bytes of a request's first line and headers."""
    body: int = 64 << 10
    seconds: float = 5.0
    """For a whole request."""
    connections: int = 32
    pause: float = 1.0
    """Seconds between two hints about one attempt; what comes in between is the same news."""


@dataclass(slots=True)
class WebhookServer:
    """Hears hints for the attempts it knows. Mutable: who is being served, and when each attempt was last heard of."""

    is_known: Callable[[str], bool]
    """Whether an attempt of this ledger has that receipt: the last part of the path, unguessable."""
    on_callback: Callable[[str, Callback], None]
    """Told of each hint: the receipt, and what the body said. Must not block."""
    bounds: WebhookLimits = field(default_factory=WebhookLimits)
    clock: Clock = field(default_factory=SystemClock)
    port: int = 0
    """Where it listens, once it does."""
    _serving: int = 0
    _last: dict[str, float] = field(default_factory=dict)

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str | None]:
        """Serves for as long as the block lasts; gives words when it cannot listen, and then polling has to do."""
        try:
            listener = await anyio.create_tcp_listener(local_host=host, local_port=port, backlog=64)
        except OSError as error:
            yield f"webhooks are not heard: {host}:{port}: {error.strerror or error}; tasks are polled"
            return
        self.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        async with listener, anyio.create_task_group() as group:
            group.start_soon(self._accept, listener)
            yield None
            group.cancel_scope.cancel()

    async def _accept(self, listener: MultiListener[SocketStream]) -> None:
        while True:
            try:
                await listener.serve(self._serve)
            except* OSError:  # no more files for this process, say: the run is not to suffer from it
                pass
            await anyio.sleep(self.bounds.pause)

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            if self._serving >= self.bounds.connections:
                return
            self._serving += 1
            try:
                with anyio.move_on_after(self.bounds.seconds):
                    await self._exchange(stream)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # the sender has gone
            finally:
                self._serving -= 1

    async def _exchange(self, stream: SocketStream) -> None:
        """One request; its answer says nothing about what is known here."""
        try:
            receipt, body = await self._request(stream)
        except h11.RemoteProtocolError:
            receipt, body = "", b""
        if receipt:
            self._hint(receipt, body)
        await stream.send(_ANSWER)

    async def _request(self, stream: SocketStream) -> tuple[str, bytes]:
        """The receipt in the path and the body of a POST; no receipt for anything that is not taken."""
        line = h11.Connection(h11.SERVER, max_incomplete_event_size=self.bounds.head)
        receipt, body = "", b""
        while True:
            match line.next_event():
                case h11.NEED_DATA:
                    if line.they_are_waiting_for_100_continue:
                        await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                    line.receive_data(await _received(stream))
                case h11.Request() as request:
                    receipt = request.target.decode("latin-1").partition("?")[0].rpartition("/")[2]
                    if request.method != b"POST" or not receipt or not self.is_known(receipt):
                        return "", b""
                case h11.Data() as piece:
                    body += bytes(piece.data)
                    if len(body) > self.bounds.body:
                        return "", b""
                case _:
                    return receipt, body

    def _hint(self, receipt: str, body: bytes) -> None:
        said = read_callback(body)
        now = self.clock.monotonic()
        if said is None or now - self._last.get(receipt, float("-inf")) < self.bounds.pause:
            return
        self._last[receipt] = now
        self.on_callback(receipt, said)


async def _received(stream: SocketStream) -> bytes:
    try:
        return await stream.receive(8192)
    except anyio.EndOfStream:
        return b""
