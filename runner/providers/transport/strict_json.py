"""Strict JSON for untrusted input: UTF-8, unique keys, exact decimals, limited depth and limited numbers."""

import json
from decimal import Decimal
from typing import Any, NamedTuple

MAX_DEPTH = 64
MAX_DIGITS = 40
"""Depth of an answer and digits of a number: no answer of the API comes near."""
MAX_EXPONENT = 12
"""The greatest power of ten of a number, up and down: no number of this API needs more."""


class UnreadableNumber(NamedTuple):
    """A number that is none for us: too long, too large, too small, or NaN. It spoils its own field only."""

    text: str
    """The beginning of the number."""


class NotJsonError(Exception):
    """Input that is not strict JSON; the message says why."""


def parse(body: bytes) -> Any:
    """Parse a JSON text; raises `NotJsonError`, and no other exception.

    Integers are int, other numbers Decimal, so that fractions of credits stay exact; numbers out of bounds are
    `UnreadableNumber`.
    """
    try:
        # Some servers write a byte order mark.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
    _bound_depth(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_parse_int,
            parse_float=_parse_decimal,
            parse_constant=UnreadableNumber,
        )
    except json.JSONDecodeError as error:
        # The place alone: users read this text, and Python's speaks of `Expecting value` and `char 0`.
        raise NotJsonError(f"not JSON at character {error.pos + 1:,}") from error
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise NotJsonError(f"not JSON: {error}"[:200]) from error


def _bound_depth(text: str) -> None:
    """Reject too deep nesting before a parser recurses; brackets in strings do not count."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    # Character by character only where there are many brackets: answers of the API have a handful.
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
        # Readers differ in which of two they believe: of two task ids nobody knows which was meant.
        if key in result:
            raise NotJsonError(f"the key {key[:80]!r} occurs twice")
        result[key] = value
    return result


def _parse_int(digits: str) -> int | UnreadableNumber:
    return int(digits) if len(digits) <= MAX_DIGITS else UnreadableNumber(digits[:MAX_DIGITS])


def _parse_decimal(digits: str) -> Decimal | UnreadableNumber:
    exponent = digits.lower().partition("e")[2].lstrip("+-0") or "0"
    if len(digits) > MAX_DIGITS or len(exponent) > 2:  # before the conversion, which takes time and space for these
        return UnreadableNumber(digits[:MAX_DIGITS])
    number = Decimal(digits)
    return number if abs(number.adjusted()) <= MAX_EXPONENT else UnreadableNumber(digits)
