"""Width of text in terminal cells; cutting, padding and wrapping by cells."""

from functools import lru_cache
from itertools import accumulate, pairwise

# Joins emoji to one sign, as those of a family.
_JOINER = "\u200d"
# Makes an emoji, two cells wide, of a sign that is narrow as text.
_EMOJI_SELECTOR = "\ufe0f"
# Vowels and final consonants of Korean, which stand within the syllable before them.
_MEDIAL_HANGUL = range(0x1160, 0x1200)
# A colour of skin changes the sign before it, and has no cell of its own.
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# Two of these letters together are one flag.
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


def width(text: str) -> int:
    """Cells of an escaped text: wide characters and emoji take two, combining marks none."""
    return len(text) if text.isascii() else _width(text)


# A frame measures the same names twice a second, a table each cell once to align and once to cut.
@lru_cache(maxsize=4096)
def _width(text: str) -> int:
    return sum(_cells(text))


def _cells(text: str) -> list[int]:
    """Cells of each code point in a terminal that draws emoji sequences as one."""
    cells = [_char_cells(char) for char in text]
    flags = 0
    for index, (previous, char) in enumerate(pairwise(text), 1):
        if previous == " ":  # a space joins with nothing
            flags = 0
            continue
        flags = flags + 1 if ord(char) in _FLAG_LETTERS and ord(previous) in _FLAG_LETTERS else 0
        if (previous == _JOINER and cells[index] == 2) or ord(char) in _SKIN_TONES or flags % 2:
            cells[index] = 0
        elif char == _EMOJI_SELECTOR and cells[index - 1] == 1:
            cells[index] = 1
    return cells


def _char_cells(char: str) -> int:
    # Most characters; and the tables of Unicode are imported where one is not.
    if " " <= char <= "~":
        return 1
    import unicodedata

    code = ord(char)
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc") or code in _MEDIAL_HANGUL:
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") or code in _FLAG_LETTERS else 1


def cut(text: str, most: int) -> str:
    """The text cut to at most `most` cells, with an ellipsis for the rest."""
    if width(text) <= most:
        return text
    if most <= 0:
        return ""
    end = _chars_within(text, most - 1)
    # A joiner at the end would join the ellipsis.
    return text[:end].rstrip(" " + _JOINER) + "…"


def left(text: str, cells: int) -> str:
    """The text left-aligned in exactly `cells` cells, cut when it is longer."""
    text = cut(text, cells)
    return text + " " * (cells - width(text))


def right(text: str, cells: int) -> str:
    """The text right-aligned in exactly `cells` cells, cut when it is longer."""
    text = cut(text, cells)
    return " " * (cells - width(text)) + text


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most `cells` cells, broken at spaces; only a longer word is broken itself."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) <= cells:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line.rstrip(" "))
        # Two cells at least: in one cell a wide sign never fits, and the loop would not end.
        while width(word) > max(cells, 2):
            head = _head(word, max(cells, 2))
            lines.append(head)
            word = word[len(head) :]
        line = word
    return [*lines, line.rstrip(" ")] if line or not lines else lines


def _head(word: str, most: int) -> str:
    """The start of a word within `most` cells, at least one code point."""
    # One code point at least, or the loop that asks would not end.
    return word[: max(_chars_within(word, most), 1)]


def _chars_within(text: str, most: int) -> int:
    """The number of code points that fit into `most` cells."""
    ends = accumulate(_cells(text))
    return next((index for index, end in enumerate(ends) if end > most), len(text))
