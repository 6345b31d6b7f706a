"""A remembered file stands for its content only while nothing about it can have changed."""

import os
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runner.media.file_memory import MARGIN, FileMemory, FileNumbers
from runner.media.files import MediaFacts

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
FACTS = MediaFacts("image", "png", "a" * 64, 4, 8, 8)


def status(**changes: int) -> os.stat_result:
    """The numbers of a file of 4 bytes that was settled long ago, but for some."""
    numbers = {
        "st_dev": 5,
        "st_ino": 7,
        "st_size": 4,
        "st_mtime_ns": NOW - 90 * SECOND,
        "st_ctime_ns": NOW - 80 * SECOND,
    }
    numbers |= changes
    return cast(os.stat_result, SimpleNamespace(**numbers))


@pytest.fixture
def memory() -> FileMemory:
    memory = FileMemory(lambda: NOW)
    memory.remember("a.png", status(), status(), FACTS, NOW)
    return memory


def test_an_unchanged_file_is_recalled(memory: FileMemory) -> None:
    assert memory.recall("a.png", status()) == FACTS


@pytest.mark.parametrize(
    "changes",
    [
        {"st_size": 5},
        {"st_mtime_ns": NOW - 89 * SECOND},
        {"st_ctime_ns": NOW - 79 * SECOND},
        {"st_ino": 8},
        {"st_dev": 6},
    ],
    ids=["another size", "another time", "touch -d after a change", "a restored backup", "another device"],
)
def test_any_other_number_is_another_file(memory: FileMemory, changes: dict[str, int]) -> None:
    assert memory.recall("a.png", status(**changes)) is None


def test_the_same_numbers_under_another_name_are_another_file(memory: FileMemory) -> None:
    assert memory.recall("b.png", status()) is None


@pytest.mark.parametrize("field", ["st_mtime_ns", "st_ctime_ns"])
@pytest.mark.parametrize("age", [0, SECOND, MARGIN - 1, -60 * SECOND], ids=["now", "1 s", "just too young", "future"])
def test_a_file_that_changed_just_before_it_was_read_is_not_remembered(field: str, age: int) -> None:
    memory = FileMemory(lambda: NOW)
    young = status(**{field: NOW - age})
    memory.remember("a.png", young, young, FACTS, NOW)
    assert memory.recall("a.png", young) is None
    assert not memory.has_news


def test_a_file_that_changed_while_it_was_read_is_not_remembered() -> None:
    memory = FileMemory(lambda: NOW)
    memory.remember("a.png", status(), status(st_mtime_ns=NOW), FACTS, NOW)
    assert memory.recall("a.png", status()) is None


def test_facts_of_another_size_than_the_file_s_are_not_remembered() -> None:
    memory = FileMemory(lambda: NOW)
    longer = MediaFacts("audio", "mp3", "a" * 64, 5, seconds=Decimal("1.5"))
    memory.remember("a.png", status(), status(), longer, NOW)
    assert memory.recall("a.png", status()) is None


def test_the_numbers_are_those_of_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"1234")
    before = FileNumbers.of(path.stat())
    os.utime(path, ns=(before.changed, before.changed))
    after = FileNumbers.of(path.stat())
    assert (before.changed, before.size, before.inode) == (after.changed, after.size, after.inode)
    assert after.entry_changed >= before.entry_changed
