"""Webhooks: one POST for each finished task, in the shapes observed in the field; to loopback only."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.hosts import is_loopback
from runner.requests.request import JsonValue
from runner.sandbox.options import Webhooks

# A receiver that hangs holds up its own task's callback alone; it gets this long.
_TIMEOUT_SECONDS = 5.0
_SHAPES: tuple[Webhooks, ...] = ("flat", "flat-state", "envelope", "envelope-state")


def payload(shape: Webhooks, record: Mapping[str, JsonValue], turn: int) -> dict[str, JsonValue]:
    """A record in one of the observed shapes; `each` alternates between them. Pure."""
    if shape == "each":
        shape = _SHAPES[turn % len(_SHAPES)]
    fields = dict(record)
    if shape.endswith("state"):
        fields["state"] = fields.pop("status")
    if shape.startswith("flat"):
        return fields
    failed = record.get("error") is not None
    return {"code": 501 if failed else 200, "message": "fail" if failed else "success", "data": fields}


def forged_payload(claim: JsonValue, record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A record with a false claim, as a faults file demands."""
    match claim:
        case "success":
            # Port 9 of loopback discards: a client that follows a link out of a webhook betrays itself in a test.
            forged: list[JsonValue] = [{"url": "http://127.0.0.1:9/forged.mp4", "width": 1280, "height": 720}]
            return {**record, "status": "success", "output": forged, "error": None}
        case "fail":
            return {**record, "status": "fail", "output": None, "error": "forged", "creditsUsed": 0}
        case "other-task":
            return {**record, "taskId": "task_clsomebodyelse0000000000"}
        # As large as the largest body that the API itself takes.
        case "long":
            return {**record, "filler": "x" * (1 << 20)}
    return dict(record)


async def deliver(address: str, body: bytes) -> str:
    """POST a callback, once as the vendor does; returns the HTTP status or the reason of the failure."""
    parts = urlsplit(address)
    # Whoever can create a task names this address: the sandbox must call nobody else's machine with it.
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        return "not sent: beyond loopback"
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await _post(parts.hostname or "", parts.port or 80, address, body)
    except (OSError, TimeoutError, ValueError) as error:
        return f"no answer: {type(error).__name__}"


# By hand: the one HTTP client is in a room beside this one, and a POST to loopback needs none.
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
        status_line = (await reader.readline()).split()
        return status_line[1].decode("ascii", "replace")[:3] if len(status_line) > 1 else "no answer: closed"
    finally:
        writer.close()


def as_bytes(value: Mapping[str, JsonValue]) -> bytes:
    """Body of a callback."""
    return json.dumps(dict(value)).encode()
