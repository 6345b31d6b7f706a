"""The offset in the file of each character of a YAML scalar, through folds, escapes and block styles."""

import re
from collections.abc import Sequence
from functools import lru_cache

from runner.lazy_pattern import lazy_pattern

_FOLD = lazy_pattern(r"[ \t]*(?:(?:\r\n|\n|\r)[ \t]*)+")
_BREAK = lazy_pattern(r"\r\n|\n|\r")
_BLANKS = lazy_pattern(r"[ \t]+")
# Characters that stand for themselves in plain, single-quoted and double-quoted text.
_INK, _INK_SINGLE, _INK_DOUBLE = (lazy_pattern(rf"[^ \t\r\n{mark}]+") for mark in ("", "'", r"\"\\"))
_WHITE = frozenset(" \t\r\n")
_JOIN = lazy_pattern(r"\\(?=[ \t]*[\r\n])")
_PROPERTIES = lazy_pattern(r"(?:[&!][^\s]*+[ \t]*+)++(?:\r?\n[ \t]*)?")
_HEADER = lazy_pattern(r"[|>][^\r\n]*(?:\r\n|\n|\r|\Z)")
_ESCAPED_BREAK = lazy_pattern(r"[ \t]*(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))*[ \t]*")
# Characters of an escape in double quotes, backslash and letter included: `\x41`, `\u0041`, `\U00000041`.
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


# The problems of one prompt ask for its offsets in a row; more are not kept, since each has all of its text.
@lru_cache(maxsize=4)
def offsets(text: str, at: int, value: str) -> Sequence[int]:
    """Offset in `text` of each character of `value`, then of the scalar's end; the scalar begins at `at`.

    If value and text do not match (a defect), every character gets the offset of the scalar's beginning.
    """
    if properties := _PROPERTIES.match(text, at):
        at = properties.end()
    indicator = text[at : at + 1]
    if indicator in ("|", ">"):
        positions = _block_offsets(text, at, value)
    elif indicator == '"':
        positions = _double_quoted_offsets(text, at + 1, value)
    elif indicator == "'":
        positions = _single_quoted_offsets(text, at + 1, value)
    else:
        positions = _unescaped_offsets(text, at, value, _INK)
    return positions if positions is not None else [at] * len(value) + [at + 1]


def _folded_length(match: re.Match[str]) -> int:
    breaks = len(_BREAK.findall(match.group()))
    return 1 if breaks == 1 else breaks - 1


def _pass_blanks(text: str, offset: int, positions: list[int], value: str) -> int | None:
    """Append the white space at an offset, folded or not; the offset after it, or None where the value has none."""
    if fold := _FOLD.match(text, offset):
        positions += [offset] * _folded_length(fold)
        return fold.end()
    # The whole run at once: searching a line end after each single blank is quadratic.
    blanks = _BLANKS.match(text, offset)
    if blanks is None or not value.startswith(blanks.group(), len(positions)):
        return None
    positions += range(offset, blanks.end())
    return blanks.end()


def _pass_literal(pattern: re.Pattern[str], text: str, offset: int, positions: list[int], value: str) -> int:
    """Append the literal characters from an offset on; their number."""
    match = pattern.match(text, offset)
    size = min(match.end() - offset, len(value) - len(positions)) if match else 0
    if size == 0 or not value.startswith(text[offset : offset + size], len(positions)):
        return 0
    positions += range(offset, offset + size)
    return size


def _single_quoted_offsets(text: str, offset: int | None, value: str) -> list[int] | None:
    positions = _unescaped_offsets(text, offset, value, _INK_SINGLE, doubled="''")
    return None if positions is None else [*positions[:-1], positions[-1] + 1]  # behind the closing quote


def _unescaped_offsets(
    text: str, offset: int | None, value: str, ink: re.Pattern[str], doubled: str | None = None
) -> list[int] | None:
    """The offsets of a scalar without escapes, and the one behind it; `doubled` stands for its half in the value."""
    positions: list[int] = []
    while offset is not None and len(positions) < len(value):
        if text[offset : offset + 1] in _WHITE:
            offset = _pass_blanks(text, offset, positions, value)
        elif length := _pass_literal(ink, text, offset, positions, value):
            offset += length
        elif offset < len(text) and text[offset] == value[len(positions)]:
            positions.append(offset)
            offset += 2 if doubled is not None and text.startswith(doubled, offset) else 1
        else:
            return None
    return [*positions, offset] if offset is not None and len(positions) == len(value) else None


def _double_quoted_offsets(text: str, offset: int | None, value: str) -> list[int] | None:
    positions: list[int] = []
    while offset is not None and len(positions) < len(value):
        if text[offset : offset + 1] in _WHITE:
            offset = _pass_blanks(text, offset, positions, value)
        elif length := _pass_literal(_INK_DOUBLE, text, offset, positions, value):
            offset += length
        elif text.startswith("\\", offset):
            line_break = _ESCAPED_BREAK.match(text, offset + 1)
            if line_break:
                extra = len(_BREAK.findall(line_break.group())) - 1
                positions += [offset] * extra
                offset = line_break.end()
            else:
                positions.append(offset)
                offset += _ESCAPE_LENGTH.get(text[offset + 1 : offset + 2], 2)
        elif offset < len(text) and text[offset] == value[len(positions)]:
            positions.append(offset)
            offset += 1
        else:
            return None
    if offset is None:
        return None
    while line_break := _JOIN.match(text, offset):
        after = _ESCAPED_BREAK.match(text, line_break.end())
        offset = after.end() if after else line_break.end()
    return [*positions, offset + 1] if len(positions) == len(value) else None


def _block_offsets(text: str, offset: int, value: str) -> list[int] | None:
    header = _HEADER.match(text, offset)
    if header is None:
        return None
    folded, offset = text[offset] == ">", header.end()
    lines = _block_lines(text, offset, _ink_count(value))
    first = next((line for line in value.split("\n") if line.strip(" ")), "")
    indent = next((len(s) - len(s.lstrip(" ")) for _, s in lines if s.strip(" ")), 0)
    # A value that begins with blanks is written deeper than the block is indented.
    indent -= len(first) - len(first.lstrip(" "))
    return _folded_offsets(lines, indent, value) if folded else _literal_offsets(lines, indent, value)


def _ink_count(text: str) -> int:
    """The number of characters that are not white space."""
    return len("".join(text.split()))


def _block_lines(text: str, offset: int, ink: int) -> list[tuple[int, str]]:
    """(offset, line without its end) from an offset on, until all characters of the scalar are covered."""
    lines: list[tuple[int, str]] = []
    while offset < len(text):
        end = _BREAK.search(text, offset)
        stop = end.start() if end else len(text)
        ink -= (line_ink := _ink_count(text[offset:stop]))
        # A block has no mark at its end: it ends where the characters of its value are used up.
        if line_ink and ink < 0:
            break
        lines.append((offset, text[offset:stop]))
        if end is None:
            break
        offset = end.end()
    return lines


def _literal_offsets(lines: list[tuple[int, str]], indent: int, value: str) -> list[int] | None:
    positions: list[int] = []
    at = 0
    for value_line, (at, line) in zip(value.split("\n"), lines, strict=False):
        start = at + min(indent, len(line))
        if line[indent:] != value_line and value_line.strip():
            return None
        positions += [start + i for i in range(len(value_line))]
        positions.append(start + len(value_line))
    positions = positions[: len(value) + 1]
    return (
        positions
        if len(positions) == len(value) + 1
        else positions + [positions[-1] if positions else at] * (len(value) + 1 - len(positions))
    )


def _folded_offsets(lines: list[tuple[int, str]], indent: int, value: str) -> list[int] | None:
    positions: list[int] = []
    end = lines[0][0] if lines else 0
    for at, line in lines:
        content = line[indent:]
        if not content.strip(" \t"):
            continue
        while len(positions) < len(value) and not value.startswith(content, len(positions)):
            if value[len(positions)] not in " \n":
                return None
            positions.append(end)
        if len(positions) >= len(value):
            break
        positions += [at + indent + i for i in range(len(content))]
        end = at + len(line)
    positions += [end] * (len(value) - len(positions))
    return [*positions[: len(value)], max(end, positions[-1] + 1 if positions else end)]
