"""Fields of a manifest, which a stranger may have written: each is checked for its bounds, or raises ValueError."""

import math
import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from runner.attempts.clip_name import is_clip_path, is_shot_name
from runner.attempts.events import MAX_CREDITS, Clip
from runner.attempts.task_id import is_task_id
from runner.files.reading import CLIP_LIMIT
from runner.lazy_pattern import lazy_pattern
from runner.requests.request import JsonValue

# Far beyond any film, and small enough that no number of a hostile file overflows SQLite, a float or the memory.
# `_MAX_TEXT` is the longest path of Linux, `_MAX_SECONDS` a day.
_MAX_TAKES = 100_000
# Limits far above what is written: a manifest comes from a repository, and so from strangers.
_MAX_DRAWING = 100_000
_MAX_TEXT = 4096
_MAX_MESSAGE = 2000
_MAX_SIDE = 100_000
_MAX_SECONDS = 86_400
_MAX_DEPTH = 16
# Years in which every moment has a local time, in every zone.
_FIRST_YEAR, _LAST_YEAR = 1971, 9998
_SHA256 = lazy_pattern(r"[0-9a-f]{64}")
_CONTROL = lazy_pattern(r"[\0-\x1f\x7f]")


def text(value: Any, field: str) -> str:
    """A short text on one line, which the file system and the ledger can take."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"{field} is not a short text on one line")
    if value.isascii() and value.isprintable():
        return value
    if _CONTROL.search(value):
        raise ValueError(f"{field} is not a short text on one line")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise ValueError(f"{field} holds half a character") from None
    return value


def shot_id(value: Any) -> str:
    return _accepted(is_shot_name, value, "a shot's id")


def task_id(value: Any) -> str | None:
    return None if value is None else _accepted(is_task_id, value, "task_id")


def take_number(value: Any) -> int:
    return int(_number(value, 1, _MAX_TAKES, "take", whole=True))


def drawing(value: Any) -> int | None:
    return None if value is None else int(_number(value, 1, _MAX_DRAWING, "drawing", whole=True))


def credits(value: Any, field: str) -> Decimal:
    number = _number(value, 0, MAX_CREDITS, field)
    return Decimal(number) if type(number) is int else Decimal(str(number))


def moment(value: Any, field: str) -> datetime:
    """A moment of a year in which every zone can show it; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(text(value, field))
        utc = (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{field} is not a date with a time") from None
    if not _FIRST_YEAR <= utc.year <= _LAST_YEAR:
        raise ValueError(f"{field} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return utc


def message(value: Any, field: str) -> str:
    """A message about the attempt, without what a terminal could obey."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{field} is not a text")
    # Printable only: a message is shown, and an escape sequence could rewrite the screen.
    return "".join(char for char in (value or "")[:_MAX_MESSAGE] if char.isprintable())


def request(value: Any) -> dict[str, JsonValue]:
    """A request: plain values, not deeper than any request is."""
    if not isinstance(value, dict) or not value:
        raise ValueError("request is not a table")
    _check_value(value, _MAX_DEPTH, "request")
    return value


def sha256(value: Any, field: str) -> str:
    return _matching(_SHA256, value, field)


def notes(value: Any) -> None:
    """Check the notes about a shot's takes, which are kept as they are."""
    if value is not None:
        if not isinstance(value, list) or not all(isinstance(note, dict) for note in value):
            raise ValueError("notes is not a list of tables")
        _check_value(value, _MAX_DEPTH, "notes")


def unknown(values: Mapping[str, Any], holder: str) -> None:
    """Check fields that this version does not know, and keeps: nothing that could not be written again."""
    if values:
        _check_value(dict(values), _MAX_DEPTH, f"a further field of {holder}")


def clip(value: Any) -> Clip | None:
    """A clip's description; its path is a plain relative path to a take in a folder `clips`, or refused."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError("clip is not a table")
    return Clip(
        path=_clip_path(value["path"]),
        sha256=sha256(value["sha256"], "clip.sha256"),
        bytes=int(_number(value["bytes"], 0, CLIP_LIMIT, "clip.bytes", whole=True)),
        width=int(_number(value["width"], 1, _MAX_SIDE, "clip.width", whole=True)),
        height=int(_number(value["height"], 1, _MAX_SIDE, "clip.height", whole=True)),
        seconds=float(_number(value["seconds"], 0, _MAX_SECONDS, "clip.seconds")),
    )


def _clip_path(value: Any) -> str:
    path = text(value, "clip.path")
    if not is_clip_path(path) or path.startswith(".") or "/." in path:
        raise ValueError("clip.path is not the path of a take's clip below the output")
    return path


def _accepted(rule: Callable[[str], bool], value: Any, field: str) -> str:
    if not isinstance(value, str) or not rule(value):
        raise ValueError(f"{field} has another form than this tool writes")
    return value


def _matching(pattern: re.Pattern[str], value: Any, field: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{field} has another form than this tool writes")
    return value


def _number(value: Any, minimum: int, maximum: int, field: str, *, whole: bool = False) -> int | float:
    if type(value) is int and minimum <= value <= maximum:
        return value
    kinds = int if whole else (int, float)
    # `True` is an int to Python, and none in a manifest.
    if isinstance(value, bool) or not isinstance(value, kinds) or not minimum <= value <= maximum:
        raise ValueError(f"{field} is not a number from {minimum} to {maximum}")
    return value


def _check_value(value: Any, depth: int, field: str) -> None:
    if isinstance(value, str):
        value.encode("utf-8", "surrogateescape")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{field} holds a number that is none")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError(f"{field} is more than {_MAX_DEPTH} deep")
        for inner in value.values() if isinstance(value, dict) else value:
            # Most values are whole numbers and ASCII texts, of which there is nothing to check.
            if type(inner) is not int and not (type(inner) is str and inner.isascii()):
                _check_value(inner, depth - 1, field)
