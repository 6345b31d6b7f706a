"""Descriptions of a value, of the values that its schema expects, and of the way to write them."""

import json
import re
from collections.abc import Sequence
from fractions import Fraction

from runner.diagnostics.problem import closest_match
from runner.language.schema_files import Schema, load
from runner.language.yaml.document import Key, Path, Value
from runner.lazy_pattern import lazy_pattern

# Characters of a value in a message: a line of a terminal.
_MAX_VALUE_CHARACTERS = 80


def value_text(value: object) -> str:
    """A value as messages show it: shortened; a list or mapping by its kind alone."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        shortened = value if len(value) <= _MAX_VALUE_CHARACTERS else value[: _MAX_VALUE_CHARACTERS - 1] + "…"
        return f'"{shortened}"'
    return f"{value:g}" if isinstance(value, float) else str(value)


def _resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = load()["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return schema


def _alternatives(schema: Schema) -> list[Schema]:
    """The branches of a schema by which a value can be written, without null and without templates."""
    schema = _resolve(schema)
    if "anyOf" not in schema:
        return [schema]
    branches = [branch for inner in schema["anyOf"] for branch in _alternatives(inner)]
    template = load()["definitions"]["template"]
    return [branch for branch in branches if branch.get("type") != "null" and branch is not template]


def has_right_type(schema: Schema, value: Value) -> bool:
    kinds = {kind for branch in _alternatives(schema) for kind in _kinds(branch)}
    return _kind(value) in kinds or (_kind(value) == "integer" and "number" in kinds)


def _kinds(schema: Schema) -> list[str]:
    if "enum" in schema or "const" in schema:
        return [_kind(value) for value in schema.get("enum", [schema.get("const")])]
    kind = schema.get("type", "any")
    return kind if isinstance(kind, list) else [kind]


def _kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return kinds.get(type(value), "array" if isinstance(value, list) else "object")


def expected(schema: Schema) -> str:
    """The values that a field takes, described from its schema."""
    branches = _alternatives(schema)
    labels = [labels for labels in (_branch_label(branch) for branch in branches) if labels]
    return ", or ".join(dict.fromkeys(labels)) or "something else"


def _branch_label(schema: Schema) -> str:
    if "enum" in schema:
        return joined([str(value) for value in schema["enum"]], "or")
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number_label(schema)
    if kind == "array":
        item = expected(schema["items"]) if "items" in schema else "values"
        return f"a list of {_PLURALS[item]}" if item in _PLURALS else f"a list ({item})"
    if isinstance(kind, list):
        return joined([_TYPE_LABELS[name] for name in kind], "or")
    if "pattern" in schema and "examples" in schema:
        return f"text like {schema['examples'][0]}"
    # The one pattern without an example in the schema: a duration.
    if kind == "string" and "s?$" in schema.get("pattern", ""):
        return '"5" or "5s"'
    return _TYPE_LABELS.get(str(kind), "")


_PLURALS = {"a mapping": "mappings", "text": "texts"}
_TYPE_LABELS = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "null": "null",
}


def _number_label(schema: Schema) -> str:
    label = "a whole number" if schema["type"] == "integer" else "a number"
    if "minimum" in schema and "maximum" in schema:
        return f"{label} from {schema['minimum']} to {schema['maximum']}"
    if "exclusiveMinimum" in schema:
        return f"{label} above {schema['exclusiveMinimum']}"
    return label


def joined(names: Sequence[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


# `1280x720`, as older pages of the API have it; the format has a resolution and a shape instead.
_SIZE = lazy_pattern(r"(\d{3,4})\s*[x×*]\s*(\d{3,4})\Z")


def value_hint(schema: Schema, value: Value, path: Path) -> str:
    field: Key = next((key for key in reversed(path) if isinstance(key, str)), "")
    if isinstance(value, str):
        if field == "resolution" and (size := _SIZE.match(value)):
            return _size_hint(int(size[1]), int(size[2]))
        names = [str(name) for branch in _alternatives(schema) for name in branch.get("enum", ())]
        closest = closest_match(value, names)
        if closest:
            return f"did you mean {closest}?"
        if field == "duration" and value[:-1].replace(".", "", 1).isdigit():
            return "clips are made in whole seconds"
    kinds = {kind for branch in _alternatives(schema) for kind in _kinds(branch)}
    text = value_text(value)
    if isinstance(value, bool | int | float) and any(_accepts_text(branch, text) for branch in _alternatives(schema)):
        return f'write "{text}" in quotes'
    if isinstance(value, str) and kinds & {"integer", "number", "boolean"} and "string" not in kinds:
        return f"write {value} without quotes" if has_right_type(schema, _json_value(value)) else ""
    if isinstance(value, str) and kinds == {"array"}:
        return f"write [{value}]"
    return ""


def _accepts_text(schema: Schema, text: str) -> bool:
    """Whether a branch of the schema accepts this text."""
    return schema.get("type") == "string" and re.search(schema.get("pattern", ""), text) is not None


def _json_value(text: str) -> Value:
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value


def _size_hint(width: int, height: int) -> str:
    # Of the schema's values those with two numbers; no size means `auto`.
    shapes = [name for name in load()["definitions"]["aspect_ratio_value"]["enum"] if ":" in name]
    ratio = min(shapes, key=lambda name: abs(Fraction(*map(int, name.split(":"))) - Fraction(width, height)))
    short_side = min(width, height)
    # Without 4k, which only some editions have: a hint must be right in all of them.
    nearest = min((480, 720, 1080), key=lambda lines: abs(lines - short_side))
    return f"write resolution: {nearest}p and aspect_ratio: {ratio}"
