"""The keys of a settings file as `schemas/config.schema.json` has them: their types, ranges and choices."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from runner.language.schema_files import Schema, load
from runner.language.shape import QuickCheck
from runner.lazy_dataclass import dataclass

_NAME = "config"


@dataclass(frozen=True, slots=True)
class SettingsKeys:
    """The published keys, dotted from the top."""

    values: Mapping[str, Schema]
    """Keys with a value of their own."""
    tables: frozenset[str]
    """Tables, those of free rows included."""
    rows: Mapping[str, Schema]
    """Tables whose rows the user names, with the schema of a row's value."""


@cache
def keys() -> SettingsKeys:
    """The keys of the published schema."""
    nodes = list(_nodes(load(_NAME), ""))
    tables = {key: node for key, node in nodes if node.get("type") == "object"}
    return SettingsKeys(
        {key: node for key, node in nodes if key not in tables},
        frozenset(tables),
        {key: node["additionalProperties"] for key, node in tables.items() if node["additionalProperties"]},
    )


def _nodes(node: Schema, prefix: str) -> Iterator[tuple[str, Schema]]:
    for name, child in node.get("properties", {}).items():
        yield f"{prefix}{name}", child
        yield from _nodes(child, f"{prefix}{name}.")


def is_valid(schema: Schema, value: Any) -> bool:
    """Whether a value of a TOML file has the shape that the schema of its key asks for."""
    if isinstance(value, float) and schema.get("type") == "integer":
        return False  # JSON has one kind of numbers, TOML two
    valid = _quick_check(_Identity(schema)).answer(value)
    if valid is None:
        try:
            valid = bool(_validator(_Identity(schema)).is_valid(value))
        except ValueError:  # a date or a time, which JSON does not have
            return False
    return valid and (not isinstance(value, str) or _is_number_within_bounds(schema, value))


class _Identity:
    """A schema as a key of the cache: the published schema is loaded once, and stays."""

    __slots__ = ("schema",)

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.schema is self.schema


@cache
def _quick_check(of: _Identity) -> QuickCheck:
    return QuickCheck(of.schema, load(_NAME)["definitions"])


@cache
def _validator(of: _Identity) -> Any:
    from jsonschema_rs import Draft7Validator

    return Draft7Validator({**of.schema, "definitions": load(_NAME)["definitions"]})


def _is_number_within_bounds(schema: Schema, text: str) -> bool:
    """Whether a text that stands for an exact number is within the bounds of the number that may be in its place."""
    number = next((branch for branch in _resolved(schema).get("oneOf", ()) if branch.get("type") == "number"), None)
    if number is None:
        return True
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and Decimal(str(number["minimum"])) <= value <= Decimal(str(number["maximum"]))


def _resolved(schema: Schema) -> Schema:
    """A schema with the definition that it refers to."""
    # Draft-07 ignores what stands beside a `$ref`, so the schemas put it into `allOf`.
    for part in schema.get("allOf", (schema,) if "$ref" in schema else ()):
        if "$ref" in part:
            return {**load(_NAME)["definitions"][part["$ref"].rpartition("/")[2]], **schema}
    return schema


def expectation(schema: Schema) -> str:
    """The way out of a wrong value, made of its schema: `use a whole number from 1 to 1000`.

    `errorMessage`, which editors show as well, says it where the schema's keywords do not speak for themselves.
    """
    whole = _resolved(schema)
    if "errorMessage" in whole:
        return str(whole["errorMessage"])
    if "enum" in whole:
        return f"use one of {', '.join(map(str, whole['enum']))}"
    match whole.get("type"):
        case "integer":
            return f"use a whole number from {whole['minimum']} to {whole['maximum']}"
        case "number":
            return f"use a number above {whole['exclusiveMinimum']}, at most {whole['maximum']}"
        case "boolean":
            return "use true or false"
        case "array":
            once = ", each once" if whole.get("uniqueItems") else ""
            return f"use a list of {', '.join(map(str, whole['items']['enum']))}{once}"
    return "use a text"
