"""Whether a value has the shape that the published schema asks for: a fast yes or no. `schema` says what is wrong."""

import sys
from functools import cache
from typing import Any

from runner.language.schema_files import Schema, load
from runner.language.shape import QuickCheck
from runner.language.yaml.document import Value


def part_schema(name: str) -> Schema:
    """The schema of a whole storyboard, or of one definition of it."""
    return {"$ref": f"#/definitions/{name}", "definitions": load()["definitions"]} if name else load()


@cache
def _quick_check(name: str) -> QuickCheck:
    return QuickCheck(part_schema(name), load()["definitions"])


@cache
def _fast_validator(name: str) -> Any:
    from jsonschema_rs import Draft7Validator

    return Draft7Validator(part_schema(name))


def is_valid(value: Value, part: str = "") -> bool:
    """Whether a value has the shape of a storyboard, or of one definition of its schema: the fast answer."""
    # Once it is imported, jsonschema-rs is faster for a document of any size.
    answer = None if "jsonschema_rs" in sys.modules else _quick_check(part).answer(value)
    return bool(_fast_validator(part).is_valid(value)) if answer is None else answer
