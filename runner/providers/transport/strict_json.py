"""Strict JSON for untrusted input: UTF-8 without a BOM, unique keys, no NaN, exact decimals, limited depth."""

import json
from decimal import Decimal
from typing import Any

MAX_DEPTH = 64
MAX_DIGITS = 40


class NotJsonError(Exception):
    """Input that is not strict JSON; the message says why."""


def parse(body: bytes) -> Any:
    """Parse a JSON text; raises `NotJsonError`, and no other exception.

    Integers are int, other numbers Decimal, so that fractions of credits stay exact.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
    _bound_depth(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_parse_int,
            parse_float=_parse_decimal,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise NotJsonError(f"not JSON: {error}"[:200]) from error


def _bound_depth(text: str) -> None:
    """Reject too deep nesting before a parser recurses; brackets in strings do not count."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth, inside, escaped = 0, False, False
    for char in text:
        if inside:
            inside, escaped = (char != '"' or escaped), (char == "\\" and not escaped)
        elif char == '"':
            inside = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels")
        elif char in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise NotJsonError(f"the key {key[:80]!r} occurs twice")
        result[key] = value
    return result


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise NotJsonError(f"it holds a number of {len(digits)} digits")
    return int(digits)


def _parse_decimal(digits: str) -> Decimal:
    if len(digits) > MAX_DIGITS:
        raise NotJsonError(f"it holds a number of {len(digits)} digits")
    return Decimal(digits)


def _no_constant(constant: str) -> None:
    raise NotJsonError(f"{constant} is not JSON")
