"""Where bytes come in: uvicorn's HTTP, with a time limit for slow senders and the line itself handed to the app."""

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

MOST_CONNECTIONS = 2000
LINE = "sandbox.line"
"""Name in the ASGI scope of the line that a request came in by."""


Welcome = Callable[[asyncio.Transport], bool]
"""Asked about each connection; False when it was dealt with and nothing more is to be done with it."""


class GuardedProtocol(H11Protocol):
    """One connection. Beside uvicorn's own state it holds the timer of the request that is coming in."""

    _timer: asyncio.TimerHandle | None = None
    _turned_away = False

    def __init__(self, config: Config, server_state: ServerState, welcome: Welcome, patience: float) -> None:
        super().__init__(config, server_state, {})
        self._welcome = welcome
        self._patience = patience

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._turned_away = True
            self._say(429, f"more than {MOST_CONNECTIONS} connections at once")
            return
        if not self._welcome(transport):
            self._turned_away = True
            return
        app = self.app

        async def with_line(scope: Any, receive: Any, send: Any) -> None:
            scope[LINE] = transport
            await app(scope, receive, send)

        self.app = with_line
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self._turned_away:
            return
        self._watch()
        super().data_received(data)
        idle = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if idle or self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR):
            self._unwatch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._say(400, "this is not HTTP/1.1, or its header is too large")

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self._patience, self._too_slow)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        begun = bool(self.conn.trailing_data[0]) and self.conn.their_state is h11.IDLE
        if begun and self.conn.our_state is h11.IDLE:
            self._say(408, f"the request did not end within {self._patience:g} seconds")
        else:
            self.transport.close()

    def _say(self, code: int, words: str) -> None:
        """An answer beside h11, which has no request to answer; then the end of the line."""
        self.transport.write(raw_json(code, {"message": words}))
        self.transport.close()


def raw_json(code: int, value: Any) -> bytes:
    """A whole answer as bytes."""
    body = json.dumps(value).encode()
    kind, length = b"content-type: application/json", b"content-length: %d" % len(body)
    return b"\r\n".join((b"HTTP/1.1 %d " % code, kind, length, b"connection: close", b"", body))


def reset(transport: asyncio.Transport) -> None:
    """End a line as a crash does: the other side reads `connection reset by peer`."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
