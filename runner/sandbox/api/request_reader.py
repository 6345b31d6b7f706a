"""Reading of request bodies, within limits of size and time."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from runner.requests.request import JsonValue
from runner.sandbox.api.reply import EarlyReply, Reply

# Far above the longest prompt with all its addresses; a client is held to it before anything is parsed.
MAX_JSON_BYTES = 1 << 20


async def limited_body(request: Request, max_bytes: int, seconds: float) -> AsyncIterator[bytes]:
    """The chunks of a body; 413 when it is too large, 408 when it takes too long."""
    length = request.headers.get("content-length", "0")
    # Refused by its header: nothing of it needs to be received.
    if not length.isdigit() or int(length) > max_bytes:
        raise _too_large(max_bytes)
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                yield chunk
    except TimeoutError as error:
        message = f"the body did not arrive within {seconds:g} seconds"
        # Closed, since the rest of this body would be read as the next request.
        raise EarlyReply(Reply(408, {"message": message}, {"Connection": "close"})) from error


async def read_json_bytes(request: Request, seconds: float) -> bytes:
    """The bytes of a JSON body, up to the limit of this API."""
    return b"".join([chunk async for chunk in limited_body(request, MAX_JSON_BYTES, seconds)])


def parse_json(raw: bytes) -> JsonValue:
    """The JSON of a body; 400 for invalid JSON."""
    try:
        value: JsonValue = json.loads(
            # Stricter than Python: NaN is no JSON, and of a key that stands twice the last would win without a word.
            raw.decode("utf-8"),
            parse_constant=_reject_constant,
            object_pairs_hook=_unique_keys,
        )
    # A body of brackets alone nests deeper than the parser goes.
    except (ValueError, RecursionError) as error:
        reason = str(error)[:100] if isinstance(error, json.JSONDecodeError) else "it cannot be read as UTF-8 JSON"
        if isinstance(error, DuplicateKeyError):
            reason = str(error)
        raise EarlyReply(
            Reply(400, {"message": f"Invalid parameters: the body is not valid JSON: {reason}"})
        ) from error
    return value


class DuplicateKeyError(ValueError):
    """A key occurs twice in one object."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise DuplicateKeyError("a key occurs twice in one object")
    return values


def _reject_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _too_large(max_bytes: int) -> EarlyReply:
    return EarlyReply(Reply(413, {"message": f"the body is larger than {max_bytes:,} bytes"}))
