"""Nothing is shown that has not passed here: no control characters, no bidi overrides, no lone surrogates."""

import json
from collections.abc import Callable, Iterator, Mapping

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


def escape_terminal(text: str, keep: str = "") -> str:
    """The text with everything that could steer a terminal or hide made visible: `\\x1b`, `\\u202e`.

    `keep` names control characters that may stay, usually a line end.
    """
    if text.isprintable():
        return text
    return "".join(char if char in keep else _visible(char) for char in text)


def _visible(char: str) -> str:
    import unicodedata

    if char in _JOINERS or unicodedata.category(char) not in _HIDDEN:
        return char
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def one_line(text: str, most: int = 2000) -> str:
    """Somebody else's sentence on one line: white space is one space, at most so many characters."""
    line = escape_terminal(" ".join(text[: most + 1].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def in_ascii(text: str) -> str:
    """The text for a terminal that knows ASCII only: our own signs by look-alikes, the rest escaped."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


_encode = json.JSONEncoder(separators=(", ", ": "), allow_nan=False).encode


def json_line(value: object) -> str:
    """JSON in printable ASCII without a line end; every control character and surrogate is escaped."""
    return _encode(value)


def json_document(value: Mapping[str, object], deep: int = 9) -> str:
    """One JSON document in ASCII: a line for each mapping that holds no list of mappings itself.

    Such lists are opened `deep` levels down; what lies below is a part of its line. An iterator is such a list too,
    of which one item at a time is made.
    """
    parts: list[str] = []
    _document(value, "", deep, parts.append)
    return "".join(parts) + "\n"


def _document(value: object, margin: str, deep: int, out: Callable[[str], None]) -> None:
    """Opened only as far as lists of mappings go: quick, readable, and a change touches its own lines."""
    # A dict is asked for by its type first: an abstract class takes ten times as long to answer.
    if deep and (type(value) is dict or isinstance(value, Mapping)) and (not margin or _holds_table(value)):
        before, inner = "{", margin + " "
        for key, entry in value.items():
            out(f"{before}\n{inner}{_encode(key)}: ")
            _document(entry, inner, deep, out)
            before = ","
        out(f"\n{margin}}}" if value else "{\n}")
    elif deep and isinstance(value, list | Iterator) and _is_table(value):
        before, inner = "[", margin + " "
        for item in value:
            out(f"{before}\n{inner}")
            _document(item, inner, deep - 1, out)
            before = ","
        out(f"\n{margin}]" if before == "," else "[]")
    else:
        out(_encode(value))


def _holds_table(value: Mapping[str, object]) -> bool:
    return any(map(_is_table, value.values()))


def _is_table(value: object) -> bool:
    if not isinstance(value, list):
        return isinstance(value, Iterator)
    return bool(value) and (type(value[0]) is dict or isinstance(value[0], Mapping))
