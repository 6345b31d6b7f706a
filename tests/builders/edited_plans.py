"""Single edits of a saved plan: of its document, of the digest that belongs to it, of its text."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from runner.planning.saved_plan import NotASavedPlan, read_saved_plan
from runner.providers.transport.strict_json import NotJsonError, parse

FILM = "storyboards/film.yaml"
_WORDS = ("", "x", "0", "make", "keep", "sandbox", "kinovi", "draft", "*", "quay", "sea", FILM, "shot", "pick")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        yield (*path, key)
        yield from places(entry, (*path, key))


def edited(document: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The document after one edit: a value changed, removed or repeated."""
    changed: dict[str, Any] = copy.deepcopy(document)
    *above, last = dice.choice(list(places(changed)))
    holder: Any = changed
    for key in above:
        holder = holder[key]
    value = holder[last]
    match dice.randrange(6):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, list):
            holder.insert(last, copy.deepcopy(value))
        case 2 if isinstance(value, list):
            value.append(dice.choice(_WORDS))
        case _:
            holder[last] = other(value, dice)
    return changed


def other(value: Any, dice: random.Random) -> Any:
    """A value in place of another one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return dice.choice([value + 1, value - 1, value * 10, 0, 10**9])
    if isinstance(value, str) and dice.random() < 0.5:
        at = dice.randrange(len(value) + 1)
        return value[:at] + dice.choice("abc019") + value[at + 1 :]
    return dice.choice([*_WORDS, None, True, 1, [], {}])


def signed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the digest that belongs to it, where it has one."""
    try:
        return document | {"digest": read_saved_plan(parse(json.dumps(document).encode())).digest}
    except (NotASavedPlan, NotJsonError, ValueError):
        return document


def torn(text: str, dice: random.Random) -> str:
    """The text without a byte, or with one more."""
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(["", '"', "0", "}", ","]) + text[at + dice.randrange(2) :]


def edited_text(text: str, dice: random.Random, *, is_signed: bool) -> str:
    """The text of a saved plan after one edit; `is_signed`: with the digest that belongs to it."""
    document = edited(json.loads(text), dice)
    if is_signed:
        document = signed(document)
    return json.dumps(document) if dice.random() < 0.8 else torn(text, dice)
