"""The webhook server: answers 204 to every request, and passes callbacks on an attempt's own path on as hints."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener

from runner.attempts.task_facts import Callback
from runner.clock import Clock, SystemClock
from runner.lazy_dataclass import dataclass, field

_ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """The resources that unknown senders may use."""

    max_head_bytes: int = 16 << 10
    """Bytes of a request's first line and headers."""
    max_body_bytes: int = 64 << 10
    request_seconds: float = 5.0
    """Seconds for a whole request."""
    max_connections: int = 32
    hint_interval: float = 1.0
    """Seconds between two hints of one task for one attempt; callbacks in between are dropped as repetitions."""
    max_tasks: int = 4
    """Different tasks that are passed on for one attempt within `hint_interval`."""


@dataclass(slots=True)
class WebhookServer:
    """The receiver of callbacks for known attempts. Mutable: open connections, and the last hints of every attempt."""

    is_known: Callable[[str], bool]
    """Whether an attempt has a webhook token, the unguessable last part of the path."""
    on_callback: Callable[[str, Callback], None]
    """Called with the webhook token and the callback of every hint. Must not block."""
    parse: Callable[[bytes], Callback | None]
    """The provider's parser of a body; None for a body that is no callback."""
    limits: WebhookLimits = field(default_factory=WebhookLimits)
    clock: Clock = field(default_factory=SystemClock)
    port: int = 0
    """The local port, once the server listens."""
    _serving: int = 0
    _hinted_at: dict[str, dict[str, float]] = field(default_factory=dict)
    """By webhook token: the tasks that were passed on within `hint_interval`, each with the moment."""

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str | None]:
        """Context manager: run the server; yields None, or a message when the port cannot be opened."""
        try:
            listener = await anyio.create_tcp_listener(local_host=host, local_port=port, backlog=64)
        except OSError as error:
            yield f"webhooks are off: cannot listen on {host}:{port}: {error.strerror or error}; tasks are polled"
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
            except* OSError:  # too many open files, for example: the run goes on without webhooks for a while
                pass
            await anyio.sleep(self.limits.hint_interval)

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            # Closed without an answer: whoever floods this port must not take the run's file descriptors.
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
        """Serve one request; the answer is the same for known and unknown tokens."""
        try:
            token, body = await self._request(stream)
        except h11.RemoteProtocolError:
            token, body = "", b""
        # The same answer for all: a stranger cannot find out which tokens exist.
        if token:
            self._hint(token, body)
        await stream.send(_ANSWER)

    async def _request(self, stream: SocketStream) -> tuple[str, bytes]:
        """The token in the path and the body of a POST; an empty token for a request that is ignored."""
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
        callback = self.parse(body)
        now = self.clock.monotonic()
        recent = {
            task_id: at
            for task_id, at in self._hinted_at.get(token, {}).items()
            if now - at < self.limits.hint_interval
        }
        if callback is None or callback.task_id in recent or len(recent) >= self.limits.max_tasks:
            return
        self._hinted_at[token] = recent | {callback.task_id: now}
        self.on_callback(token, callback)


async def _receive(stream: SocketStream) -> bytes:
    try:
        return await stream.receive(8192)
    except anyio.EndOfStream:
        return b""
