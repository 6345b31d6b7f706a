"""The shape of a small value, checked as its JSON schema asks for.

Importing jsonschema-rs takes longer than this check of a thousand shots; for larger documents it is the faster one.

A schema is read once for each type of value that it meets: what it asks of other types falls away, so that "a text of
at most 64 KiB, a template or null" is one comparison for a text.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runner.language.schema_files import Schema
from runner.lazy_pattern import lazy_pattern

Check = Callable[[Any], bool]
"""The check of a value whose type is known."""

# Keywords that ask for nothing.
_WORDS = frozenset(("$schema", "$id", "title", "description", "examples", "default", "definitions", "errorMessage"))
# What `re` reads otherwise than a schema's pattern: classes of letters, `$` before the end, groups with `?`.
_UNLIKE_PYTHON = lazy_pattern(r"\\[wWsSbBdDpP]|\$.|\(\?", re.DOTALL)


# Entries of one list, and of all lists and mappings together: about where jsonschema-rs becomes the faster one.
_MAX_LIST = 1_500
_MAX_ENTRIES = 18_000


class _NotChecked(Exception):  # noqa: N818 - caught in this module
    """A schema or a value that is not checked here: an unusual keyword, an infinite number, too many entries."""


class QuickCheck:
    """The check of one schema, for the first 18,000 entries of lists and mappings that it meets."""

    def __init__(self, schema: Schema, definitions: Mapping[str, Schema]) -> None:
        self._shape = _Shape(_Shapes(definitions), schema)
        self._is_given_up = False

    def answer(self, value: Any) -> bool | None:
        """Whether a value has the shape; None where jsonschema-rs is to say."""
        if self._is_given_up:
            return None
        try:
            return self._shape[type(value)](value)
        except (_NotChecked, RecursionError):
            # For good: jsonschema-rs is imported now, and from then on it is the faster one.
            self._is_given_up = True
            return None


class _Shapes:
    """The shapes of one schema document; each definition is read once, at its first use."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._by_name: dict[str, _Shape] = {}
        self._entries = 0

    def count(self, entries: int) -> None:
        """Count entries of a list or mapping. Raises _NotChecked once they are too many."""
        self._entries += entries
        if self._entries > _MAX_ENTRIES:
            raise _NotChecked

    def check_of(self, schema: Schema | bool, kind: type) -> Check:
        """The check of what a schema asks of values of one type."""
        if isinstance(schema, bool):
            return _yes if schema else _no
        if "$ref" in schema:
            return self._definition(schema["$ref"].rpartition("/")[2])[kind]
        if unknown := schema.keys() - _WORDS - _KEYWORDS:
            raise _NotChecked(", ".join(sorted(unknown)))
        return _all(
            [read(self, schema, kind) for read, keywords in _GROUPS.items() if not schema.keys().isdisjoint(keywords)]
        )

    def several(self, schemas: Iterable[Schema], kind: type) -> list[Check]:
        return [self.check_of(schema, kind) for schema in schemas]

    def _definition(self, name: str) -> "_Shape":
        if name not in self._by_name:
            self._by_name[name] = _Shape(self, self._definitions[name])
        return self._by_name[name]


class _Shape(dict[type, Check]):
    """The checks of one schema by the type of the value."""

    def __init__(self, shapes: _Shapes, schema: Schema | bool) -> None:
        super().__init__()
        self._shapes = shapes
        self._schema = schema

    def __missing__(self, kind: type) -> Check:
        check = self[kind] = self._shapes.check_of(self._schema, kind)
        return check


def _yes(value: Any) -> bool:
    return True


def _no(value: Any) -> bool:
    return False


def _all(checks: Iterable[Check]) -> Check:
    needed = [check for check in checks if check is not _yes]
    if _no in needed:
        return _no
    if len(needed) <= 1:
        return needed[0] if needed else _yes
    return lambda value: all(check(value) for check in needed)


def _any(checks: Iterable[Check]) -> Check:
    possible = [check for check in checks if check is not _no]
    if _yes in possible:
        return _yes
    if len(possible) <= 1:
        return possible[0] if possible else _no
    return lambda value: any(check(value) for check in possible)


def _is_number(kind: type) -> bool:
    # By identity, since `bool` is a subclass of `int` and true is no number.
    return kind is int or kind is float


_TYPES: dict[str, Callable[[type], Check]] = {
    "string": lambda kind: _yes if issubclass(kind, str) else _no,
    "boolean": lambda kind: _yes if kind is bool else _no,
    "null": lambda kind: _yes if kind is type(None) else _no,
    "array": lambda kind: _yes if issubclass(kind, list) else _no,
    "object": lambda kind: _yes if issubclass(kind, dict) else _no,
    "number": lambda kind: _yes if _is_number(kind) else _no,
    # To a schema 5.0 is an integer.
    "integer": lambda kind: _yes if kind is int else float.is_integer if kind is float else _no,
}


def _type(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    names = schema["type"]
    return _any(_TYPES[name](kind) for name in ([names] if isinstance(names, str) else names))


def _enum(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    choices = schema.get("enum", [schema.get("const")])
    if all(isinstance(choice, str) for choice in choices):
        fits = issubclass(kind, str)
    elif all(isinstance(choice, int) and not isinstance(choice, bool) for choice in choices):
        fits = _is_number(kind)
    else:
        # Python's 1 is in a set of True, a schema's is not.
        raise _NotChecked("enum")
    return frozenset(choices).__contains__ if fits else _no


def _texts(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not issubclass(kind, str):
        return _yes
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if "pattern" not in schema:
        return lambda value: least <= len(value) <= most
    pattern = _pattern(schema["pattern"])
    return lambda value: least <= len(value) <= most and pattern.search(value) is not None


def _pattern(text: str) -> re.Pattern[str]:
    """A schema's pattern, whose `$` is the very end."""
    # Python's `$` also stands before a last line end, by which `abc\n` would pass as an id.
    inner = text.removesuffix("$")
    if _UNLIKE_PYTHON.search(text) or inner.endswith("\\"):
        raise _NotChecked("pattern")
    return lazy_pattern(inner + (r"\Z" if inner != text else ""))


def _numbers(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not _is_number(kind):
        return _yes
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above = schema.get("exclusiveMinimum", -math.inf)

    def check(value: Any) -> bool:
        if not math.isfinite(value):
            raise _NotChecked("number")
        return bool(least <= value <= most and value > above)

    return check


def _lists(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not issubclass(kind, list):
        return _yes
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    item = _Shape(shapes, schema.get("items", True))

    def check(value: Any) -> bool:
        if len(value) > _MAX_LIST:
            raise _NotChecked
        shapes.count(len(value))
        return least <= len(value) <= most and all(item[type(entry)](entry) for entry in value)

    return check


def _mappings(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not issubclass(kind, dict):
        return _yes
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", math.inf)
    required = schema.get("required", ())
    fields = _Fields(shapes, schema)

    def check(value: Any) -> bool:
        shapes.count(len(value))
        if not least <= len(value) <= most or any(name not in value for name in required):
            return False
        if not fields.are_free:
            for name, inner in value.items():
                inner_kind = type(inner)
                for shape in fields[name]:
                    if not shape[inner_kind](inner):
                        return False
        return True

    return check


class _Fields(dict[str, tuple[_Shape, ...]]):
    """The shapes that a mapping asks of its fields, by the field's name."""

    def __init__(self, shapes: _Shapes, schema: Schema) -> None:
        super().__init__()
        self._declared = {name: _Shape(shapes, inner) for name, inner in schema.get("properties", {}).items()}
        self._patterns = [
            (_pattern(text), _Shape(shapes, inner)) for text, inner in schema.get("patternProperties", {}).items()
        ]
        self._other = _Shape(shapes, schema.get("additionalProperties", True))
        self.are_free = schema.keys().isdisjoint(("properties", "patternProperties", "additionalProperties"))
        """Whether nothing is asked of any field."""

    def __missing__(self, name: str) -> tuple[_Shape, ...]:
        declared = self._declared.get(name)
        fitting = [shape for pattern, shape in self._patterns if pattern.search(name)]
        shapes = self[name] = tuple(fitting if declared is None else [declared, *fitting]) or (self._other,)
        return shapes


def _names(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not issubclass(kind, dict):
        return _yes
    check = shapes.check_of(schema["propertyNames"], str)
    return lambda value: all(map(check, value))


def _dependencies(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    if not issubclass(kind, dict):
        return _yes
    by_name = schema["dependencies"]
    if any(isinstance(needs, list) for needs in by_name.values()):
        raise _NotChecked("dependencies")
    checks = {name: shapes.check_of(needs, kind) for name, needs in by_name.items()}
    return lambda value: all(check(value) for name, check in checks.items() if name in value)


def _all_of(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    return _all(shapes.several(schema["allOf"], kind))


def _any_of(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    return _any(shapes.several(schema["anyOf"], kind))


def _exactly_one(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    checks = shapes.several(schema["oneOf"], kind)
    return lambda value: sum([check(value) for check in checks]) == 1


def _negation(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    check = shapes.check_of(schema["not"], kind)
    return lambda value: not check(value)


def _condition(shapes: _Shapes, schema: Schema, kind: type) -> Check:
    condition = shapes.check_of(schema["if"], kind)
    then, otherwise = (shapes.check_of(schema.get(branch, True), kind) for branch in ("then", "else"))
    return lambda value: (then if condition(value) else otherwise)(value)


_GROUPS: dict[Callable[[_Shapes, Schema, type], Check], tuple[str, ...]] = {
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
