"""The shape of a small value, checked as its JSON schema asks for.

Importing jsonschema-rs takes longer than this check of a few hundred shots; for larger documents it is the faster one.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from runner.language.schema_files import Schema
from runner.lazy_pattern import lazy_pattern

Shape = Callable[[Any], bool]
"""The check of a value."""

_TYPES: dict[str, Shape] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
}
# Keywords that ask for nothing.
_WORDS = frozenset(("$schema", "$id", "title", "description", "examples", "default", "definitions", "errorMessage"))
_UNLIKE_PYTHON = lazy_pattern(r"\\[wWsSbBdDpP]|\$.|\(\?", re.DOTALL)


# Entries of one list, and of all lists and mappings together: about where jsonschema-rs becomes the faster one.
_MAX_LIST = 500
_MAX_ENTRIES = 6_000


class _NotChecked(Exception):  # noqa: N818 - caught in this module
    """A schema or a value that is not checked here: an unusual keyword, an infinite number, too many entries."""


class QuickCheck:
    """The check of one schema, for the first 6,000 entries of lists and mappings that it meets."""

    def __init__(self, schema: Schema, definitions: Mapping[str, Schema]) -> None:
        self._schema = schema
        self._shapes = _Shapes(definitions)
        self._shape: Shape | None = None
        self._is_given_up = False

    def answer(self, value: Any) -> bool | None:
        """Whether a value has the shape; None where jsonschema-rs is to say."""
        if self._is_given_up:
            return None
        try:
            if self._shape is None:
                self._shape = self._shapes.of(self._schema)
            return self._shape(value)
        except (_NotChecked, RecursionError):
            self._is_given_up = True
            return None


class _Shapes:
    """The checks of one schema document; each definition is read once, at its first use."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._by_name: dict[str, Shape] = {}
        self._entries = 0

    def count(self, entries: int) -> None:
        """Count entries of a list or mapping. Raises _NotChecked once they are too many."""
        self._entries += entries
        if self._entries > _MAX_ENTRIES:
            raise _NotChecked

    def of(self, schema: Schema | bool) -> Shape:
        if isinstance(schema, bool):
            return lambda value: schema
        if "$ref" in schema:
            return self._reference(schema["$ref"].rpartition("/")[2])
        if unknown := schema.keys() - _WORDS - _KEYWORDS:
            raise _NotChecked(", ".join(sorted(unknown)))
        checks = tuple(
            read(self, schema) for read, keywords in _GROUPS.items() if not schema.keys().isdisjoint(keywords)
        )
        if len(checks) == 1:
            return checks[0]
        return lambda value: all(check(value) for check in checks)

    def _reference(self, name: str) -> Shape:
        def check(value: Any) -> bool:
            definition = self._by_name.get(name)
            if definition is None:
                definition = self._by_name[name] = self.of(self._definitions[name])
            return definition(value)

        return check

    def several(self, schemas: list[Schema]) -> tuple[Shape, ...]:
        return tuple(map(self.of, schemas))


def _type(shapes: _Shapes, schema: Schema) -> Shape:
    names = schema["type"]
    if isinstance(names, str):
        return _TYPES[names]
    checks = [_TYPES[name] for name in names]
    return lambda value: any(check(value) for check in checks)


def _enum(shapes: _Shapes, schema: Schema) -> Shape:
    choices = schema.get("enum", [schema.get("const")])
    if all(isinstance(choice, str) for choice in choices):
        return lambda value: isinstance(value, str) and value in choices
    if all(isinstance(choice, int) and not isinstance(choice, bool) for choice in choices):
        return lambda value: _TYPES["number"](value) and value in choices
    raise _NotChecked("enum")


def _texts(shapes: _Shapes, schema: Schema) -> Shape:
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    pattern = _pattern(schema["pattern"]) if "pattern" in schema else None
    return lambda value: (
        not isinstance(value, str)
        or (least <= len(value) <= most and (pattern is None or pattern.search(value) is not None))
    )


def _pattern(text: str) -> re.Pattern[str]:
    """A schema's pattern, whose `$` is the very end."""
    inner = text.removesuffix("$")
    if _UNLIKE_PYTHON.search(text) or inner.endswith("\\"):
        raise _NotChecked("pattern")
    return lazy_pattern(inner + (r"\Z" if inner != text else ""))


def _numbers(shapes: _Shapes, schema: Schema) -> Shape:
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above = schema.get("exclusiveMinimum", -math.inf)

    def check(value: Any) -> bool:
        if not _TYPES["number"](value):
            return True
        if isinstance(value, float) and not math.isfinite(value):
            raise _NotChecked("number")
        return bool(least <= value <= most and value > above)

    return check


def _lists(shapes: _Shapes, schema: Schema) -> Shape:
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    item = shapes.of(schema.get("items", True))

    def check(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        if len(value) > _MAX_LIST:
            raise _NotChecked
        shapes.count(len(value))
        return least <= len(value) <= most and all(item(entry) for entry in value)

    return check


def _mappings(shapes: _Shapes, schema: Schema) -> Shape:
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", math.inf)
    required = schema.get("required", ())
    fields = {name: shapes.of(inner) for name, inner in schema.get("properties", {}).items()}
    patterns = [(_pattern(text), shapes.of(inner)) for text, inner in schema.get("patternProperties", {}).items()]
    other = shapes.of(schema.get("additionalProperties", True))

    def check_field(name: str, value: Any) -> bool:
        declared = fields.get(name)
        fitting = [inner for pattern, inner in patterns if pattern.search(name)] if patterns else ()
        if declared is None and not fitting:
            return other(value)
        return (declared is None or declared(value)) and all(inner(value) for inner in fitting)

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        shapes.count(len(value))
        if not least <= len(value) <= most or any(name not in value for name in required):
            return False
        return all(check_field(name, inner) for name, inner in value.items())

    return check


def _names(shapes: _Shapes, schema: Schema) -> Shape:
    check = shapes.of(schema["propertyNames"])
    return lambda value: not isinstance(value, dict) or all(map(check, value))


def _dependencies(shapes: _Shapes, schema: Schema) -> Shape:
    by_name = schema["dependencies"]
    if any(isinstance(needs, list) for needs in by_name.values()):
        raise _NotChecked("dependencies")
    checks = {name: shapes.of(needs) for name, needs in by_name.items()}
    return lambda value: (
        not isinstance(value, dict) or all(check(value) for name, check in checks.items() if name in value)
    )


def _all_of(shapes: _Shapes, schema: Schema) -> Shape:
    checks = shapes.several(schema["allOf"])
    return lambda value: all(check(value) for check in checks)


def _any_of(shapes: _Shapes, schema: Schema) -> Shape:
    checks = shapes.several(schema["anyOf"])

    def check(value: Any) -> bool:
        return any(branch(value) for branch in checks)

    return check


def _exactly_one(shapes: _Shapes, schema: Schema) -> Shape:
    checks = shapes.several(schema["oneOf"])
    return lambda value: sum([check(value) for check in checks]) == 1


def _negation(shapes: _Shapes, schema: Schema) -> Shape:
    check = shapes.of(schema["not"])
    return lambda value: not check(value)


def _condition(shapes: _Shapes, schema: Schema) -> Shape:
    condition, then = shapes.of(schema["if"]), shapes.of(schema.get("then", True))
    otherwise = shapes.of(schema.get("else", True))
    return lambda value: (then if condition(value) else otherwise)(value)


_GROUPS: dict[Callable[[_Shapes, Schema], Shape], tuple[str, ...]] = {
    _type: ("type",),
    _enum: ("enum", "const"),
    _texts: ("pattern", "minLength", "maxLength"),
    _numbers: ("minimum", "maximum", "exclusiveMinimum"),
    _lists: ("items", "minItems", "maxItems"),
    _mappings: (
        *("properties", "patternProperties", "additionalProperties", "required"),
        *("minProperties", "maxProperties"),
    ),
    _names: ("propertyNames",),
    _dependencies: ("dependencies",),
    _all_of: ("allOf",),
    _any_of: ("anyOf",),
    _exactly_one: ("oneOf",),
    _negation: ("not",),
    _condition: ("if", "then", "else"),
}
_KEYWORDS = frozenset(keyword for keywords in _GROUPS.values() for keyword in keywords)
