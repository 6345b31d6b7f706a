"""Where each character of a YAML scalar stands in the text of its file, whatever its style folds or escapes."""

import re
from collections.abc import Sequence
from functools import lru_cache

_FOLD = re.compile(r"[ \t]*(?:(?:\r\n|\n|\r)[ \t]*)+")
_BREAK = re.compile(r"\r\n|\n|\r")
_BLANKS = re.compile(r"[ \t]+")
_INK, _INK_SINGLE, _INK_DOUBLE = (re.compile(rf"[^ \t\r\n{mark}]+") for mark in ("", "'", r"\"\\"))
_WHITE = frozenset(" \t\r\n")
_JOIN = re.compile(r"\\(?=[ \t]*[\r\n])")
_PROPERTIES = re.compile(r"(?:[&!][^\s]*+[ \t]*+)++(?:\r?\n[ \t]*)?")
_HEADER = re.compile(r"[|>][^\r\n]*(?:\r\n|\n|\r|\Z)")
_ESCAPED_BREAK = re.compile(r"[ \t]*(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))*[ \t]*")
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


@lru_cache(maxsize=4)
def offsets(text: str, at: int, value: str) -> Sequence[int]:
    """Offset in `text` of each character of `value`, and at last of the scalar's end; the scalar begins at `at`.

    Where the walk does not come out (it should not happen), every character stands at the scalar's beginning.
    """
    if properties := _PROPERTIES.match(text, at):
        at = properties.end()
    mark = text[at : at + 1]
    if mark in ("|", ">"):
        spots = _block(text, at, value)
    elif mark == '"':
        spots = _double(text, at + 1, value)
    elif mark == "'":
        spots = _single(text, at + 1, value)
    else:
        spots = _plain(text, at, value)
    return spots if spots is not None else [at] * len(value) + [at + 1]


def _folded_length(found: re.Match[str]) -> int:
    breaks = len(_BREAK.findall(found.group()))
    return 1 if breaks == 1 else breaks - 1


def _passed(text: str, p: int, spots: list[int], value: str) -> int | None:
    """Notes the white space at an offset, folded or not, and says where it ends; None when the value has none there."""
    if found := _FOLD.match(text, p):
        spots += [p] * _folded_length(found)
        return found.end()
    # All at once: to look at each blank whether a line ends after it would take for ever.
    blanks = _BLANKS.match(text, p)
    if blanks is None or not value.startswith(blanks.group(), len(spots)):
        return None
    spots += range(p, blanks.end())
    return blanks.end()


def _word(ink: re.Pattern[str], text: str, p: int, spots: list[int], value: str) -> int:
    """Notes the characters from an offset on that stand for themselves, and says how many they are."""
    found = ink.match(text, p)
    size = min(found.end() - p, len(value) - len(spots)) if found else 0
    if size == 0 or not value.startswith(text[p : p + size], len(spots)):
        return 0
    spots += range(p, p + size)
    return size


def _plain(text: str, p: int | None, value: str) -> list[int] | None:
    spots: list[int] = []
    while p is not None and len(spots) < len(value):
        if text[p : p + 1] in _WHITE:
            p = _passed(text, p, spots, value)
        elif ink := _word(_INK, text, p, spots, value):
            p += ink
        elif p < len(text) and text[p] == value[len(spots)]:
            spots.append(p)
            p += 1
        else:
            return None
    return [*spots, p] if p is not None and len(spots) == len(value) else None


def _single(text: str, p: int | None, value: str) -> list[int] | None:
    spots: list[int] = []
    while p is not None and len(spots) < len(value):
        if text[p : p + 1] in _WHITE:
            p = _passed(text, p, spots, value)
        elif ink := _word(_INK_SINGLE, text, p, spots, value):
            p += ink
        elif p < len(text) and text[p] == value[len(spots)]:
            spots.append(p)
            p += 2 if text.startswith("''", p) else 1
        else:
            return None
    return [*spots, p + 1] if p is not None and len(spots) == len(value) else None


def _double(text: str, p: int | None, value: str) -> list[int] | None:
    spots: list[int] = []
    while p is not None and len(spots) < len(value):
        if text[p : p + 1] in _WHITE:
            p = _passed(text, p, spots, value)
        elif ink := _word(_INK_DOUBLE, text, p, spots, value):
            p += ink
        elif text.startswith("\\", p):
            joined = _ESCAPED_BREAK.match(text, p + 1)
            if joined:
                extra = len(_BREAK.findall(joined.group())) - 1
                spots += [p] * extra
                p = joined.end()
            else:
                spots.append(p)
                p += _ESCAPE_LENGTH.get(text[p + 1 : p + 2], 2)
        elif p < len(text) and text[p] == value[len(spots)]:
            spots.append(p)
            p += 1
        else:
            return None
    if p is None:
        return None
    while joined := _JOIN.match(text, p):
        after = _ESCAPED_BREAK.match(text, joined.end())
        p = after.end() if after else joined.end()
    return [*spots, p + 1] if len(spots) == len(value) else None


def _block(text: str, p: int, value: str) -> list[int] | None:
    header = _HEADER.match(text, p)
    if header is None:
        return None
    folded, p = text[p] == ">", header.end()
    lines = _lines(text, p, _ink(value))
    first = next((line for line in value.split("\n") if line.strip(" ")), "")
    indent = next((len(s) - len(s.lstrip(" ")) for _, s in lines if s.strip(" ")), 0)
    indent -= len(first) - len(first.lstrip(" "))
    return _folded(lines, indent, value) if folded else _literal(lines, indent, value)


def _ink(text: str) -> int:
    """How many characters are not white space."""
    return len("".join(text.split()))


def _lines(text: str, p: int, ink: int) -> list[tuple[int, str]]:
    """(offset, line without its end) from an offset on, until the scalar's characters are all seen."""
    found: list[tuple[int, str]] = []
    while p < len(text):
        end = _BREAK.search(text, p)
        stop = end.start() if end else len(text)
        ink -= (here := _ink(text[p:stop]))
        if here and ink < 0:
            break
        found.append((p, text[p:stop]))
        if end is None:
            break
        p = end.end()
    return found


def _literal(lines: list[tuple[int, str]], indent: int, value: str) -> list[int] | None:
    spots: list[int] = []
    at = 0
    for wanted, (at, line) in zip(value.split("\n"), lines, strict=False):
        start = at + min(indent, len(line))
        if line[indent:] != wanted and wanted.strip():
            return None
        spots += [start + i for i in range(len(wanted))]
        spots.append(start + len(wanted))
    spots = spots[: len(value) + 1]
    return (
        spots if len(spots) == len(value) + 1 else spots + [spots[-1] if spots else at] * (len(value) + 1 - len(spots))
    )


def _folded(lines: list[tuple[int, str]], indent: int, value: str) -> list[int] | None:
    spots: list[int] = []
    end = lines[0][0] if lines else 0
    for at, line in lines:
        content = line[indent:]
        if not content.strip(" \t"):
            continue
        while len(spots) < len(value) and not value.startswith(content, len(spots)):
            if value[len(spots)] not in " \n":
                return None
            spots.append(end)
        if len(spots) >= len(value):
            break
        spots += [at + indent + i for i in range(len(content))]
        end = at + len(line)
    spots += [end] * (len(value) - len(spots))
    return [*spots[: len(value)], max(end, spots[-1] + 1 if spots else end)]
