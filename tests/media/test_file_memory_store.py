"""The stored memory of files is a cache: whatever happens to it, files are inspected again."""

import hashlib
import json
import os
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import pytest

from runner.media import file_memory_store as store
from runner.media.file_memory import FileMemory, FileNumbers, RememberedFile
from runner.media.files import MediaFacts

NUMBERS = FileNumbers(5, 7, 4, 1, 2)
FACTS = MediaFacts("video", "mp4", "b" * 64, 4, 854, 480, Decimal("4.958"))


def memory_of(**files: RememberedFile) -> FileMemory:
    return FileMemory(lambda: 0, dict(files), has_news=True)


def loaded(path: Path) -> dict[str, RememberedFile]:
    return store.load(path)


def remembered(seen: int = 10**10) -> RememberedFile:
    return RememberedFile(NUMBERS, FACTS, seen)


def test_what_is_stored_is_read_back(tmp_path: Path) -> None:
    path = store.memory_path(tmp_path, Path("/films/ferry"))
    store.save(path, memory_of(a=remembered()))
    assert loaded(path) == {"a": remembered()}


def test_two_repositories_have_two_memories(tmp_path: Path) -> None:
    assert store.memory_path(tmp_path, Path("/films/a")) != store.memory_path(tmp_path, Path("/films/b"))


def test_entries_of_another_command_stay(tmp_path: Path) -> None:
    path = tmp_path / "files/x.json"
    store.save(path, memory_of(a=remembered()))
    store.save(path, memory_of(b=remembered()))
    assert loaded(path).keys() == {"a", "b"}


def _save_many(path: Path, name: str) -> None:
    for _ in range(50):
        store.save(path, memory_of(**{name: remembered()}))


def test_a_reader_beside_two_writers_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "files/x.json"
    store.save(path, memory_of(a=remembered()))
    context = get_context("spawn")
    writers = [context.Process(target=_save_many, args=(path, name)) for name in ("b", "c")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert store.state_of(path) == "ok"
    for writer in writers:
        writer.join()
    assert {path.name for path in path.parent.iterdir()} == {"x.json"}


def _body(files: object, version: int = 1) -> bytes:
    body = json.dumps({"version": version, "files": files}).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        _body({"a": []}),
        _body({"a": [1, 2, 3, 4, 5, 6, ["image", "png", "short", 4, 8, 8, None]]}),
        _body({"a": [1, 2, 3, 4, 5, 6, ["image", "png", "a" * 64, 4, "8", 8, None]]}),
        _body({"a": [1, 2, 3, 4, 5, 6, ["video", "mp4", "a" * 64, 4, 8, 8, "long"]]}),
        _body({}, version=2),
        _body([]),
        _body({"a": [1, 2, 3, 4, 5, 6, ["image", "png", "a" * 64, 4, 8, 8, None]]})[:-3] + b"7}}",
        b"[" * 100_000,
        b"x" * (store.MAX_BYTES + 1),
    ],
)
def test_a_damaged_foreign_or_oversized_memory_is_empty_and_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "files/x.json"
    path.parent.mkdir()
    path.write_bytes(content)
    assert loaded(path) == {}
    assert store.state_of(path) == "damaged"
    store.save(path, memory_of(a=remembered()))
    assert loaded(path) == {"a": remembered()}


def test_the_memory_is_bounded_and_the_oldest_inspections_go(tmp_path: Path) -> None:
    path = tmp_path / "files/x.json"
    store.save(path, memory_of(**{f"f{number}": remembered(number) for number in range(5)}), max_files=3)
    assert loaded(path).keys() == {"f2", "f3", "f4"}


def test_memories_of_many_repositories_are_bounded(tmp_path: Path) -> None:
    for number in range(4):
        path = tmp_path / f"files/{number}.json"
        store.save(path, memory_of(a=remembered()), max_repositories=2)
        os.utime(path, (number + 1, number + 1))
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["2.json", "3.json"]


def test_a_memory_that_cannot_be_written_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")
    memory = memory_of(a=remembered())
    store.save(tmp_path / "files/x.json", memory)
    assert memory.has_news
