"""Rows of named values, of a table or of JSON, as shots: which column fills which field. Pure."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from runner.diagnostics.failures import OptionError, ShotListUnusable
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern
from runner.shot_lists.shot_list import FIELDS, TEXT_FIELDS, AcceptedValues, ListedShot
from runner.shot_lists.times import parse_seconds

# Names of columns by field, in small letters and without other signs.
_NAMES = {
    "id": ("id", "shot", "shotid", "shotno", "shotnr", "shotnumber", "nr", "no", "number", "name", "einstellung"),
    "scene": ("scene", "szene", "sequence", "sceneno"),
    "title": ("title", "titel"),
    "prompt": ("prompt", "description", "beschreibung", "action", "text", "shotdescription"),
    "notes": ("notes", "note", "comment", "comments", "remarks", "notizen"),
    "tags": ("tags", "tag"),
    "takes": ("takes",),
    "seconds": ("seconds", "sec", "secs", "duration", "length", "dauer", "sekunden", "onscreen"),
    "in": ("in",),
    "model": ("model",),
    "resolution": ("resolution",),
    "aspect_ratio": ("aspectratio", "aspect", "ratio"),
}
# Columns whose text stands before the description.
_BEFORE_PROMPT = ("size", "shotsize", "framing", "angle", "movement", "camera", "cameramovement", "lens")
# Two columns that give the seconds together, where none has them by itself.
_START = ("start", "starttime", "tcin", "timecodein")
_END = ("end", "endtime", "tcout", "timecodeout")
# A formula that was exported in the place of its value would be a prompt, and be paid for.
_FORMULA = lazy_pattern(r"=\s*[A-Za-z$(+\-\"]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: its place as a message names it, and its values by column."""

    place: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a list by their use; what has none is a remark."""

    fields: Mapping[str, str]
    before_prompt: tuple[str, ...]
    start: str | None
    end: str | None
    others: tuple[str, ...]


def listed_shots(
    names: Sequence[str], rows: Sequence[Row], mapping: Mapping[str, str], accepted: AcceptedValues
) -> tuple[list[ListedShot], list[str]]:
    """The shots of the rows, and remarks about rows that are left out.

    `mapping` names the columns of fields. Raises OptionError for a wrong mapping, ShotListUnusable for a list
    without a prompt column, and for a formula.
    """
    columns = _columns(names, mapping)
    shots: list[ListedShot] = []
    remarks: list[str] = []
    for row in rows:
        _refuse_formulas(row, columns)
        if (shot := _shot(row, columns, accepted)) is not None:
            shots.append(shot)
        elif any(value.strip() for value in row.values.values()):
            values = ", ".join(f"{name}: {value.strip()}" for name, value in row.values.items() if value.strip())
            remarks.append(f"{row.place} is left out, since it has no text for a prompt: {values}")
    return shots, remarks


def _columns(names: Sequence[str], mapping: Mapping[str, str]) -> _Columns:
    # Reversed: of two columns that read alike the first one counts.
    by_key = {_key(name): name for name in reversed(names)}
    fields: dict[str, str] = {}
    for field, wanted in mapping.items():
        if field not in FIELDS:
            raise OptionError(f"--map {field}={wanted}: {field!r} is no field of a shot; fields: {', '.join(FIELDS)}")
        if (column := wanted if wanted in names else by_key.get(_key(wanted))) is None:
            raise OptionError(f"--map {field}={wanted}: there is no column {wanted!r}; columns: {', '.join(names)}")
        fields[field] = column
    taken = set(fields.values())
    for field, synonyms in _NAMES.items():
        column = next((by_key[key] for key in synonyms if by_key.get(key) not in (None, *taken)), None)
        if field not in fields and column is not None:
            fields[field] = column
            taken.add(column)
    if "prompt" not in fields:
        message = f"no column is a prompt ({', '.join(names)}); name it: --map prompt=COLUMN"
        raise ShotListUnusable(message)
    # Who names the column of the prompt means that column alone.
    before = [by_key[key] for key in _BEFORE_PROMPT if key in by_key and "prompt" not in mapping]
    start, end = (next((by_key[key] for key in keys if key in by_key), None) for keys in (_START, _END))
    if start is None or end is None or "seconds" in fields:
        start = end = None
    used = {*taken, *before, start, end}
    ordered = tuple(name for name in names if name in before and name not in taken)
    return _Columns(fields, ordered, start, end, tuple(name for name in names if name not in used))


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _refuse_formulas(row: Row, columns: _Columns) -> None:
    for name in (*columns.fields.values(), *columns.before_prompt, columns.start, columns.end):
        value = row.values.get(name or "", "").strip()
        if _FORMULA.match(value):
            message = f"{row.place}, column {name}: {value[:40]} is a formula, not its value: save the list with values"
            raise ShotListUnusable(message)


def _shot(row: Row, columns: _Columns, accepted: AcceptedValues) -> ListedShot | None:
    """The shot of a row; None without a text for its prompt."""
    values = {field: row.values.get(column, "").strip() for field, column in columns.fields.items()}
    before = [row.values.get(name, "").strip() for name in columns.before_prompt]
    if not values["prompt"]:
        return None
    remarks: list[str] = []
    texts = {field: _text(field, values.get(field, ""), accepted, remarks) for field in TEXT_FIELDS}
    texts["prompt"] = ". ".join(text for text in (*before, values["prompt"]) if text)
    seconds = _time(row, columns, values.get("seconds", ""), remarks)
    remarks += [
        f"{name}: {value} (no field of a shot is called so; --map notes={name} keeps it)"
        for name in columns.others
        if (value := row.values.get(name, "").strip())
    ]
    return ListedShot(
        **texts,
        tags=tuple(filter(None, (tag.strip() for tag in re.split(r"[,;|]", values.get("tags", ""))))),
        takes=_takes(values.get("takes", ""), accepted.most_takes, remarks),
        seconds=seconds,
        in_seconds=_seconds("in", values.get("in", ""), remarks) or Decimal(0),
        remarks=tuple(remarks),
    )


def _text(field: str, value: str, accepted: AcceptedValues, remarks: list[str]) -> str:
    choices = accepted.choices.get(field)
    if not value or choices is None or value in choices:
        return value
    remarks.append(f"{field}: {value} (is none of {', '.join(choices)})")
    return ""


def _takes(value: str, most: int, remarks: list[str]) -> int | None:
    if not value:
        return None
    # Six digits tell enough: a cell may have a million, which Python reads in quadratic time.
    if value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= most:
        return int(value)
    remarks.append(f"takes: {value} (is not a whole number from 1 to {most})")
    return None


def _time(row: Row, columns: _Columns, value: str, remarks: list[str]) -> Decimal | None:
    """The seconds on screen: of their own column, else from start and end."""
    if columns.start is None or columns.end is None:
        return _seconds("seconds", value, remarks)
    start, end = (row.values.get(name, "").strip() for name in (columns.start, columns.end))
    first, last = parse_seconds(start), parse_seconds(end)
    if first is not None and last is not None and last > first:
        return last - first
    if start or end:
        remarks.append(f"{columns.start}: {start}, {columns.end}: {end} (is no time from a start to a later end)")
    return None


def _seconds(field: str, value: str, remarks: list[str]) -> Decimal | None:
    if not value:
        return None
    seconds = parse_seconds(value)
    if seconds is None or (seconds <= 0 and field == "seconds"):
        remarks.append(f"{field}: {value} (is no time in seconds)")
        return None
    return seconds
