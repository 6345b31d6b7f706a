"""A parsed YAML file: plain values whose offsets in the text are kept as small integers."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple

from runner.diagnostics.problem import Place
from runner.language.yaml.scalar_offsets import offsets
from runner.lazy_dataclass import dataclass, field
from runner.lazy_pattern import lazy_pattern

Key = str | int
Path = tuple[Key, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_BREAK = lazy_pattern(r"\r\n|\n|\r")
# For files without a carriage return, nearly all: one character is found faster than a choice of three.
_LINE_FEED = lazy_pattern("\n")
_WORD = lazy_pattern(r"[^\s,\[\]{}]+")
# Possessive (`++`): otherwise a line of a thousand `&` is tried in every way to divide it.
_PROPERTIES = lazy_pattern(r"(?:[&!][^\s,\[\]{}]*+[ \t]*+)++(?=[^\s#])")
_SIMPLE_KEY = lazy_pattern(r"[\w-]+\Z")


class YamlMapping(dict[str, "Value"]):
    """A mapping of the file; `offsets` holds the offset of each key and of its value, in turn."""

    __slots__ = ("_order", "at", "merge", "offsets")

    def __init__(self, at: int) -> None:
        self.at = at
        # Four bytes for an offset, where an integer and its place in a list take 36: a file has 16 MiB at most.
        self.offsets = array("I")
        self.merge = -1
        """Offset of its `<<`, or -1."""

    def key_at(self, key: str) -> int:
        return self.offsets[2 * self.position(key)]

    def value_at(self, key: str) -> int:
        return self.offsets[2 * self.position(key) + 1]

    def position(self, key: str) -> int:
        """Index of a key in the file's order; counted at the first call."""
        # Few mappings are ever asked for a position, so the attribute is made only then.
        order: dict[str, int] = getattr(self, "_order", {})
        if len(order) != len(self):
            order = self._order = {name: index for index, name in enumerate(self)}
        return order[key]

    def remove(self, keys: Collection[str]) -> None:
        """Remove keys together with their offsets."""
        indexes = [index for index, name in enumerate(self) if name not in keys]
        self.offsets = array("I", [offset for index in indexes for offset in self.offsets[2 * index : 2 * index + 2]])
        self._order = {}
        for key in keys:
            self.pop(key, None)


class YamlSequence(list["Value"]):
    """A list of the file; `offsets` holds the offset of each item."""

    __slots__ = ("at", "offsets")

    def __init__(self, at: int) -> None:
        self.at = at
        self.offsets = array("I")


@dataclass(frozen=True)
class Source:
    """The text of one file, without its BOM, and the file's name in places."""

    name: str
    text: str
    original: "Source | None" = None
    """The file's own text, when lines of this text were rewritten so that parsing could go on after an error."""
    rewritten: frozenset[int] = frozenset()
    """Numbers of the rewritten lines; the number of lines is that of the file."""

    @cached_property
    def starts(self) -> "array[int]":
        """Offset at which each line begins, with lines as editors count them."""
        starts = array("I", (0,))
        breaks = _BREAK if "\r" in self.text else _LINE_FEED
        starts.extend(match.end() for match in breaks.finditer(self.text))
        return starts

    def line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def place(self, offset: int, width: int = 1, path: Path = ()) -> Place:
        """The place of a character; its width never goes beyond the line."""
        line, column = self.line_column(offset)
        if self.original is not None and line in self.rewritten:
            old, new = self.original.line(line), self.line(line)
            start, stop = _old_index(old, new, column - 1), _old_index(old, new, column - 1 + width)
            return Place(self.name, line, start + 1, path_text(path), max(1, stop - start))
        if width > 1:
            width = max(1, min(width, len(self.line(line)) - column + 1))
        return Place(self.name, line, column, path_text(path), max(1, width))

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


def _old_index(old: str, new: str, index: int) -> int:
    """Index in the old line of the character at an index of the new one, which is indented differently or quoted."""
    old_index, indent = (len(line) - len(line.lstrip()) for line in (old, new))
    if index < indent:
        return min(index, old_index)
    for character in new[indent:index]:
        if old_index < len(old) and old[old_index] == character:
            old_index += 1
    return old_index


@dataclass(frozen=True)
class Document:
    """One YAML file; `root` is empty when the file's value is not a mapping."""

    source: Source
    root: YamlMapping
    anchors: tuple[tuple[int, str, int], ...] = ()
    """Offset of the anchored value, its name, offset of the anchor; in file order."""
    includes: tuple["Document", ...] = field(default=(), compare=False)
    whole: bool = True
    """False when parsing ended early: a field missing from such a document is not a problem."""

    @property
    def name(self) -> str:
        return self.source.name

    def __hash__(self) -> int:
        # By identity: equal files at two places are two, and their content would be walked at each comparison.
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def get(self, path: Path) -> Value:
        """The value at a path; None for a path without one."""
        value: Value = self.root
        for key in path:
            if isinstance(value, dict) and isinstance(key, str):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    @cached_property
    def _anchored(self) -> dict[str, list[int]]:
        """Offsets of the values that each anchor name stands for, in file order."""
        offsets_by_name: dict[str, list[int]] = {}
        for at, name, _ in self.anchors:
            offsets_by_name.setdefault(name, []).append(at)
        return {name: sorted(offsets) for name, offsets in offsets_by_name.items()}

    def anchored(self, name: str, before: int) -> int | None:
        """Offset of the value that an alias `*name` at an offset means."""
        anchor_offsets = self._anchored.get(name, [])
        # YAML may set an anchor again: an alias means the last one before it.
        index = bisect_left(anchor_offsets, before)
        return anchor_offsets[index - 1] if index else None

    def walk(self, path: Path) -> Iterator[tuple[int, bool]]:
        """Offsets on the way to a value, each with True when an alias or a merge leads elsewhere from there."""
        value: Value = self.root
        for key in path:
            if isinstance(value, YamlMapping) and isinstance(key, str) and key in value:
                at = value.value_at(key)
                # A merged field stands in the file above the mapping that it is merged into.
                if value.merge >= 0 and value.key_at(key) < value.at:
                    yield value.merge, True
                value = value[key]
            elif isinstance(value, YamlSequence) and isinstance(key, int) and key < len(value):
                at = value.offsets[key]
                value = value[key]
            else:
                return
            if self.source.text.startswith("*", at):
                yield at, True
                name = _WORD.match(self.source.text, at + 1)
                at = self.anchored(name.group() if name else "", at) or at
            yield at, False


class NodeRef(NamedTuple):
    """The origin of a value: a file and a path in it. (A tuple: cheap, since every shot has one.)"""

    document: Document
    path: Path

    def __truediv__(self, key: Key) -> "NodeRef":
        return NodeRef(self.document, (*self.path, key))

    @property
    def value(self) -> Value:
        return self.document.get(self.path)

    def at(self) -> int:
        """Offset of the value; of its nearest existing parent when the value is missing."""
        last = 0
        for offset, is_detour in self.document.walk(self.path):
            if not is_detour:
                last = offset
        match = _PROPERTIES.match(self.document.source.text, last)
        return match.end() if match else last

    def place(self, index: int = 0, width: int | None = None) -> Place:
        """The place of the value; for text, the literal place of its character `index`."""
        value, at = self.value, self.at()
        source = self.document.source
        if isinstance(value, str):
            positions = offsets(source.text, at, value)
            if index or width is not None:
                start = positions[min(index, len(positions) - 1)]
                last = min(index + (width or 1), len(value)) - 1
                # An escape is several characters of the file; text after a fold is on another line.
                stop = positions[last + 1] if source.text.startswith("\\", positions[last]) else positions[last] + 1
                return source.place(start, max(1, stop - start), self.path)
            return source.place(at, positions[-1] - at, self.path)
        if isinstance(value, dict | list):
            return source.place(at, 1, self.path)
        word = _WORD.match(source.text, at)
        return source.place(at, len(word.group()) if word else 1, self.path)

    def key_place(self) -> Place:
        """The place of the key that names this value; for an item of a list, of the item itself."""
        parent = NodeRef(self.document, self.path[:-1]).value if self.path else None
        key = self.path[-1] if self.path else None
        if isinstance(parent, YamlMapping) and isinstance(key, str) and key in parent:
            at = parent.key_at(key)
            width = offsets(self.document.source.text, at, key)[-1] - at
            return self.document.source.place(at, width, self.path)
        return self.place()

    def entry_place(self) -> Place:
        """The place at which a shot's entry begins: its first key."""
        shots, index = self.document.root.get("shots"), self.path[1]
        assert isinstance(shots, YamlSequence)
        assert isinstance(index, int)
        source = self.document.source
        line, column = source.line_column(shots.offsets[index])
        return Place(source.name, line, column, f"shots[{index}]")

    def source_text(self) -> str:
        """The text of a number in the file: `1.50`."""
        word = _WORD.match(self.document.source.text, self.at())
        return word.group() if word else str(self.value)

    def alias_chain(self) -> tuple[tuple[Place, str], ...]:
        """The places of the aliases and merges that lead to the value, each with its label."""
        text = self.document.source.text
        return tuple(
            (self.document.source.place(offset), "merged here" if text.startswith("<<", offset) else "used here")
            for offset, is_detour in self.document.walk(self.path)
            if is_detour
        )


def path_text(path: Path) -> str:
    """The text form of a path: `shots[3].duration`."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _SIMPLE_KEY.match(key):
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f'["{key}"]')
    return "".join(parts)
