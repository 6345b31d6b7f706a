"""A disk that loses its power: what was synced stays, and of the rest nothing, or what chance leaves.

`power.c` keeps a copy of everything that a process syncs. The bytes of a file stay as they were when it was last
synced; a name that was made, moved or taken away stays so when its folder was synced since.
"""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


class _Target(NamedTuple):
    """The inode behind a name in a folder."""

    inode: int
    kind: str
    """d for a folder, f for a file."""


_Names = dict[str, _Target]


@dataclass(slots=True)
class Disk:
    """The durable state of a folder; created while no process writes there."""

    folder: Path
    synced: Path = field(init=False)
    """A copy for each inode, named by its number; `CUT_DISK` for power.c."""

    def __post_init__(self) -> None:
        self.synced = self.folder.with_name(f".disk-{self.folder.name}")
        self.synced.mkdir()
        for path in [self.folder, *self.folder.rglob("*")]:
            content = _encode_names(_names(path)) if path.is_dir() else path.read_bytes()
            (self.synced / str(path.stat().st_ino)).write_bytes(content)

    def lose_power(self, chance: random.Random | None = None) -> None:
        """Reduce the folder to its durable state, plus, with `chance`, some of the unsynced changes."""
        before = {int(path.name): path.read_bytes() for path in self.synced.iterdir() if path.name.isdigit()}
        remains = _Remains(before, chance)
        remains.observe(self.folder)
        tree = list(remains.tree(self.folder.stat().st_ino, self.folder))
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, content in tree:
            if content is None:
                path.mkdir(mode=0o700)
            else:
                path.write_bytes(content)
                path.chmod(0o600)
        shutil.rmtree(self.synced)


@dataclass(slots=True)
class _Remains:
    """The content of the disk when the power is back."""

    synced: dict[int, bytes]
    chance: random.Random | None
    written: dict[int, bytes] = field(default_factory=dict)
    """The file contents that the processes saw last."""
    names: dict[int, _Names] = field(default_factory=dict)
    """The remaining names of every folder."""

    def observe(self, folder: Path) -> None:
        """Read the state that the processes saw last, and choose by chance the changed names that reached the disk."""
        current: dict[int, _Names] = {}
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir():
                current[path.stat().st_ino] = _names(path)
            else:
                self.written[path.stat().st_ino] = path.read_bytes()
        self.names = {inode: _decode_names(self.synced.get(inode, b"")) for inode in current}
        if self.chance is not None:
            for change in _changes(self.names, current):
                if self.chance.random() < 0.5:
                    for inode, name in change:
                        self.names[inode].pop(name, None)
                        if name in current[inode]:
                            self.names[inode][name] = current[inode][name]

    def tree(self, inode: int, path: Path) -> Iterator[tuple[Path, bytes | None]]:
        """Every path below a folder with a file's bytes, or None for a folder."""
        for name, (child, kind) in sorted(self.names.get(inode, {}).items()):
            if kind == "d":
                yield path / name, None
                yield from self.tree(child, path / name)
            else:
                yield path / name, self._bytes(child)

    def _bytes(self, inode: int) -> bytes:
        synced = self.synced.get(inode, b"")
        written = self.written.get(inode, synced)
        if self.chance is None or synced == written:
            return synced
        size = self.chance.choice((len(synced), len(written)))
        share = self.chance.choice((0.1, 0.5, 0.9))
        old, new = synced.ljust(size, b"\0"), written.ljust(size, b"\0")
        sectors = (
            (new if self.chance.random() < share else old)[place : place + _SECTOR] for place in range(0, size, _SECTOR)
        )
        return b"".join(sectors)[:size]


def _names(folder: Path) -> _Names:
    return {
        entry.name: _Target(entry.inode(), "d" if entry.is_dir(follow_symlinks=False) else "f")
        for entry in os.scandir(folder)
    }


def _encode_names(names: _Names) -> bytes:
    return "".join(f"{inode} {kind} {name}\n" for name, (inode, kind) in names.items()).encode()


def _decode_names(text: bytes) -> _Names:
    lines = (line.split(" ", 2) for line in text.decode().splitlines())
    return {name: _Target(int(inode), kind) for inode, kind, name in lines if name not in (".", "..")}


def _changes(before: dict[int, _Names], after: dict[int, _Names]) -> list[list[tuple[int, str]]]:
    """Names that changed, as (folder, name); those of one inode, as in a rename, reach the disk together or not."""
    groups: list[tuple[set[int], list[tuple[int, str]]]] = []
    for inode, names in sorted(after.items()):
        for name in sorted(before[inode].keys() | names.keys()):
            old, new = before[inode].get(name), names.get(name)
            if old == new:
                continue
            about, change = {target.inode for target in (old, new) if target}, [(inode, name)]
            for group in [group for group in groups if group[0] & about]:
                groups.remove(group)
                about, change = about | group[0], group[1] + change
            groups.append((about, change))
    return [change for _, change in groups]
