"""HTTP responses with the faults of a faults file, written to the transport byte by byte where necessary."""

import asyncio
import gzip
import json
import re
from asyncio import Transport
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from runner.lazy_dataclass import dataclass, replace
from runner.requests.request import JsonValue
from runner.sandbox.http.http_protocol import TRANSPORT_KEY, reset_connection

Effect = Mapping[str, Any]
# Written and flushed piece by piece: a body without an end needs no memory.
_CHUNK_BYTES = 1 << 20
# 100 MB of zeros, which gzip makes 100 kB of: a client that unpacks whatever comes is seen at once.
_BOMB_BYTES = 100 << 20
_HTML_PAGE = """<!DOCTYPE html><html><head><title>{status} {phrase}</title></head>
<body><center><h1>{status} {phrase}</h1></center><hr><center>gateway</center></body></html>
"""


@dataclass(frozen=True, slots=True)
class CapturedResponse:
    """A whole response as a value."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def executes_request(effect: Effect) -> bool:
    """Whether the request is executed although its response is faulty."""
    keeps_result = effect.get("answer", "real") == "real" and not {"status", "redirect", "html"} & set(effect)
    return bool(effect.get("made", keeps_result))


NO_RESPONSE = CapturedResponse(200, (), b"")


async def capture(response: Response) -> CapturedResponse:
    """The real response as a value, with the whole content of a file."""
    connection_headers = ("content-length", "connection")
    if isinstance(response, FileResponse):
        body = await asyncio.to_thread(Path(response.path).read_bytes)
    else:
        body = bytes(response.body)
    headers = tuple(
        (name.decode(), value.decode())
        for name, value in response.raw_headers
        if name.decode() not in connection_headers
    )
    return CapturedResponse(response.status_code, headers, body)


class FaultyResponse(Response):
    """The faulty version of a real response; the connection is closed after it."""

    def __init__(self, effect: Effect, real: CapturedResponse, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._effect = effect
        self._response = apply_fault(effect, real, texts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = cast(Transport, scope[TRANSPORT_KEY])
        effect = self._effect
        await asyncio.sleep(effect.get("stall", 0))
        if not transport.is_closing():
            await self._send(transport)
        if effect.get("end") == "reset":
            await _flushed(transport)
            reset_connection(transport)
        else:
            transport.close()
        # The server takes an app that returns without a response for broken: it stays until the client has gone.
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _send(self, transport: Transport) -> None:
        match self._effect.get("answer", "real"):
            case "none":
                return
            case "garbage":
                # Begins as TLS does.
                transport.write(b"\x16\x03\x01\x02\x00 this is not HTTP \xff\xfe\r\n\r\n")
                return
        for _ in range(self._effect.get("interim", 0)):
            transport.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await _trickle(transport, self._head(), self._effect.get("header_seconds"))
        await self._body(transport)

    def _head(self) -> bytes:
        response, effect = self._response, self._effect
        lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}", *(f"{a}: {b}" for a, b in response.headers)]
        length = effect.get("length", "none" if "endless" in effect else 0)
        if length != "none":
            lines.append(f"content-length: {max(0, len(response.body) + length)}")
        if "header_bytes" in effect:
            lines.append(f"x-filler: {'x' * effect['header_bytes']}")
        return "\r\n".join([*lines, "connection: close", "", ""]).encode("utf-8", "surrogateescape")

    async def _body(self, transport: Transport) -> None:
        body = self._response.body[: self._effect.get("cut", len(self._response.body))]
        rate = self._effect.get("rate")
        # Five pieces a second: a rate that a client feels.
        step = max(1, min(65536, int(rate / 5))) if rate else 65536
        for start in range(0, len(body), step):
            if transport.is_closing():
                return
            transport.write(body[start : start + step])
            await (asyncio.sleep(step / rate) if rate else _flushed(transport, _CHUNK_BYTES))
        remaining = self._effect.get("endless", 0)
        while remaining > 0 and not transport.is_closing():
            transport.write(bytes(min(remaining, _CHUNK_BYTES)))
            remaining -= _CHUNK_BYTES
            await _flushed(transport, _CHUNK_BYTES)


async def _flushed(transport: Transport, allowed: int = 0) -> None:
    while not transport.is_closing() and transport.get_write_buffer_size() > allowed:
        await asyncio.sleep(0.002)


async def _trickle(transport: Transport, head: bytes, seconds: float | None) -> None:
    if not seconds:
        transport.write(head)
        return
    # In some forty pieces, however long it takes.
    step = max(1, len(head) // 40)
    for start in range(0, len(head), step):
        if transport.is_closing():
            return
        transport.write(head[start : start + step])
        await asyncio.sleep(seconds * step / len(head))


def apply_fault(effect: Effect, real: CapturedResponse, texts: Mapping[str, str]) -> CapturedResponse:
    """The response with the faults of its content; faults of sending come later. Pure."""
    response = real
    if "redirect" in effect:
        location = str({"self": texts["address"], "loop": texts["longer"]}.get(effect["redirect"], effect["redirect"]))
        response = CapturedResponse(effect.get("status", 307), (("location", location),), b"")
    elif effect.get("html"):
        status = effect.get("status", 503)
        page = _HTML_PAGE.format(status=status, phrase=_phrase(status))
        response = CapturedResponse(status, (("content-type", "text/html"), ("server", "gateway")), page.encode())
    elif "status" in effect:
        message = effect.get("message", _phrase(effect["status"]) or "no reason given")
        response = CapturedResponse(
            effect["status"], (("content-type", "application/json"),), json.dumps({"message": message}).encode()
        )
    if "body" in effect:
        texts = {**texts, "answer": real.body.decode("utf-8", "replace")}
        filled = re.sub(r"\{(taskId|earlierTaskId|answer)\}", lambda match: texts[match[1]], effect["body"])
        response = replace(response, body=filled.encode("utf-8", "surrogatepass"))
    return _with_body(effect, _with_headers(effect, response))


def _with_headers(effect: Effect, response: CapturedResponse) -> CapturedResponse:
    replaced: dict[str, str] = {name.lower(): value for name, value in effect.get("headers", {}).items()}
    if "type" in effect:
        replaced["content-type"] = effect["type"]
    unchanged = [(name, value) for name, value in response.headers if name.lower() not in replaced]
    return replace(response, headers=(*unchanged, *replaced.items()))


def _with_body(effect: Effect, response: CapturedResponse) -> CapturedResponse:
    body, headers = response.body, response.headers
    if effect.get("zeros"):
        body = bytes(len(body))
    if effect.get("changed"):
        # The beginning stays that of an MP4: only its hash, or decoding it, tells.
        body = body[:32] + bytes(byte ^ 0x55 for byte in body[32:])
        headers = (*((name, value) for name, value in headers if name != "etag"), ("etag", '"changed"'))
    match effect.get("encoding"):
        case "utf-16" | "utf-8-sig" as name:
            body = body.decode("utf-8", "replace").encode(name)
        case "gzip":
            body, headers = gzip.compress(body, mtime=0), (*headers, ("content-encoding", "gzip"))
        case "bomb":
            body, headers = gzip.compress(bytes(_BOMB_BYTES), 9, mtime=0), (*headers, ("content-encoding", "gzip"))
    return CapturedResponse(response.status, headers, body)


def ranged(effect: Effect, whole: CapturedResponse, request: Request) -> CapturedResponse:
    """A file's response to a range request, correct or with a fault."""
    match = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", request.headers.get("range", ""))
    if match is None or effect.get("range") == "ignore":
        return whole
    size, first = len(whole.body), int(match[1])
    last = min(int(match[2] or size), size - 1)
    if effect.get("range") == "refuse" or first > last:
        return CapturedResponse(416, (("content-range", f"bytes */{size}"),), b"")
    if effect.get("range") == "wrong":
        # A range that overlaps: appended as it comes, it damages the file.
        first = max(0, first - 7)
    headers = (*whole.headers, ("content-range", f"bytes {first}-{last}/{size}"))
    return CapturedResponse(206, headers, whole.body[first : last + 1])


def fill_in_texts(request: Request) -> dict[str, str]:
    """Placeholders of a rule's texts, before a task is known."""
    address = str(request.url)
    longer = f"{address}{'&' if '?' in address else '?'}again=1"
    return {"address": address, "longer": longer, "taskId": "", "earlierTaskId": ""}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def task_id_of(response: CapturedResponse) -> str:
    """The task id in a real response of createTask; empty when there is none."""
    try:
        value: JsonValue = json.loads(response.body)
    except ValueError:
        return ""
    task_id = value.get("taskId") if isinstance(value, dict) else None
    return task_id if isinstance(task_id, str) else ""
