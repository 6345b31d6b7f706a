"""The user's own first lines, rewritten where a list stands for a mapping, or a mapping for a list."""

from collections.abc import Iterator, Mapping
from itertools import islice

from runner.language.ids import id_error
from runner.language.schema_files import load
from runner.language.yaml.document import Path, Value
from runner.language.yaml.written import flow
from runner.requests.decimals import exact_decimal

# A hint shows the form, not the whole list.
_MAX_FIELDS = 4
# Characters of a line of a terminal.
_MAX_LINE = 80
# Keys by which the items of a list are named in other formats.
_NAME_KEYS = ("id", "name", "key")


def list_hint(path: Path, value: Value) -> str:
    """The right form of a value that is a list or a mapping, or should be; an empty text where none is known."""
    match path:
        case ("storyboard",):
            title = f", and title: {flow(value)}" if isinstance(value, str) and not value.isdigit() else ""
            return f"this is the version of the format: write storyboard: 1{title}"
        case ("shots",):
            return _shots(value)
        case ("shots", int()):
            return "\n".join(("write it as", *_shot_lines(*_first_shot(value)))) if value else ""
        case ("assets" | "profiles" | "scenes" | "vars" | "defaults" as section,):
            return _mapping_of(section, value)
        case ("budget",):
            return f"write budget: {{credits: {flow(value)}}}" if exact_decimal(value) is not None else ""
        case ("assets", name) if isinstance(value, list):
            return f"write {name}: {{image: {_excerpt(value)}}}"
        case (*_, "vars" | "matrix" as section):
            return _mapping_of(section, value)
        case (*_, "matrix", str(axis)) if not isinstance(value, dict | list | None):
            return f"write {axis}: [{flow(value)}]"
        case (*_, "matrix", str(axis), int()) if isinstance(value, dict) and axis not in ("include", "exclude"):
            return f"name the pieces of a shot: {axis}: {{NAME: {_excerpt(value)}}}"
        case _:
            return _field(path, value)


def wrapping_name(value: Value) -> str | None:
    """The only key of a shot that stands as `- opening: {prompt: …}`; None for any other shot."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    name, inner = next(iter(value.items()))
    is_field = name in load()["definitions"]["shot"]["properties"] or name.startswith("x-")
    return name if isinstance(inner, dict) and not is_field else None


def is_one_shot(shots: Mapping[str, Value]) -> bool:
    """Whether a mapping in place of the list of shots is a single shot, and not several by name."""
    return "id" in shots or "prompt" in shots


def _field(path: Path, value: Value) -> str:
    """The right form of a shot's field."""
    name = next((str(key) for key in reversed(path) if isinstance(key, str)), "")
    if name in ("first_frame", "last_frame") and (source := _only_source(value)):
        return f"write {name}: {flow(source)}"
    if name == "references" and isinstance(value, dict) and (source := _only_source(value)):
        return f"write {flow(source)}" if isinstance(path[-1], int) else f"write [{flow(source)}]"
    if name == "prompt" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        lines = [f"  {_cut(line)}" for line in islice(map(str, value), _MAX_FIELDS)]
        return "\n".join(("write the text below one another", "prompt: |", *lines))
    if name in ("prompt", "wrap") and isinstance(value, dict):
        text = next((item for item in value.values() if isinstance(item, str)), None)
        return f"write {name}: {flow(_cut(text))}" if text else ""
    if name == "tags" and isinstance(value, dict) and value:
        return f"write [{', '.join(map(flow, islice(value, _MAX_FIELDS)))}]"
    return ""


def _only_source(value: Value) -> str | None:
    """The one path or address in `[a.png]` or `{image: a.png}`."""
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return items[0] if len(items) == 1 and isinstance(items[0], str) else None


def _shots(value: Value) -> str:
    if isinstance(value, dict) and value:
        name, shot = _first_shot(value) if is_one_shot(value) else next(iter(value.items()))
        lines = _shot_lines(name, shot)
        return "\n".join(("the shots are a list, each with its id:", "shots:", *lines))
    return "\n".join(("shots are a list, each with its id:", "shots:", *_shot_lines(*_first_shot(value))))


def _first_shot(value: Value) -> tuple[str, Value]:
    """The id and the fields of what was written in place of a shot."""
    if (name := wrapping_name(value)) is not None and isinstance(value, dict):
        return name, value[name]
    if isinstance(value, list) and value:
        return _first_shot(value[0])
    if isinstance(value, str) and id_error(value) is None:
        return value, None
    return "opening", value


def _shot_lines(name: str, shot: Value) -> Iterator[str]:
    """A shot as an item of a list, with its first fields."""
    fields = (
        dict(shot) if isinstance(shot, dict) and shot else {"prompt": shot if isinstance(shot, str) and shot else "…"}
    )
    yield f"  - id: {flow(_cut(fields.pop('id', name)))}"
    yield from (f"    {line}" for line in _field_lines(fields))


def _field_lines(fields: Mapping[str, Value]) -> Iterator[str]:
    for name, value in islice(fields.items(), _MAX_FIELDS):
        if isinstance(value, str) and "\n" in value:
            yield f"{name}: |"
            yield from (f"  {_cut(line)}" for line in value.splitlines()[:2])
        else:
            yield f"{name}: {_excerpt(value)}"
    if len(fields) > _MAX_FIELDS:
        yield "…"


def _mapping_of(section: str, value: Value) -> str:
    """The mapping that a list of names with values means: `- city: Lisbon`, `- {name: maria, image: a.png}`, `k=v`."""
    if not isinstance(value, list) or not value:
        name, equals, text = value.partition("=") if isinstance(value, str) else ("", "", "")
        return f"write {section}: {{{name.strip()}: {flow(text.strip())}}}" if equals else ""
    first = value[0]
    pairs: dict[str, Value] = {}
    if isinstance(first, dict):
        name_key = next((key for key in _NAME_KEYS if isinstance(first.get(key), str)), None)
        if name_key is None or section == "defaults":
            pairs = dict(islice(first.items(), _MAX_FIELDS))
        else:
            rest = {key: item for key, item in first.items() if key != name_key}
            only_value = next(iter(rest.values())) if len(rest) == 1 and "value" in rest else rest
            pairs = {str(first[name_key]): only_value}
    elif isinstance(first, str):
        name, _, text = first.partition("=" if "=" in first else ":")
        pairs = {name.strip(): text.strip() or "…"}
    lines = (f"  {name}: {_excerpt(item)}" for name, item in pairs.items())
    return "\n".join(("write names, not a list:", f"{section}:", *lines)) if pairs else ""


def _excerpt(value: Value) -> str:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        if len(value) > _MAX_FIELDS or any(isinstance(item, dict) and len(item) > _MAX_FIELDS for item in items):
            return "…"
    text = flow(value) if not isinstance(value, str) else flow(_cut(value))
    return text if len(text) <= _MAX_LINE else "…"


def _cut(text: Value) -> str:
    line = str(text)
    # The indentation, a key and quotes need their part of the line.
    return line if len(line) <= _MAX_LINE - 8 else f"{line[: _MAX_LINE - 9]}…"
