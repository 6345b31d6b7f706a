"""Tracker of whether a request left, by httpx's trace of the request, never by the type of an exception."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel

_FIRST_BYTE = "http11.send_request_headers.started"
# The end of the event of a direct connection, of one to an HTTP proxy, and of one to a SOCKS proxy.
_CONNECTED = ".connect_tcp.complete"
_ANSWERED = "http11.receive_response_headers.complete"


class SendTracker:
    """The progress of one request; mutable until the request ends."""

    def __init__(self, method: str, before_send: Callable[[], Awaitable[None]]) -> None:
        self._method = method.encode()
        self._before_send = before_send
        self.bytes_left = False
        """Whether the first byte may have left."""
        self.mark_failed = False
        """Whether `before_send` raised: nothing was sent, and the exception belongs to the caller."""
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self._request_is_ours = True
        self._stream: Any = None

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Callback for httpx's trace extension; httpx waits for its end at every step of the connection."""
        if event.endswith(".started") and (request := info.get("request")) is not None:
            # a CONNECT to a proxy has the same events before the request itself
            self._request_is_ours = request.method == self._method
        if event.endswith(_CONNECTED):
            self._stream = info["return_value"]
        elif event == _FIRST_BYTE and self._request_is_ours:
            await self._run_before_send()
        elif event == _ANSWERED and self._request_is_ours:
            _, status, _, headers = info["return_value"]
            self.status = status
            self.headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in headers)

    async def close(self) -> None:
        """Close a connection without a sent request: httpcore leaves it open after a cancelled handshake."""
        if self._stream is not None and not self.bytes_left:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self._stream.aclose()

    async def _run_before_send(self) -> None:
        try:
            await self._before_send()
        except Exception:
            self.mark_failed = True
            raise
        # The last chance to stop for nothing: behind it the bytes may leave, and nobody knows any more.
        await anyio.lowlevel.checkpoint_if_cancelled()
        self.bytes_left = True
