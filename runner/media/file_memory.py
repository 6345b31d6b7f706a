"""Memory of inspected files: as git's index, an entry stands for a file whose numbers are those of its inspection.

The numbers are device, inode, size, and the times of its content and of its entry, in nanoseconds. An entry whose
file changed shortly before it was inspected is never trusted ("racily clean" in git's documentation): a second change
within the clock's precision would leave the same times.
"""

import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from runner.lazy_dataclass import dataclass, field
from runner.media.files import MediaFacts

MARGIN = 2_000_000_000
"""Nanoseconds of the coarsest time stamps in use (FAT): a file that is younger at its inspection is inspected again."""


@dataclass(frozen=True, slots=True)
class FileNumbers:
    """The numbers of a file by which a change is noticed."""

    device: int
    inode: int
    size: int
    changed: int
    """Nanoseconds of the last change of the content (mtime); a user can set it."""
    entry_changed: int
    """Nanoseconds of the last change of anything (ctime); nobody can set it."""

    @classmethod
    def of(cls, status: os.stat_result) -> "FileNumbers":
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class RememberedFile:
    """A file as it was inspected."""

    numbers: FileNumbers
    facts: MediaFacts
    seen: int
    """The time just before it was read, in nanoseconds."""

    def stands_for(self, numbers: FileNumbers) -> bool:
        """Whether the file with these numbers is surely the inspected one."""
        is_settled = max(numbers.changed, numbers.entry_changed) + MARGIN <= self.seen
        return is_settled and numbers == self.numbers


@dataclass(slots=True)
class FileMemory:
    """The remembered files of one repository, by their path from its top."""

    now: Callable[[], int]
    """The time in nanoseconds."""
    files: dict[str, RememberedFile] = field(default_factory=dict)
    load: Callable[[], Mapping[str, RememberedFile]] | None = None
    """The stored entries, read when the first local file is met."""
    has_news: bool = False
    """Whether a file was inspected that is not stored yet."""

    def recall(self, name: str, status: os.stat_result) -> MediaFacts | None:
        """The facts of a file that did not change since its inspection; None when it has to be inspected."""
        if self.load is not None:
            load, self.load = self.load, None
            self.files.update(load())
        remembered = self.files.get(name)
        if remembered is None or not remembered.stands_for(FileNumbers.of(status)):
            return None
        return remembered.facts

    def remember(self, name: str, before: os.stat_result, after: os.stat_result, facts: MediaFacts, seen: int) -> None:
        """Keep the facts of a file that did not change while it was read; `seen` is the time before it was read."""
        numbers = FileNumbers.of(before)
        remembered = RememberedFile(numbers, facts, seen)
        if numbers == FileNumbers.of(after) and facts.bytes == numbers.size and remembered.stands_for(numbers):
            self.files[name] = remembered
            self.has_news = True


def facts_to_list(facts: MediaFacts) -> list[object]:
    """The facts as JSON values, in the order in which they are stored."""
    seconds = None if facts.seconds is None else str(facts.seconds)
    return [facts.kind, facts.format, facts.sha256, facts.bytes, facts.width, facts.height, seconds]


def facts_of_list(values: list[Any]) -> MediaFacts:
    """The reverse of `facts_to_list`. Raises ValueError for anything else."""
    kind, name, sha256, size, width, height, seconds = values
    is_fit = (
        kind in ("image", "video", "audio")
        and isinstance(name, str)
        and isinstance(sha256, str)
        and len(sha256) == 64
        and isinstance(size, int)
        and isinstance(width, int | None)
        and isinstance(height, int | None)
        and isinstance(seconds, str | None)
    )
    if not is_fit:
        raise ValueError("no facts of a file")
    return MediaFacts(kind, name, sha256, size, width, height, None if seconds is None else Decimal(seconds))
