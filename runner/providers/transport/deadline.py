"""Ends a synchronous request whose answer does not begin in time: httpx only bounds the wait for each piece of it."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self


class SocketDeadline:
    """While it is open, a clock beside the request; when it runs out, the connection is cut and the request fails."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True
        self._stream: Any = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """For httpx's trace extension: learns which connection the request goes out on."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = info["return_value"]

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        raw_socket = None if self._stream is None else self._stream.get_extra_info("socket")
        if raw_socket is not None:
            with contextlib.suppress(OSError):
                # the plain socket's own: an SSL socket's would change state under the thread that reads
                socket.socket.shutdown(raw_socket, socket.SHUT_RDWR)
