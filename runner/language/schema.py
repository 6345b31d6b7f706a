"""Checks values against the published schema: a fast yes or no, then every violation as a plain message."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from runner.diagnostics.problem import Problem, closest_match
from runner.language.ids import id_error
from runner.language.yaml.document import Document, Key, NodeRef, Path, Value, YamlMapping

if TYPE_CHECKING:
    from jsonschema import Draft7Validator, ValidationError

Schema = dict[str, Any]
MAX_VIOLATIONS = 10_000
_MAX_SUGGESTIONS = 200
"""After so many unknown fields of one mapping the nearest name is not searched: nobody reads that far."""
_MAX_VALUE_CHARACTERS = 80


def folder() -> FilePath:
    """The folder of the schemas: inside an installed package, beside the package in a working tree."""
    package = FilePath(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@cache
def load(name: str = "storyboard") -> Schema:
    """A published schema by its name. Raises FileNotFoundError."""
    text = (folder() / f"{name}.schema.json").read_text("utf-8")
    schema: Schema = json.loads(text)
    return schema


def _part_schema(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}", "definitions": load()["definitions"]} if name else load()


@cache
def _fast_validator(name: str) -> Any:
    from jsonschema_rs import Draft7Validator

    return Draft7Validator(_part_schema(name))


@cache
def _detailed_validator(name: str) -> "Draft7Validator":
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend
    from referencing import Registry

    inner = {keyword: _unless_too_large(Draft7Validator.VALIDATORS[keyword]) for keyword in _CONTENT_KEYWORDS}
    sized: type[Draft7Validator] = extend(Draft7Validator, inner)  # type: ignore[no-untyped-call]
    return sized(_part_schema(name), registry=Registry())


_CONTENT_KEYWORDS = ("items", "properties", "additionalProperties", "propertyNames")


def _unless_too_large(rule: Callable[..., Iterator["ValidationError"]]) -> Callable[..., Iterator["ValidationError"]]:
    """A schema rule about the content of a list or mapping, skipped in one that is too large: its size says enough."""

    def limited(validator: object, keyword_value: object, value: object, schema: Schema) -> Iterator["ValidationError"]:
        limit = schema.get("maxItems" if isinstance(value, list) else "maxProperties")
        if limit is None or not isinstance(value, list | dict) or len(value) <= limit:
            yield from rule(validator, keyword_value, value, schema) or ()

    return limited


def is_valid(value: Value, part: str = "") -> bool:
    """Does a value have the shape of a storyboard, or of one definition of its schema: the fast answer."""
    return bool(_fast_validator(part).is_valid(value))


def violations(value: Value, part: str = "", base: Path = ()) -> Iterator["Violation"]:
    """Every violation in a value's shape; `base` is the path of the value in its document."""
    for error in _detailed_validator(part).iter_errors(value):
        yield from _violations_of(error, base)


class Violation:
    """One deviation from the schema: its path, message and hint."""

    __slots__ = ("code", "hint", "message", "on_key", "path")

    def __init__(self, code: str, path: Path, message: str, hint: str = "", on_key: bool = False) -> None:
        self.code = code
        self.path = path
        self.message = message
        self.hint = hint
        self.on_key = on_key


def check(document: Document) -> Iterator[tuple[Path, Problem]]:
    """The problems of a whole document, each with the path of the unusable value."""
    if is_valid(document.root):
        return
    for violation in itertools.islice(_by_part(document.root), MAX_VIOLATIONS):
        if violation.code == "missing-field" and not violation.path and not document.whole:
            continue
        origin = NodeRef(document, violation.path)
        place = origin.key_place() if violation.on_key else origin.place()
        related = origin.alias_chain()
        yield violation.path, Problem(violation.code, place, violation.message, violation.hint, related=related)


def _by_part(root: YamlMapping) -> Iterator["Violation"]:
    """The violations of a document. Shots are checked one by one, so that the many valid ones cost next to nothing."""
    shots = root.get("shots")
    yield from violations({**root, "shots": [{"id": "x"}]} if isinstance(shots, list) and shots else dict(root))
    for index, shot in enumerate(shots if isinstance(shots, list) else ()):
        if not is_valid(shot, "shot"):
            yield from violations(shot, "shot", ("shots", index))


def _violations_of(error: "ValidationError", base: Path) -> Iterator["Violation"]:
    path: Path = (*base, *error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            yield from _unknown_fields(schema, value, path)
        case "required":
            required: Any = error.validator_value
            yield from (_missing_field(path, name) for name in required if f"'{name}' is" in error.message)
        case "if":
            yield from (violation for inner in error.context or () for violation in _violations_of(inner, base))
        case "propertyNames":
            yield _misplaced_in_include(path, str(value))
        case "pattern" if error.schema_path and "propertyNames" in error.absolute_schema_path:
            yield _misplaced_in_include(path, str(value))
        case "dependencies" | "not":
            yield Violation("asset-kind", path, *_SEVERAL_KINDS)
        case "anyOf":
            yield from _violations_of_branches(error, path, base)
        case _:
            yield _describe(schema, value, path, str(error.validator))


_SEVERAL_KINDS = ("an asset has one kind, and this one has several", "make one asset for each kind")


def _unknown_fields(schema: Schema, value: Mapping[str, Value], path: Path) -> Iterator[Violation]:
    names = list(schema.get("properties", ()))
    unknown_names = [name for name in value if name not in names and not name.startswith("x-")]
    for number, name in enumerate(unknown_names):
        closest = closest_match(name, names) if number < _MAX_SUGGESTIONS else None
        holder = "a storyboard" if not path else f"`{path[-1]}`" if isinstance(path[-1], str) else "a shot"
        hint = f"did you mean `{closest}`?" if closest else f"the fields are {_joined(names)}; your own begin with x-"
        reason = _MISPLACED_FIELDS.get((_section(path), name))
        message = f"`{name}` is not a field of {_section_label(path) or holder}"
        yield Violation("unknown-field", (*path, name), reason or message, "" if reason else hint, on_key=True)


def _section(path: Path) -> str:
    if not path:
        return "top"
    return str(path[0]) if len(path) == 1 else {"shots": "shot", "profiles": "profile"}.get(str(path[0]), "")


def _section_label(path: Path) -> str:
    if len(path) >= 4 and path[0] == "shots" and path[2] == "matrix":
        return "a piece of a shot"
    return {"top": "a storyboard", "shot": "a shot", "profile": "a profile", "defaults": "defaults"}.get(
        _section(path), ""
    )


_MISPLACED_FIELDS = {
    ("defaults", "id"): "`id` has no default: every shot has its own",
    ("defaults", "matrix"): "`matrix` has no default: it belongs to one shot",
    ("defaults", "skip"): "`skip` has no default: set it in the shots to skip, or in a profile",
    ("profile", "id"): "a profile cannot change the `id` of shots",
    ("profile", "matrix"): "a profile cannot change the `matrix` of shots",
}


def _missing_field(path: Path, name: str) -> Violation:
    if name == "shots":
        return Violation(
            "missing-field", path, "this storyboard has no `shots`", "shots:\n  - id: opening\n    prompt: …"
        )
    if name == "id":
        return Violation("missing-field", path, "this shot has no `id`", "add one: the id names the shot and its files")
    return Violation("missing-field", path, f"`{name}` is missing")


def _misplaced_in_include(path: Path, name: str) -> Violation:
    if name in load()["properties"]:
        message = f"`{name}` is not allowed in a file without `storyboard:`"
        hint = "a storyboard begins with `storyboard: 1`; an include has only vars, assets, defaults and profiles"
        return Violation("include-content", (*path, name), message, hint, on_key=True)
    return Violation("unknown-field", (*path, name), *_unknown_top_field(name), on_key=True)


def _unknown_top_field(name: str) -> tuple[str, str]:
    closest = closest_match(name, load()["properties"])
    return f"`{name}` is not a field of a storyboard", f"did you mean `{closest}`?" if closest else ""


def _violations_of_branches(error: "ValidationError", path: Path, base: Path) -> Iterator[Violation]:
    """The violations of the branch of `anyOf` that fits the value's type; without one, all that the branches take."""
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    fitting = [
        errors
        for errors in branches.values()
        if not any(inner.validator == "type" and not inner.relative_path for inner in errors)
        and any(inner.relative_path or isinstance(error.instance, dict | list) for inner in errors)
    ]
    if fitting:
        for inner in fitting[0]:
            yield from _violations_of(inner, base)
    else:
        schema: Any = error.schema
        value: Any = error.instance
        yield _describe(schema, value, path, "anyOf")


def _describe(schema: Schema, value: Value, path: Path, keyword: str) -> Violation:
    name = _label(path)
    if keyword in ("minItems", "minProperties"):
        return Violation("empty", path, f"{name} is empty", "", on_key=True)
    if keyword in ("maxItems", "maxProperties"):
        size = f"{len(value):,}" if isinstance(value, list | dict) else ""
        return Violation(
            "too-many", path, f"{name} has {size} entries; at most {schema[keyword]:,} are allowed", on_key=True
        )
    if keyword in ("maxLength", "minLength") and isinstance(value, str):
        if not value:
            return Violation("empty", path, f"{name} is empty")
        return Violation(
            "too-long", path, f"{name} has {len(value):,} characters; at most {schema[keyword]:,} are allowed"
        )
    if path[:1] == ("shots",) and path[2:] == ("id",) and isinstance(value, str) and (error := id_error(value)):
        return Violation("id-form", path, *error)
    code = "wrong-value" if _has_right_type(schema, value) else "wrong-type"
    message = f"{name} is {value_text(value)}, but must be {expected(schema)}"
    return Violation(code, path, message, _value_hint(schema, value, path))


def _label(path: Path) -> str:
    fields = [key for key in path if isinstance(key, str)]
    if path and isinstance(path[-1], int):
        return f"an item of `{fields[-1]}`" if fields and fields[-1] != "shots" else "this shot"
    return f"`{fields[-1]}`" if fields else "this"


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


def _has_right_type(schema: Schema, value: Value) -> bool:
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
        return _joined([str(value) for value in schema["enum"]], "or")
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number_label(schema)
    if kind == "array":
        item = expected(schema["items"]) if "items" in schema else "values"
        return f"a list ({item})"
    if isinstance(kind, list):
        return _joined([_TYPE_LABELS[name] for name in kind], "or")
    if "pattern" in schema and "examples" in schema:
        return f"text like {schema['examples'][0]}"
    if kind == "string" and "s?$" in schema.get("pattern", ""):
        return '"5" or "5s"'
    return _TYPE_LABELS.get(str(kind), "")


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


def _joined(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


_SIZE = re.compile(r"(\d{3,4})\s*[x×*]\s*(\d{3,4})\Z")
_RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "3:4": 3 / 4, "4:3": 4 / 3, "21:9": 21 / 9}


def _value_hint(schema: Schema, value: Value, path: Path) -> str:
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
        return f"write {value} without quotes" if _has_right_type(schema, _json_value(value)) else ""
    if isinstance(value, str) and kinds == {"array"}:
        return f"write [{value}]"
    return ""


def _accepts_text(schema: Schema, text: str) -> bool:
    """Does a branch of the schema take text, and this text."""
    return schema.get("type") == "string" and re.search(schema.get("pattern", ""), text) is not None


def _json_value(text: str) -> Value:
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value


def _size_hint(width: int, height: int) -> str:
    ratio = min(_RATIOS, key=lambda name: abs(_RATIOS[name] - width / height))
    short_side = min(width, height)
    nearest = min((480, 720, 1080), key=lambda lines: abs(lines - short_side))
    return f"write resolution: {nearest}p and aspect_ratio: {ratio}"
