"""One HTTP request and its answer under a total deadline; exceptions of httpx become values here, and only here."""

import socket
import ssl
from collections.abc import Awaitable, Callable

import anyio
import httpx

from runner.lazy_dataclass import dataclass
from runner.providers.transport.content_encoding import decoded
from runner.providers.transport.proxy import socks_failures
from runner.providers.transport.send_tracker import SendTracker

MAX_ANSWER_BYTES = 1 << 20
"""The longest answer that is read, in bytes, as it came and decompressed."""
_TOO_LONG = f"the answer is longer than {MAX_ANSWER_BYTES} bytes"


@dataclass(frozen=True, slots=True)
class HttpResult:
    """The result of a request: a complete answer, part of an answer, or none."""

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""
    """Why the answer is missing or incomplete; "" for a complete answer."""
    sent: bool = True
    permanent: bool = False
    """The request did not leave, and a retry would fail in the same way."""


async def exchange(
    client: httpx.AsyncClient,
    request: httpx.Request,
    before_send: Callable[[], Awaitable[None]],
    deadline: float,
) -> HttpResult:
    """Send a request and read its answer; raises only what `before_send` raises."""
    tracker = SendTracker(request.method, before_send)
    request.extensions["trace"] = tracker.trace
    body = bytearray()
    message, permanent = "", False
    try:
        with anyio.fail_after(deadline), socks_failures():
            await _read_body(body, await client.send(request, stream=True))
    except TimeoutError:
        if tracker.mark_failed:
            raise
        message = f"no answer within {deadline:g} s"
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
        if tracker.mark_failed:
            raise
        message, permanent = translate_error(error)
    finally:
        await tracker.close()
    # Also of a broken answer: a task id in its first bytes is worth more than its end.
    content = decoded(bytes(body), tracker.headers, MAX_ANSWER_BYTES)
    if len(content) > MAX_ANSWER_BYTES:
        content, message = content[:MAX_ANSWER_BYTES], message or _TOO_LONG
    return HttpResult(tracker.status, tracker.headers, content, message, tracker.bytes_left, permanent)


async def no_mark() -> None:
    """A `before_send` for free requests, which need no record before they leave."""


async def _read_body(body: bytearray, response: httpx.Response) -> None:
    """Read the raw body into `body`; a body over the limit raises `RemoteProtocolError`."""
    try:
        # Raw, so that what came of a broken compressed body is still at hand.
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                del body[MAX_ANSWER_BYTES:]
                raise httpx.RemoteProtocolError(_TOO_LONG)
    finally:
        # Shielded, so that a cancelled request closes its connection; a second, so that a dead one holds up nobody.
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await response.aclose()


def translate_error(error: Exception) -> tuple[str, bool]:
    """The message for an exception of network or TLS, and whether a retry would fail in the same way."""
    causes: list[BaseException] = [error]
    # httpx, httpcore, anyio and ssl wrap each other's exceptions: the cause that a user can mend lies innermost.
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the host's certificate is not trusted: {cause.verify_message}", True
        # A connection that is cut during the handshake is the network's fault, and may work next time.
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return f"the TLS handshake with the host failed: {cause.reason or 'unknown reason'}", True
        if isinstance(cause, socket.gaierror):
            return "the host name cannot be resolved: is there a network?", False
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens at that host and port", False
    if isinstance(error, httpx.RemoteProtocolError):
        return _broken_answer(str(error)), False
    return _MESSAGES.get(type(error)) or f"{type(error).__name__}: {error}"[:300], False


def _broken_answer(text: str) -> str:
    """The message for an unreadable answer: the library's text only where it names the error."""
    if text.startswith("Server disconnected"):
        return "the connection was closed without an answer"
    if text.startswith("peer closed connection"):
        return "the connection was closed in the middle of the answer"
    return f"the answer is not valid HTTP: {text}"[:300]


_MESSAGES: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "the host did not answer in time",
    httpx.ReadTimeout: "no answer came in time",
    httpx.WriteTimeout: "the request could not be sent in time",
    httpx.ReadError: "the connection broke before the answer",
}
