"""Values of plain scalars by YAML's core schema."""

from runner.language.yaml.document import Value
from runner.lazy_pattern import lazy_pattern

# 18 digits fit in 64 bits: Python takes quadratic time for a longer number, and refuses one of 5,000 digits.
_INT = lazy_pattern(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = lazy_pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
CONSTANTS: dict[str, Value] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def scalar_value(text: str) -> Value:
    """The value of a plain scalar by YAML's core schema, without octal, hexadecimal, infinity, leading `+` or point."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        return text if number in (float("inf"), float("-inf")) else number
    return text
