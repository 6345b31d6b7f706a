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

    max_head_bytes: int = 16 << 10
    """Bytes of a request's first line and headers."""
    max_body_bytes: int = 64 << 10
    request_seconds: float = 5.0
    """For a whole request."""
    max_connections: int = 32
    hint_interval: float = 1.0
    """Seconds between two hints about one attempt; what comes in between is the same news."""


@dataclass(slots=True)
class WebhookServer:
    """Hears hints for the attempts it knows. Mutable: who is being served, and when each attempt was last heard of."""

    is_known: Callable[[str], bool]
    """Whether an attempt of this ledger has that receipt: the last part of the path, unguessable."""
    on_callback: Callable[[str, Callback], None]
    """Told of each hint: the receipt, and what the body said. Must not block."""
    limits: WebhookLimits = field(default_factory=WebhookLimits)
    clock: Clock = field(default_factory=SystemClock)
    port: int = 0
    """Where it listens, once it does."""
    _serving: int = 0
    _last_hint_at: dict[str, float] = field(default_factory=dict)

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
            await anyio.sleep(self.limits.hint_interval)

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            if self._serving >= self.limits.max_connections:
                return
            self._serving += 1
            try:
                with anyio.move_on_after(self.limits.request_seconds):
                    await self._exchange(stream)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # the sender has gone
            finally:
                self._serving -= 1

    async def _exchange(self, stream: SocketStream) -> None:
        """One request; its answer says nothing about what is known here."""
        try:
            token, body = await self._request(stream)
        except h11.RemoteProtocolError:
            token, body = "", b""
        if token:
            self._hint(token, body)
        await stream.send(_ANSWER)

    async def _request(self, stream: SocketStream) -> tuple[str, bytes]:
        """The receipt in the path and the body of a POST; no receipt for anything that is not taken."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.max_head_bytes)
        token, body = "", b""
        while True:
            match connection.next_event():
                case h11.NEED_DATA:
                    if connection.they_are_waiting_for_100_continue:
                        await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                    connection.receive_data(await _receive(stream))
                case h11.Request() as request:
                    token = request.target.decode("latin-1").partition("?")[0].rpartition("/")[2]
                    if request.method != b"POST" or not token or not self.is_known(token):
                        return "", b""
                case h11.Data() as piece:
                    body += bytes(piece.data)
                    if len(body) > self.limits.max_body_bytes:
                        return "", b""
                case _:
                    return token, body

    def _hint(self, token: str, body: bytes) -> None:
        callback = read_callback(body)
        now = self.clock.monotonic()
        if callback is None or now - self._last_hint_at.get(token, float("-inf")) < self.limits.hint_interval:
            return
        self._last_hint_at[token] = now
        self.on_callback(token, callback)


async def _receive(stream: SocketStream) -> bytes:
    try:
        return await stream.receive(8192)
    except anyio.EndOfStream:
        return b""
