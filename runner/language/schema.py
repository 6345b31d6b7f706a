"""The check of values against the published schema: every violation as a plain message."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.diagnostics.problem import Problem
from runner.language.expected_values import expected, has_right_type, joined, value_hint, value_text
from runner.language.ids import id_error
from runner.language.list_hints import list_hint, wrapping_name
from runner.language.schema_files import Schema, load
from runner.language.schema_validity import is_valid, part_schema
from runner.language.unknown_fields import unknown_field
from runner.language.yaml.document import Document, NodeRef, Path, Value

if TYPE_CHECKING:
    from jsonschema import Draft7Validator, ValidationError

__all__ = ["MAX_VIOLATIONS", "Violation", "check", "is_valid", "violations"]

MAX_VIOLATIONS = 2_000
"""Of one file: each costs a look for its place, and a screen shows ten of a code."""
# After so many unknown fields of one mapping the nearest name is not searched: nobody reads that far.
_MAX_SUGGESTIONS = 200


@cache
def _detailed_validator(name: str) -> "Draft7Validator":
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend
    from referencing import Registry

    inner = {keyword: _unless_too_large(Draft7Validator.VALIDATORS[keyword]) for keyword in _CONTENT_KEYWORDS}
    sized: type[Draft7Validator] = extend(Draft7Validator, inner)  # type: ignore[no-untyped-call]
    # With an empty registry a reference to an address is an error; jsonschema's own would fetch it.
    return sized(part_schema(name), registry=Registry())


# The keywords that look at every entry: of a list of a million they would report a million violations.
_CONTENT_KEYWORDS = ("items", "properties", "additionalProperties", "propertyNames")


def _unless_too_large(rule: Callable[..., Iterator["ValidationError"]]) -> Callable[..., Iterator["ValidationError"]]:
    """A schema rule about the content of a list or mapping, skipped in one that is too large: its size says enough."""

    def limited(validator: object, keyword_value: object, value: object, schema: Schema) -> Iterator["ValidationError"]:
        limit = schema.get("maxItems" if isinstance(value, list) else "maxProperties")
        if limit is None or not isinstance(value, list | dict) or len(value) <= limit:
            yield from rule(validator, keyword_value, value, schema) or ()

    return limited


def violations(value: Value, part: str = "", base: Path = ()) -> Iterator["Violation"]:
    """Every violation in a value's shape; `base` is the path of the value in its document."""
    for error in _detailed_validator(part).iter_errors(value):
        yield from _violations_of(error, base)


class Violation:
    """One deviation from the schema: its path, message and hint.

    Of an unknown field `fields` are the known ones; of a missing one, its name alone.
    """

    __slots__ = ("code", "fields", "hint", "message", "on_key", "path")

    def __init__(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str = "",
        on_key: bool = False,
        fields: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.path = path
        self.message = message
        self.hint = hint
        self.on_key = on_key
        self.fields = fields


def check(
    document: Document, variables: Callable[[], Collection[str]] = frozenset, *, is_include: bool = False
) -> Iterator[tuple[tuple[Path, ...], Problem]]:
    """The problems of a whole document, each with the paths of the unusable and of the missing values.

    `variables` are the names of the templates' variables, also of other files; asked for only by an unknown field.
    A file with `shots:` is a storyboard, unless another one includes it.
    """
    if is_valid(document.root):
        return
    root: Mapping[str, Value] = document.root
    meant = set()
    missing: list[Violation] = []
    if "storyboard" not in root and "shots" in root and not is_include:
        missing.append(_missing_field((), "storyboard"))
        # Checked as what it is meant to be: without the field the schema takes the file for an include.
        root = {**root, "storyboard": 1}
    unknown_count = 0
    for violation in itertools.islice(_by_part(root), MAX_VIOLATIONS):
        if violation.code == "missing-field":
            missing.append(violation)
            continue
        if violation.code == "unknown-field":
            unknown_count += 1
            suggest = unknown_count <= _MAX_SUGGESTIONS
            names = variables() if suggest else ()
            field = unknown_field(violation.path, violation.fields, document.get(violation.path), names, suggest)
            violation.message, violation.hint = field.message, field.hint
            if field.meant and document.get((*violation.path[:-1], field.meant)) is None:
                meant.add((*violation.path[:-1], field.meant))
                yield (violation.path, (*violation.path[:-1], field.meant)), _problem(document, violation)
                continue
        yield (violation.path,), _problem(document, violation)
    for violation in missing:
        # A field that is missing because its name is another tool's, or misspelt, is no second problem.
        if (violation.path or document.whole) and (*violation.path, *violation.fields) not in meant:
            yield (violation.path,), _problem(document, violation)


def _problem(document: Document, violation: Violation) -> Problem:
    origin = NodeRef(document, violation.path)
    place = origin.key_place() if violation.on_key else origin.place()
    return Problem(violation.code, place, violation.message, violation.hint, related=origin.alias_chain())


def _by_part(root: Mapping[str, Value]) -> Iterator["Violation"]:
    """The violations of a document. Shots are checked one by one, so that the many valid ones cost next to nothing."""
    shots = root.get("shots")
    yield from _one_misplaced(violations(_without_shots(root, shots)))
    for index, shot in enumerate(shots if isinstance(shots, list) else ()):
        if not is_valid(shot, "shot"):
            yield from _violations_of_shot(shot, ("shots", index))


def _one_misplaced(all_violations: Iterator["Violation"]) -> Iterator["Violation"]:
    """The violations, with those of all fields that an include cannot have joined to one at the first of them."""
    misplaced: list[Violation] = []
    for violation in all_violations:
        if violation.code == "include-content":
            misplaced.append(violation)
        else:
            yield violation
    if misplaced:
        first, names = misplaced[0], [f"`{violation.path[-1]}`" for violation in misplaced]
        if len(names) > 1:
            first.message = f"{joined(names)} are not allowed in a file without `storyboard:`"
        yield first


def _without_shots(root: Mapping[str, Value], shots: Value) -> dict[str, Value]:
    # One valid shot stands for all of them: an empty list would be a violation of its own.
    return {**root, "shots": [{"id": "x"}]} if isinstance(shots, list) and shots else dict(root)


def _violations_of_shot(shot: Value, path: Path) -> Iterator["Violation"]:
    if (name := wrapping_name(shot)) is not None:
        message = "the fields of this shot stand below its name"
        yield Violation("wrong-type", (*path, name), message, list_hint(path, shot), on_key=True)
    else:
        yield from violations(shot, "shot", path)


def _violations_of(error: "ValidationError", base: Path) -> Iterator["Violation"]:
    path: Path = (*base, *error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            yield from _unknown_fields(schema, value, path)
        case "required":
            # jsonschema reports each missing field by itself, and names it in its text alone.
            required: Any = error.validator_value
            yield from (_missing_field(path, name) for name in required if f"'{name}' is" in error.message)
        case "if":
            yield from (violation for inner in error.context or () for violation in _violations_of(inner, base))
        case "propertyNames" | "pattern" if "propertyNames" in error.absolute_schema_path:
            yield from _misplaced_in_include(path, str(value))
        case "oneOf":
            yield Violation("cut-entry", path, *_ENTRY_KIND)
        case "dependencies" | "not":
            yield Violation("asset-kind", path, *_SEVERAL_KINDS)
        case "anyOf":
            yield from _violations_of_branches(error, path, base)
        case _:
            yield _describe(schema, value, path, str(error.validator))


_ENTRY_KIND = (
    "an entry of `cut` names exactly one of `shot`, `clip` and `slate`",
    'write a shot\'s id, {shot: ID, …}, {clip: PATH, …} or {slate: "Words", seconds: 3}',
)
_SEVERAL_KINDS = ("an asset has one kind, and this one has several", "make one asset for each kind")


def _unknown_fields(schema: Schema, value: Mapping[str, Value], path: Path) -> Iterator[Violation]:
    names = tuple(schema.get("properties", ()))
    for name in value:
        if name not in names and not name.startswith("x-"):
            yield _unknown_field((*path, name), names)


def _unknown_field(path: Path, fields: tuple[str, ...]) -> Violation:
    message = unknown_field(path, fields, None, (), suggest=False).message
    return Violation("unknown-field", path, message, on_key=True, fields=fields)


def _missing_field(path: Path, name: str) -> Violation:
    message, hint = _MISSING.get(name, (f"`{name}` is missing", ""))
    return Violation("missing-field", path, message, hint, fields=(name,))


_MISSING = {
    "storyboard": ("this storyboard does not say its format", "begin the file with this line:\nstoryboard: 1"),
    "shots": ("this storyboard has no `shots`", "shots:\n  - id: opening\n    prompt: …"),
    "id": ("this shot has no `id`", "add one: the id names the shot and its files"),
}


def _misplaced_in_include(path: Path, name: str) -> Iterator[Violation]:
    fields = tuple(load()["properties"])
    if name not in fields:
        yield _unknown_field((*path, name), fields)
    else:
        hint = (
            "a storyboard begins with `storyboard: 1`; an include has only vars, assets, scenes, defaults and profiles"
        )
        message = f"`{name}` is not allowed in a file without `storyboard:`"
        yield Violation("include-content", (*path, name), message, hint, on_key=True)


def _violations_of_branches(error: "ValidationError", path: Path, base: Path) -> Iterator[Violation]:
    """The violations of the branch of `anyOf` that fits the value's type; without one, all that the branches take."""
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    # The branch of the value's own type is the one that was meant, and its errors say what is wrong inside.
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
    # The schema knows one pattern; which of the rules an id breaks, `id_error` knows.
    if path[:1] == ("shots",) and path[2:] == ("id",) and isinstance(value, str) and (error := id_error(value)):
        return Violation("id-form", path, *error)
    code = "wrong-value" if has_right_type(schema, value) else "wrong-type"
    message = f"{name} is {value_text(value)}, but must be {expected(schema)}"
    return Violation(code, path, message, list_hint(path, value) or value_hint(schema, value, path))


def _label(path: Path) -> str:
    fields = [key for key in path if isinstance(key, str)]
    if path and isinstance(path[-1], int):
        return f"an item of `{fields[-1]}`" if fields and fields[-1] != "shots" else "this shot"
    return f"`{fields[-1]}`" if fields else "this"
