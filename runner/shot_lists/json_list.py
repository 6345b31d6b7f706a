"""The reader of shot lists in JSON: a list of objects, alone or as `shots` of an object. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from runner.diagnostics.failures import ShotListUnusable
from runner.shot_lists.columns import Row, listed_shots
from runner.shot_lists.shot_list import MAX_SHOTS, AcceptedValues, ShotList

# Keys whose value may be the list.
_LISTS = ("shots", "items", "scenes", "rows")


def parse_json(text: str) -> Any:
    """The document of a JSON file. Raises ShotListUnusable."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ShotListUnusable(f"line {error.lineno}, column {error.colno}: {error.msg}: this is not JSON") from None
    except (RecursionError, ValueError):
        raise ShotListUnusable("this JSON is nested too deep, or has a number that is too long") from None


def read_json(document: Any, mapping: Mapping[str, str], accepted: AcceptedValues) -> ShotList:
    """The shots of a document. Raises ShotListUnusable and OptionError."""
    entries = document if isinstance(document, list) else None
    if isinstance(document, dict):
        entries = next((document[key] for key in _LISTS if isinstance(document.get(key), list)), None)
    if not entries:
        raise ShotListUnusable("has no list of shots: it is a list of objects, or an object with `shots`")
    if len(entries) > MAX_SHOTS:
        raise ShotListUnusable(f"has more than {MAX_SHOTS:,} shots: import it in parts")
    if (number := next((n for n, entry in enumerate(entries) if not isinstance(entry, dict)), None)) is not None:
        raise ShotListUnusable(f"shots[{number}] is no object with the fields of a shot")
    # Of all objects: the first may leave fields out that others have.
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    rows = [
        Row(f"shots[{number}]", {name: _text(value) for name, value in entry.items()})
        for number, entry in enumerate(entries)
    ]
    shots, remarks = listed_shots(names, rows, mapping, accepted)
    title = document.get("title") if isinstance(document, dict) else None
    if isinstance(document, dict):
        others = {key: value for key, value in document.items() if key != "title" and value is not entries}
        remarks += [f"{key}: {_text(value)} (is no list of shots)" for key, value in others.items()]
    return ShotList(tuple(shots), title if isinstance(title, str) else "", tuple(remarks))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
