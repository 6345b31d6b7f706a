"""A file as it was read: plain values that remember where they stand, as small integers."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from runner.diagnostics.problem import Place
from runner.language.yaml.scalar_offsets import offsets
from runner.lazy_dataclass import dataclass, field

Key = str | int
Path = tuple[Key, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_BREAK = re.compile(r"\r\n|\n|\r")
_WORD = re.compile(r"[^\s,\[\]{}]+")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*+[ \t]*+)++(?=[^\s#])")
_SIMPLE_KEY = re.compile(r"[\w-]+\Z")


class YamlMapping(dict[str, "Value"]):
    """A mapping of the file; `marks` holds the offset of each key and of its value, in turn."""

    __slots__ = ("_order", "at", "merge", "offsets")

    def __init__(self, at: int) -> None:
        self.at = at
        self.offsets = array("I")
        self.merge = -1
        """Offset of its `<<`, or -1."""

    def key_at(self, key: str) -> int:
        return self.offsets[2 * self.position(key)]

    def value_at(self, key: str) -> int:
        return self.offsets[2 * self.position(key) + 1]

    def position(self, key: str) -> int:
        """How many keys stand before this one; counted when it is first asked for."""
        # Few mappings are ever asked: only then is there an attribute at all.
        order: dict[str, int] = getattr(self, "_order", {})
        if len(order) != len(self):
            order = self._order = {name: index for index, name in enumerate(self)}
        return order[key]

    def remove(self, keys: Collection[str]) -> None:
        """Takes keys out, with their marks."""
        indexes = [index for index, name in enumerate(self) if name not in keys]
        self.offsets = array("I", [offset for index in indexes for offset in self.offsets[2 * index : 2 * index + 2]])
        self._order = {}
        for key in keys:
            self.pop(key, None)


class YamlSequence(list["Value"]):
    """A list of the file; `marks` holds the offset of each item."""

    __slots__ = ("at", "offsets")

    def __init__(self, at: int) -> None:
        self.at = at
        self.offsets = array("I")


@dataclass(frozen=True)
class Source:
    """The text of one file, without its BOM, and the name that places use."""

    name: str
    text: str
    original: "Source | None" = None
    """The text of the file, when this is one in which some lines were rewritten to read on after an error."""
    rewritten: frozenset[int] = frozenset()
    """Numbers of those lines; there are as many lines as in the file."""

    @cached_property
    def starts(self) -> list[int]:
        """Offsets at which lines begin, as editors count lines."""
        if "\r" in self.text:
            return [0, *(match.end() for match in _BREAK.finditer(self.text))]
        return [0, *accumulate(len(line) + 1 for line in self.text.split("\n")[:-1])]

    def line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def place(self, offset: int, width: int = 1, path: Path = ()) -> Place:
        """The place of a character; the mark never goes beyond its line."""
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
    """Where in the old line the character stands that the new one, indented otherwise or quoted, has at an index."""
    old_index, indent = (len(line) - len(line.lstrip()) for line in (old, new))
    if index < indent:
        return min(index, old_index)
    for character in new[indent:index]:
        if old_index < len(old) and old[old_index] == character:
            old_index += 1
    return old_index


@dataclass(frozen=True)
class Document:
    """One YAML file; `root` is empty when the file holds no mapping."""

    source: Source
    root: YamlMapping
    anchors: tuple[tuple[int, str, int], ...] = ()
    """Offset of the anchored value, its name, offset of the anchor; in file order."""
    includes: tuple["Document", ...] = field(default=(), compare=False)
    whole: bool = True
    """False when the file could not be read to its end: what is missing in it says nothing."""

    @property
    def name(self) -> str:
        return self.source.name

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def get(self, path: Path) -> Value:
        """The value at a path; None where there is nothing."""
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
        """Offsets of the values that each name of an anchor was given to, in file order."""
        offsets_by_name: dict[str, list[int]] = {}
        for at, name, _ in self.anchors:
            offsets_by_name.setdefault(name, []).append(at)
        return {name: sorted(offsets) for name, offsets in offsets_by_name.items()}

    def anchored(self, name: str, before: int) -> int | None:
        """Offset of the value that `*name` means at an offset."""
        anchor_offsets = self._anchored.get(name, [])
        index = bisect_left(anchor_offsets, before)
        return anchor_offsets[index - 1] if index else None

    def walk(self, path: Path) -> Iterator[tuple[int, bool]]:
        """Offsets on the way to a value: (offset, is it a detour that was taken there: an alias or a merge)."""
        value: Value = self.root
        for key in path:
            if isinstance(value, YamlMapping) and isinstance(key, str) and key in value:
                at = value.value_at(key)
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
    """Where a value came from: a file and the path in it. (A tuple, since one is made for every shot.)"""

    document: Document
    path: Path

    def __truediv__(self, key: Key) -> "NodeRef":
        return NodeRef(self.document, (*self.path, key))

    @property
    def value(self) -> Value:
        return self.document.get(self.path)

    def at(self) -> int:
        """Offset of the value; of what holds it, where it is missing."""
        last = 0
        for offset, is_detour in self.document.walk(self.path):
            if not is_detour:
                last = offset
        match = _PROPERTIES.match(self.document.source.text, last)
        return match.end() if match else last

    def place(self, index: int = 0, width: int | None = None) -> Place:
        """Where the value stands; for text, where its character `index` stands, literally."""
        value, at = self.value, self.at()
        source = self.document.source
        if isinstance(value, str):
            positions = offsets(source.text, at, value)
            if index or width is not None:
                start = positions[min(index, len(positions) - 1)]
                last = min(index + (width or 1), len(value)) - 1
                # An escape is several characters of the file; what follows a fold is on another line.
                stop = positions[last + 1] if source.text.startswith("\\", positions[last]) else positions[last] + 1
                return source.place(start, max(1, stop - start), self.path)
            return source.place(at, positions[-1] - at, self.path)
        if isinstance(value, dict | list):
            return source.place(at, 1, self.path)
        word = _WORD.match(source.text, at)
        return source.place(at, len(word.group()) if word else 1, self.path)

    def key_place(self) -> Place:
        """Where the key stands that names this value (an item has no key: the item itself)."""
        parent = NodeRef(self.document, self.path[:-1]).value if self.path else None
        key = self.path[-1] if self.path else None
        if isinstance(parent, YamlMapping) and isinstance(key, str) and key in parent:
            at = parent.key_at(key)
            width = offsets(self.document.source.text, at, key)[-1] - at
            return self.document.source.place(at, width, self.path)
        return self.place()

    def entry_place(self) -> Place:
        """Where a shot's entry begins: its first key."""
        shots, index = self.document.root.get("shots"), self.path[1]
        assert isinstance(shots, YamlSequence)
        assert isinstance(index, int)
        source = self.document.source
        line, column = source.line_column(shots.offsets[index])
        return Place(source.name, line, column, f"shots[{index}]")

    def source_text(self) -> str:
        """A number as the file writes it: `1.50`."""
        word = _WORD.match(self.document.source.text, self.at())
        return word.group() if word else str(self.value)

    def alias_chain(self) -> tuple[tuple[Place, str], ...]:
        """The aliases and merges by which the value came to where it is used."""
        text = self.document.source.text
        return tuple(
            (self.document.source.place(offset), "merged here" if text.startswith("<<", offset) else "used here")
            for offset, is_detour in self.document.walk(self.path)
            if is_detour
        )


def path_text(path: Path) -> str:
    """A path as a person would write it: `shots[3].duration`."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _SIMPLE_KEY.match(key):
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f'["{key}"]')
    return "".join(parts)
