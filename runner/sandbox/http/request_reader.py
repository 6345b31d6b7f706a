"""The body of a request: as much as is allowed, for as long as a patient server waits."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from runner.requests.request import JsonValue
from runner.sandbox.http.reply import EarlyReply, Reply

MOST_JSON = 1 << 20


async def bounded(request: Request, most: int, seconds: float) -> AsyncIterator[bytes]:
    """The pieces of a body; 413 when it is too large, 408 when it takes too long."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise _too_large(most)
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                size += len(piece)
                if size > most:
                    raise _too_large(most)
                yield piece
    except TimeoutError as error:
        words = f"the body did not arrive within {seconds:g} seconds"
        raise EarlyReply(Reply(408, {"message": words}, {"Connection": "close"})) from error


async def raw_json(request: Request, seconds: float) -> bytes:
    """A body that is small enough to be JSON of this API."""
    return b"".join([piece async for piece in bounded(request, MOST_JSON, seconds)])


def parsed(raw: bytes) -> JsonValue:
    """The JSON of a body; 400 when it is none."""
    try:
        value: JsonValue = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        words = str(error)[:100] if isinstance(error, json.JSONDecodeError) else "it cannot be read as UTF-8 JSON"
        if isinstance(error, DuplicateKeyError):
            words = str(error)
        raise EarlyReply(Reply(400, {"message": f"Invalid parameters: the body is no JSON: {words}"})) from error
    return value


class DuplicateKeyError(ValueError):
    """One key, two values: nobody knows which is meant."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DuplicateKeyError("a key stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _too_large(most: int) -> EarlyReply:
    return EarlyReply(Reply(413, {"message": f"the body is larger than {most:,} bytes"}))
