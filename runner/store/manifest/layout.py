"""The text of a manifest: a block of lines for each shot, so that git merges what different branches did to it."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from runner.store.manifest.document import SHOT_FIELDS, TAKE_FIELDS, TAKE_ORDER, TOP_FIELDS, more_fields

_encode = json.JSONEncoder(ensure_ascii=False).encode
_encode_shortest = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HEAD = ("manifest", "storyboard", "provider", "host")
_TAKE_LINES = (
    ("take", "fingerprint", "kept_for", "doubt"),
    ("status", "task_id"),
    ("request",),
    ("credits", "error"),
    ("clip",),
    ("drawing",),
    ("created_at", "completed_at"),
)
_NEXT_LINE = ",\n   "
SHOTS_BEGIN, SHOTS_SEPARATOR, END = '"shots": [\n', "\n,\n", "\n]\n}\n"
"""What stands before the first shot, between two shots, and after the last one."""
assert tuple(name for line in _TAKE_LINES for name in line) == TAKE_ORDER


def layout(content: Mapping[str, Any], text_of: Callable[[Mapping[str, Any]], str | None] = lambda _: None) -> str:
    """The text of a manifest's content, with a line break at its end.

    A comma between two shots has a line of its own: an entry that comes after the last one changes no line of that.
    `text_of` has the text of shots that are to stand as they were read.
    """
    top = {name: content[name] for name in _HEAD} | dict(more_fields(content, TOP_FIELDS))
    head = "".join(f"{_pair(name, value)},\n" for name, value in top.items())
    if not content["shots"]:
        return f"{{\n{head}{SHOTS_BEGIN}]\n}}\n"
    shots = SHOTS_SEPARATOR.join([text_of(shot) or "\n".join(_shot(shot)) for shot in content["shots"]])
    return f"{{\n{head}{SHOTS_BEGIN}{shots}{END}"


def _shot(shot: Mapping[str, Any]) -> Iterator[str]:
    yield f"{{{_pair('id', shot['id'])},"
    if "removed" in shot:
        yield f" {_pair('removed', shot['removed'])},"
    yield f" {_pair('picked', shot['picked'])},"
    if "notes" in shot:
        yield ' "notes": ['
        yield from _separated(f"  {_encode(note)}" for note in shot["notes"])
        yield " ],"
    for name, value in more_fields(shot, SHOT_FIELDS).items():
        yield f" {_pair(name, value)},"
    yield ' "takes": ['
    yield from _separated(map(_take, shot["takes"]))
    yield " ]}"


def _take(take: Mapping[str, Any]) -> str:
    """The lines of a take; one without its request has a single line, as short as it can be."""
    if "request" not in take:
        return f"  {_encode_shortest(take)}"
    lines = [
        ", ".join([_pair(name, take[name]) for name in names if name in take])
        for names in (*_TAKE_LINES, tuple(more_fields(take, TAKE_FIELDS)))
    ]
    return f"  {{{_NEXT_LINE.join(filter(None, lines))}}}"


def _separated(items: Iterator[str]) -> Iterator[str]:
    """The items with a comma after each but the last."""
    before: str | None = None
    for item in items:
        if before is not None:
            yield f"{before},"
        before = item
    if before is not None:
        yield before


def _pair(name: str, value: Any) -> str:
    return f"{_name(name)}: {_encode(value)}"


@lru_cache(maxsize=256)
def _name(name: str) -> str:
    """The name of a field as JSON: few names are in every take."""
    return _encode(name)
