"""A deadline for the start of a synchronous answer: httpx limits only the wait for each single read."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self


class SocketDeadline:
    """Context manager that cuts the connection of a request after some seconds, so that the request fails."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True
        self._stream: Any = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Callback for httpx's trace extension: stores the connection of the request."""
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
                # the method of the plain socket: SSLSocket's would change state under the reading thread
                socket.socket.shutdown(raw_socket, socket.SHUT_RDWR)
