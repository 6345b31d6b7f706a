"""Bounds of a settings file's text: what is too deep or too long is refused with its line, before it is parsed."""

import re
from typing import Any

from runner.lazy_pattern import lazy_pattern, lazy_patterns

with lazy_patterns():
    import tomllib

# Far beyond any setting: the parser goes down a level of its stack for each of a table.
_MAX_DEPTH = 16
# Points of keys in one line: a dotted key nests as tables do.
_MAX_DOTS = 32
# Characters: Python takes quadratic time for the digits of a number.
_MAX_WORD = 100
# Characters: tomllib quotes a key, which may fill the file.
_MAX_MESSAGE = 200
# Strings and comments as a whole, since brackets in them nest nothing.
_TOKEN = lazy_pattern(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]|[^\s"\'#\[\]{}=,]+',
    re.DOTALL,
)


class UnfitToml(Exception):  # noqa: N818 - a reason that becomes a message, caught by the reader of the file
    """The text is not TOML, or beyond the bounds; the message has the line where the parser knows it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a settings file. Raises UnfitToml."""
    _check_bounds(text)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnfitToml(shortened(str(error), _MAX_MESSAGE)) from error


def shortened(text: str, length: int = 80) -> str:
    """The text, cut where it is longer than that."""
    return text if len(text) <= length else f"{text[:length]}…"


def _check_bounds(text: str) -> None:
    """Refuse nesting, dotted keys, numbers and names that no setting needs and that cost the parser its stack."""
    line, depth, dots = 1, 0, 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word == "\n":
            line, dots = line + 1, 0
        elif word in "[{":
            depth += 1
        elif word in "]}":
            depth = max(0, depth - 1)
        elif word[0] in "\"'":
            line += word.count("\n")
        elif word[0] != "#":
            dots += word.count(".")
            if len(word) > _MAX_WORD:
                raise UnfitToml(f"a name or number of {len(word):,} characters; at most {_MAX_WORD} are read", line)
        if depth > _MAX_DEPTH or dots > _MAX_DOTS:
            raise UnfitToml(f"tables and lists more than {_MAX_DEPTH} deep, or a key of too many parts", line)
