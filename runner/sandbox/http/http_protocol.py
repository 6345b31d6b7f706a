"""uvicorn's HTTP protocol with a time limit for slow senders; hands the transport to the app."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

# A client that never closes any gets a 429, before the process runs out of descriptors.
MAX_CONNECTIONS = 2000
TRANSPORT_KEY = "sandbox.line"
"""Key of a request's transport in the ASGI scope."""


AcceptConnection = Callable[[asyncio.Transport], bool]
"""Called for each connection; False when the connection is already closed or left unanswered."""


class GuardedProtocol(H11Protocol):
    """One connection; beside uvicorn's own state it holds the timer of the incoming request."""

    _timer: asyncio.TimerHandle | None = None
    _is_rejected = False

    def __init__(
        self, config: Config, server_state: ServerState, accept: AcceptConnection, request_timeout: float
    ) -> None:
        super().__init__(config, server_state, {})
        self._accept = accept
        self._request_timeout = request_timeout

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._is_rejected = True
            self._send_error(429, f"more than {MAX_CONNECTIONS} connections at once")
            return
        # A fault of the connection: already reset, or never answered.
        if not self._accept(transport):
            self._is_rejected = True
            return
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT_KEY] = transport
            await app(scope, receive, send)

        self.app = with_transport
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        if self._is_rejected:
            return
        self._start_timer()
        super().data_received(data)
        # The limit is for receiving: a long answer may take as long as it needs.
        is_idle = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if is_idle or self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR):
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._send_error(400, "the request is not HTTP/1.1, or its header is too large")

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self._request_timeout, self._on_timeout)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timeout(self) -> None:
        has_begun = bool(self.conn.trailing_data[0]) and self.conn.their_state is h11.IDLE
        # In the middle of a header; a body has its own, shorter limit, and an idle connection deserves no answer.
        if has_begun and self.conn.our_state is h11.IDLE:
            self._send_error(408, f"the request did not end within {self._request_timeout:g} seconds")
        else:
            self.transport.close()

    def _send_error(self, code: int, message: str) -> None:
        """Send an error past h11, which has no request to answer, and close the connection."""
        self.transport.write(json_response(code, {"message": message}))
        self.transport.close()


def json_response(code: int, value: Any) -> bytes:
    """A whole JSON response as bytes."""
    body = json.dumps(value).encode()
    content_type, length = b"content-type: application/json", b"content-length: %d" % len(body)
    return b"\r\n".join((b"HTTP/1.1 %d " % code, content_type, length, b"connection: close", b"", body))


def reset_connection(transport: asyncio.Transport) -> None:
    """Abort a connection as a crash does: the client gets `connection reset by peer`."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 seconds makes the close a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
