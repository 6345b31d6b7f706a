"""One HTTP answer that goes wrong as a faults file says: written to the line itself, byte by byte where it matters."""

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
from runner.sandbox.http.http_protocol import LINE, reset

Do = Mapping[str, Any]
_BUFFER = 1 << 20
_BOMB = 100 << 20
_PAGE = """<!DOCTYPE html><html><head><title>{status} {phrase}</title></head>
<body><center><h1>{status} {phrase}</h1></center><hr><center>gateway</center></body></html>
"""


@dataclass(frozen=True, slots=True)
class CapturedResponse:
    """A whole answer, before anything is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def is_success(do: Do) -> bool:
    """Whether the request is carried out, although its answer goes wrong."""
    changed = do.get("answer", "real") == "real" and not {"status", "redirect", "html"} & set(do)
    return bool(do.get("made", changed))


NOTHING = CapturedResponse(200, (), b"")


async def capture(response: Response) -> CapturedResponse:
    """The real answer as a value; of a file, all of it."""
    own = ("content-length", "connection")
    if isinstance(response, FileResponse):
        body = await asyncio.to_thread(Path(response.path).read_bytes)
    else:
        body = bytes(response.body)
    headers = tuple((name.decode(), value.decode()) for name, value in response.raw_headers if name.decode() not in own)
    return CapturedResponse(response.status_code, headers, body)


class FaultyResponse(Response):
    """The answer that a rule makes of the real one; the line is over after it."""

    def __init__(self, do: Do, real: CapturedResponse, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._do = do
        self._said = apply_fault(do, real, texts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = cast(Transport, scope[LINE])
        do = self._do
        await asyncio.sleep(do.get("stall", 0))
        if not line.is_closing():
            await self._speak(line)
        if do.get("end") == "reset":
            await _flushed(line)
            reset(line)
        else:
            line.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _speak(self, line: Transport) -> None:
        match self._do.get("answer", "real"):
            case "none":
                return
            case "garbage":
                line.write(b"\x16\x03\x01\x02\x00 this is not HTTP \xff\xfe\r\n\r\n")
                return
        for _ in range(self._do.get("interim", 0)):
            line.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await _trickle(line, self._head(), self._do.get("header_seconds"))
        await self._body(line)

    def _head(self) -> bytes:
        answer, do = self._said, self._do
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", *(f"{a}: {b}" for a, b in answer.headers)]
        length = do.get("length", "none" if "endless" in do else 0)
        if length != "none":
            lines.append(f"content-length: {max(0, len(answer.body) + length)}")
        if "header_bytes" in do:
            lines.append(f"x-filler: {'x' * do['header_bytes']}")
        return "\r\n".join([*lines, "connection: close", "", ""]).encode("utf-8", "surrogateescape")

    async def _body(self, line: Transport) -> None:
        body = self._said.body[: self._do.get("cut", len(self._said.body))]
        rate = self._do.get("rate")
        step = max(1, min(65536, int(rate / 5))) if rate else 65536
        for start in range(0, len(body), step):
            if line.is_closing():
                return
            line.write(body[start : start + step])
            await (asyncio.sleep(step / rate) if rate else _flushed(line, _BUFFER))
        left = self._do.get("endless", 0)
        while left > 0 and not line.is_closing():
            line.write(bytes(min(left, _BUFFER)))
            left -= _BUFFER
            await _flushed(line, _BUFFER)


async def _flushed(line: Transport, allowed: int = 0) -> None:
    while not line.is_closing() and line.get_write_buffer_size() > allowed:
        await asyncio.sleep(0.002)


async def _trickle(line: Transport, head: bytes, seconds: float | None) -> None:
    if not seconds:
        line.write(head)
        return
    step = max(1, len(head) // 40)
    for start in range(0, len(head), step):
        if line.is_closing():
            return
        line.write(head[start : start + step])
        await asyncio.sleep(seconds * step / len(head))


def apply_fault(do: Do, real: CapturedResponse, texts: Mapping[str, str]) -> CapturedResponse:
    """The answer as a whole, before it is sent badly. Pure."""
    answer = real
    if "redirect" in do:
        place = str({"self": texts["address"], "loop": texts["longer"]}.get(do["redirect"], do["redirect"]))
        answer = CapturedResponse(do.get("status", 307), (("location", place),), b"")
    elif do.get("html"):
        status = do.get("status", 503)
        page = _PAGE.format(status=status, phrase=_phrase(status))
        answer = CapturedResponse(status, (("content-type", "text/html"), ("server", "gateway")), page.encode())
    elif "status" in do:
        message = do.get("message", _phrase(do["status"]) or "no reason given")
        answer = CapturedResponse(
            do["status"], (("content-type", "application/json"),), json.dumps({"message": message}).encode()
        )
    if "body" in do:
        texts = {**texts, "answer": real.body.decode("utf-8", "replace")}
        filled = re.sub(r"\{(taskId|earlierTaskId|answer)\}", lambda found: texts[found[1]], do["body"])
        answer = replace(answer, body=filled.encode("utf-8", "surrogatepass"))
    return _content(do, _headed(do, answer))


def _headed(do: Do, answer: CapturedResponse) -> CapturedResponse:
    others: dict[str, str] = {name.lower(): value for name, value in do.get("headers", {}).items()}
    if "type" in do:
        others["content-type"] = do["type"]
    kept = [(name, value) for name, value in answer.headers if name.lower() not in others]
    return replace(answer, headers=(*kept, *others.items()))


def _content(do: Do, answer: CapturedResponse) -> CapturedResponse:
    body, headers = answer.body, answer.headers
    if do.get("zeros"):
        body = bytes(len(body))
    if do.get("changed"):
        body = body[:32] + bytes(byte ^ 0x55 for byte in body[32:])
        headers = (*((name, value) for name, value in headers if name != "etag"), ("etag", '"changed"'))
    match do.get("encoding"):
        case "utf-16" | "utf-8-sig" as name:
            body = body.decode("utf-8", "replace").encode(name)
        case "gzip":
            body, headers = gzip.compress(body, mtime=0), (*headers, ("content-encoding", "gzip"))
        case "bomb":
            body, headers = gzip.compress(bytes(_BOMB), 9, mtime=0), (*headers, ("content-encoding", "gzip"))
    return CapturedResponse(answer.status, headers, body)


def ranged(do: Do, whole: CapturedResponse, request: Request) -> CapturedResponse:
    """A file's answer to a request with a range, well or badly."""
    found = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", request.headers.get("range", ""))
    if found is None or do.get("range") == "ignore":
        return whole
    size, first = len(whole.body), int(found[1])
    last = min(int(found[2] or size), size - 1)
    if do.get("range") == "refuse" or first > last:
        return CapturedResponse(416, (("content-range", f"bytes */{size}"),), b"")
    if do.get("range") == "wrong":
        first = max(0, first - 7)
    headers = (*whole.headers, ("content-range", f"bytes {first}-{last}/{size}"))
    return CapturedResponse(206, headers, whole.body[first : last + 1])


def no_texts(request: Request) -> dict[str, str]:
    """What a rule's own words may be filled with, before a task is known."""
    address = str(request.url)
    longer = f"{address}{'&' if '?' in address else '?'}again=1"
    return {"address": address, "longer": longer, "taskId": "", "earlierTaskId": ""}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def task_id_of(answer: CapturedResponse) -> str:
    """The id in a real answer of createTask; empty when there is none."""
    try:
        value: JsonValue = json.loads(answer.body)
    except ValueError:
        return ""
    found = value.get("taskId") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
