"""Escapes untrusted text for terminals and JSON: control characters, bidi overrides, lone surrogates."""

import json
from collections.abc import Callable, Iterator, Mapping

_JOINERS = frozenset("\u200c\u200d")  # Persian, Indic scripts and emoji are misspelt without them
# As programmers write them.
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Controls, formats such as bidi overrides, lone surrogates, private and unassigned characters, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# One character for one: a table that is aligned stays so.
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
    """The text with control and invisible characters escaped: `\\x1b`, `\\u202e`.

    `keep` names control characters that may stay, usually a line end.
    """
    # Nearly all text: no look at each character.
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
    """Untrusted text on one line: white space collapsed, at most `most` characters."""
    # Cut before it is split: a provider's message may have ten megabytes.
    line = escape_terminal(" ".join(text[: most + 1].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def in_ascii(text: str) -> str:
    """The text for an ASCII terminal: the screens' own symbols as look-alikes, the rest escaped."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


# Made once, since `json.dumps` with own separators makes an encoder for each call.
_encode = json.JSONEncoder(separators=(", ", ": "), allow_nan=False).encode


def json_line(value: object) -> str:
    """JSON in printable ASCII without a line end; control characters and surrogates are escaped."""
    return _encode(value)


def json_document(value: Mapping[str, object], deep: int = 9) -> str:
    """One JSON document in ASCII, with a line of its own for each mapping that contains no list of mappings.

    Lists of mappings are split into lines `deep` levels down; deeper ones stay within their line. An iterator counts
    as such a list, and only one of its items exists at a time.
    """
    return "".join(json_pieces(value, deep))


def json_pieces(value: Mapping[str, object], deep: int = 9) -> list[str]:
    """The text of `json_document` in pieces to be written one after the other.

    All are made before the first is written, so that a defect never leaves half a document.
    """
    pieces, parts = list[str](), list[str]()

    def out(text: str) -> None:
        parts.append(text)
        # Joined by the hundred: a string costs more memory than most parts hold.
        if len(parts) == _PARTS_OF_A_PIECE:
            pieces.append("".join(parts))
            parts.clear()

    _document(value, "", deep, out)
    return [*pieces, "".join(parts), "\n"]


_PARTS_OF_A_PIECE = 256


def _document(value: object, margin: str, deep: int, out: Callable[[str], None]) -> None:
    """Split lists of mappings into lines: fast, readable, and a change touches few lines of a diff."""
    # `type(…) is dict` comes first: isinstance with an abstract class takes ten times as long.
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
