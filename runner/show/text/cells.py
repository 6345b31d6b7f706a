"""How many cells of a terminal a text takes, and texts cut and filled to a number of cells."""

from functools import lru_cache
from itertools import accumulate, pairwise

_JOINER = "\u200d"
_AS_EMOJI = "\ufe0f"
_MEDIAL_HANGUL = range(0x1160, 0x1200)
_SKIN = range(0x1F3FB, 0x1F400)
_FLAG = range(0x1F1E6, 0x1F200)


def width(text: str) -> int:
    """Cells of a cleaned text: wide signs and emoji take two, marks that combine take none."""
    return len(text) if text.isascii() else _width(text)


@lru_cache(maxsize=4096)
def _width(text: str) -> int:
    return sum(_cells(text))


def _cells(text: str) -> list[int]:
    """Cells of each code point, as terminals that know whole emoji draw them."""
    cells = [_alone(char) for char in text]
    flags = 0
    for index, (before, char) in enumerate(pairwise(text), 1):
        if before == " ":  # there is nothing that it could change
            flags = 0
            continue
        flags = flags + 1 if ord(char) in _FLAG and ord(before) in _FLAG else 0
        if (before == _JOINER and cells[index] == 2) or ord(char) in _SKIN or flags % 2:
            cells[index] = 0
        elif char == _AS_EMOJI and cells[index - 1] == 1:
            cells[index] = 1
    return cells


def _alone(char: str) -> int:
    if " " <= char <= "~":
        return 1
    import unicodedata

    code = ord(char)
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc") or code in _MEDIAL_HANGUL:
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") or code in _FLAG else 1


def cut(text: str, most: int) -> str:
    """The text in at most so many cells; what is left out becomes an ellipsis."""
    if width(text) <= most:
        return text
    if most <= 0:
        return ""
    end = _reach(text, most - 1)
    return text[:end].rstrip(" " + _JOINER) + "…"


def left(text: str, cells: int) -> str:
    """The text at the left of exactly so many cells, cut when it is longer."""
    text = cut(text, cells)
    return text + " " * (cells - width(text))


def right(text: str, cells: int) -> str:
    """The text at the right of exactly so many cells, cut when it is longer."""
    text = cut(text, cells)
    return " " * (cells - width(text)) + text


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most so many cells, broken at spaces; a longer word is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) <= cells:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line.rstrip(" "))
        while width(word) > max(cells, 2):
            head = _head(word, max(cells, 2))
            lines.append(head)
            word = word[len(head) :]
        line = word
    return [*lines, line.rstrip(" ")] if line or not lines else lines


def _head(word: str, most: int) -> str:
    """As much of the word as fits, at least one code point."""
    return word[: max(_reach(word, most), 1)]


def _reach(text: str, most: int) -> int:
    """How many code points fit into so many cells."""
    ends = accumulate(_cells(text))
    return next((index for index, end in enumerate(ends) if end > most), len(text))
