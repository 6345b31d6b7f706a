"""Webhooks: one POST for each task that is over, in the shapes that clients have met; to loopback only."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.requests.request import JsonValue
from runner.sandbox.api import signed_links
from runner.sandbox.options import Webhooks

_PAUSES = (0.0, 0.5, 3.0)
_SECONDS = 5.0
_SHAPES: tuple[Webhooks, ...] = ("flat", "flat-state", "envelope", "envelope-state")


def payload(shape: Webhooks, record: Mapping[str, JsonValue], turn: int) -> dict[str, JsonValue]:
    """A record in one of the known shapes; `each` takes turns. Pure."""
    if shape == "each":
        shape = _SHAPES[turn % len(_SHAPES)]
    told = dict(record)
    if shape.endswith("state"):
        told["state"] = told.pop("status")
    if shape.startswith("flat"):
        return told
    failed = record.get("error") is not None
    return {"code": 501 if failed else 200, "message": "fail" if failed else "success", "data": told}


def forged_payload(says: JsonValue, record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A record that claims what is not so."""
    match says:
        case "success":
            forged: list[JsonValue] = [{"url": "http://127.0.0.1:9/forged.mp4", "width": 1280, "height": 720}]
            return {**record, "status": "success", "output": forged, "error": None}
        case "fail":
            return {**record, "status": "fail", "output": None, "error": "forged", "creditsUsed": 0}
        case "other-task":
            return {**record, "taskId": "task_clsomebodyelse0000000000"}
        case "long":
            return {**record, "filler": "x" * (1 << 20)}
    return dict(record)


async def deliver(address: str, body: bytes) -> str:
    """Sends it, three times at most, and says how that ended."""
    parts = urlsplit(address)
    if parts.scheme != "http" or not signed_links.is_local(parts.hostname or ""):
        return "not sent: beyond loopback"
    ended = ""
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        try:
            async with asyncio.timeout(_SECONDS):
                ended = await _post(parts.hostname or "", parts.port or 80, address, body)
        except (OSError, TimeoutError, ValueError) as error:
            ended = f"no answer: {type(error).__name__}"
        if ended.startswith("2"):
            break
    return ended


async def _post(host: str, port: int, address: str, body: bytes) -> str:
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        await writer.drain()
        first = (await reader.readline()).split()
        return first[1].decode("ascii", "replace")[:3] if len(first) > 1 else "no answer: closed"
    finally:
        writer.close()


def as_bytes(value: Mapping[str, JsonValue]) -> bytes:
    """JSON as it is sent."""
    return json.dumps(dict(value)).encode()
