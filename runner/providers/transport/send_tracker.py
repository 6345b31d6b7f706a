"""Did the request leave? Answered by httpx's trace of the request itself, never by the type of an exception."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel

_FIRST_BYTE = "http11.send_request_headers.started"
_CONNECTED = "connection.connect_tcp.complete"
_ANSWERED = "http11.receive_response_headers.complete"


class SendTracker:
    """Follows one request: what was reached before anything went wrong. Mutable while the request lasts."""

    def __init__(self, method: str, before_send: Callable[[], Awaitable[None]]) -> None:
        self._method = method.encode()
        self._before_send = before_send
        self.bytes_left = False
        """The first byte may be on its way."""
        self.mark_failed = False
        """`sending` raised: nothing goes out, and the exception is the caller's own."""
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self._request_is_ours = True
        self._stream: Any = None

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpx calls it at every step of the connection, and goes on when it returns."""
        if event.endswith(".started") and (request := info.get("request")) is not None:
            # a CONNECT to a proxy goes through the same events before ours does
            self._request_is_ours = request.method == self._method
        if event == _CONNECTED:
            self._stream = info["return_value"]
        elif event == _FIRST_BYTE and self._request_is_ours:
            await self._run_before_send()
        elif event == _ANSWERED and self._request_is_ours:
            _, status, _, headers = info["return_value"]
            self.status = status
            self.headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in headers)

    async def close(self) -> None:
        """Closes a connection that no request went out on; cancelled in a handshake, httpcore leaves it open."""
        if self._stream is not None and not self.bytes_left:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self._stream.aclose()

    async def _run_before_send(self) -> None:
        try:
            await self._before_send()
        except Exception:
            self.mark_failed = True
            raise
        await anyio.lowlevel.checkpoint_if_cancelled()
        self.bytes_left = True
