"""Nothing is shown that has not passed here: no control characters, no bidi overrides, no lone surrogates."""

import json
import unicodedata
from collections.abc import Iterable

_JOINERS = frozenset("\u200c\u200d")  # Persian, Indic scripts and emoji are misspelt without them
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ASCII = str.maketrans(
    {
        "·": "-",
        "×": "x",
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "~",
        "→": ">",
        "█": "#",
        "▌": "#",
        "░": ".",
        "─": "-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "✓": "+",
    }
)


def clean(text: str, keep: str = "") -> str:
    """The text with everything that could steer a terminal or hide made visible: `\\x1b`, `\\u202e`.

    `keep` names control characters that may stay, usually a line end.
    """
    if text.isprintable():
        return text
    return "".join(char if char in keep else _visible(char) for char in text)


def _visible(char: str) -> str:
    if char in _JOINERS or unicodedata.category(char) not in _HIDDEN:
        return char
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def words(text: str, most: int = 2000) -> str:
    """Somebody else's sentence on one line: white space is one space, at most so many characters."""
    line = clean(" ".join(text[: most + 1].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def in_ascii(text: str) -> str:
    """The text for a terminal that knows ASCII only: our own signs by look-alikes, the rest escaped."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def json_line(value: object) -> str:
    """JSON in printable ASCII without a line end; `json` escapes every control character and surrogate."""
    return json.dumps(value, separators=(", ", ": "), allow_nan=False)


def json_document(value: dict[str, object]) -> str:
    """One JSON document in ASCII: an entry a line, and an item a line where an entry is a list of mappings."""
    return "{" + ",".join(f"\n{json_line(key)}: {_entry(entry)}" for key, entry in value.items()) + "\n}\n"


def _entry(entry: object) -> str:
    if isinstance(entry, list) and entry and isinstance(entry[0], dict):
        return "[" + _lines(entry) + "\n]"
    return json_line(entry)


def _lines(items: Iterable[object]) -> str:
    return ",".join(f"\n {json_line(item)}" for item in items)
