"""The cache of a run with nothing to do, and every reason that makes the cache invalid."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.store.noop_cache import ledger_key, lookup, remember, stat_key

ARGUMENTS, CONTEXT, OUTPUT = ("run", "film.yaml"), ("/film", "COLUMNS=100"), "2 shots, all made.\n\nNothing to pay.\n"
LATER = time.time_ns() + 3_600_000_000_000
"""A start of the run an hour after the last change of every input."""


class Inputs:
    """A folder with one input of every kind."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.board = folder / "film.yaml"
        self.missing = folder / "prompts"
        self.marker = folder / "storyboard.toml"
        self.link = folder / "shared.yaml"
        self.output = folder / "renders"
        self.lock = folder / "lock"
        self.ledger = folder / "ledger.db"
        self.board.write_text("storyboard: 1\n")
        (folder / "one.yaml").write_text("vars: {a: 1}\n")
        (folder / "two.yaml").write_text("vars: {a: 2}\n")
        self.link.symlink_to("one.yaml")
        self.output.mkdir()
        self.lock.touch()
        with sqlite3.connect(self.ledger) as connection:
            connection.execute("CREATE TABLE attempt(id)")
        connection.close()

    def lines(self) -> Iterator[tuple[str, str, str | None]]:
        for path in (self.board, self.missing, self.link):
            yield "file", str(path), stat_key(str(path))
        yield "mark", str(self.marker), str(self.marker.exists())
        yield "lock", str(self.lock), "free"
        yield "output", str(self.output), "written"
        yield "ledger", str(self.ledger), ledger_key(str(self.ledger))

    def remember(self, started_ns: int = LATER, text: str = OUTPUT) -> None:
        remember(str(self.state), "1.0", ARGUMENTS, CONTEXT, text, started_ns, self.lines())

    def answer(
        self, version: str = "1.0", arguments: tuple[str, ...] = ARGUMENTS, context: tuple[str, ...] = CONTEXT
    ) -> str | None:
        return lookup(str(self.state), version, arguments, context)

    @property
    def entry(self) -> Path:
        (path,) = (self.state / "unchanged").iterdir()
        return path


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path)


@pytest.mark.parametrize("text", [OUTPUT, "", "\n\n", "größer \udcff\n"])
def test_the_same_command_is_told_the_same(inputs: Inputs, text: str) -> None:
    inputs.remember(text=text)
    assert inputs.answer() == text
    assert inputs.answer() == text
    assert list(inputs.output.iterdir()) == []


def test_what_was_never_remembered_is_not_answered(inputs: Inputs) -> None:
    assert inputs.answer() is None


def test_another_command_line_place_or_version_is_another_question(inputs: Inputs) -> None:
    inputs.remember()
    assert inputs.answer(version="1.1") is None
    assert inputs.answer(arguments=("run", "film.yaml", "--again", "quay")) is None
    assert inputs.answer(arguments=("run",)) is None
    assert inputs.answer(context=("/film", "COLUMNS=80")) is None
    assert inputs.answer(context=("/film",)) is None


def rewritten_with_old_times(inputs: Inputs) -> None:
    before = inputs.board.stat()
    inputs.board.write_text("storyboard: 2\n")
    os.utime(inputs.board, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(inputs: Inputs) -> None:
    temporary = inputs.board.with_suffix(".new")
    temporary.write_bytes(inputs.board.read_bytes())
    temporary.replace(inputs.board)


def relinked(inputs: Inputs) -> None:
    inputs.link.unlink()
    inputs.link.symlink_to("two.yaml")


def written_to(inputs: Inputs) -> None:
    with sqlite3.connect(inputs.ledger) as connection:
        connection.execute("INSERT INTO attempt VALUES ('a')")
    connection.close()


def put_back_from_a_copy(inputs: Inputs) -> None:
    copy = inputs.ledger.with_suffix(".copy")
    copy.write_bytes(inputs.ledger.read_bytes())
    copy.replace(inputs.ledger)


def under_a_file(inputs: Inputs) -> None:
    inputs.output.rmdir()
    inputs.output.touch()


DOUBTS: dict[str, Callable[[Inputs], object]] = {
    "a file that was edited": lambda inputs: inputs.board.write_text("storyboard: 1\ntitle: The quay\n"),
    "a file of the same length and age": rewritten_with_old_times,
    "a file that was put in the place of another": replaced,
    "a file that is gone": lambda inputs: inputs.board.unlink(),
    "a file whose rights are others": lambda inputs: inputs.board.chmod(0o640),
    "a file that was not there": lambda inputs: inputs.missing.touch(),
    "a link that leads elsewhere": relinked,
    "a nearer top of the repository": lambda inputs: inputs.marker.touch(),
    "a ledger that was written to": written_to,
    "a ledger that is another file": put_back_from_a_copy,
    "a ledger that is gone": lambda inputs: inputs.ledger.unlink(),
    "a write that was cut off": lambda inputs: Path(f"{inputs.ledger}-journal").touch(),
    "a lock that is gone": lambda inputs: inputs.lock.unlink(),
    "an output that is gone": lambda inputs: inputs.output.rmdir(),
    "an output that cannot be written": under_a_file,
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_it_is_not_believed_with(doubt: str, inputs: Inputs) -> None:
    inputs.remember()
    assert inputs.answer() == OUTPUT
    DOUBTS[doubt](inputs)
    assert inputs.answer() is None


def test_it_is_not_believed_while_another_run_holds_the_output(inputs: Inputs) -> None:
    inputs.remember()
    with inputs.lock.open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert inputs.answer() is None
    assert inputs.answer() == OUTPUT


def test_what_was_touched_just_before_the_run_is_not_remembered(inputs: Inputs) -> None:
    inputs.remember(started_ns=time.time_ns() + 1_000_000_000)
    assert inputs.answer() is None
    inputs.remember(started_ns=inputs.board.stat().st_ctime_ns + 3_000_000_000)
    assert inputs.answer() == OUTPUT


def test_what_nobody_can_know_is_not_remembered(inputs: Inputs) -> None:
    loop = inputs.board.with_name("loop.yaml")
    loop.symlink_to("loop.yaml")
    assert stat_key(str(loop)) is None
    lines = [*inputs.lines(), ("file", str(loop), stat_key(str(loop)))]
    remember(str(inputs.state), "1.0", ARGUMENTS, CONTEXT, OUTPUT, LATER, lines)
    assert inputs.answer() is None
    remember(str(inputs.state), "1.0", ARGUMENTS, CONTEXT, OUTPUT, LATER, [("file", "two\nlines", "-")])
    assert inputs.answer() is None


def test_a_ledger_that_is_none_is_known_by_nothing(inputs: Inputs) -> None:
    inputs.ledger.write_bytes(b"")
    assert ledger_key(str(inputs.ledger)) is None
    inputs.ledger.write_bytes(b"not a database, whatever it says of itself")
    assert ledger_key(str(inputs.ledger)) is None


def test_a_memory_that_is_cut_off_or_damaged_says_nothing(inputs: Inputs) -> None:
    inputs.remember()
    whole = inputs.entry.read_bytes()
    for length in range(len(whole)):
        inputs.entry.write_bytes(whole[:length])
        assert inputs.answer() is None
    inputs.entry.write_bytes(whole.replace(b"\nfile\t", b"\nfiel\t"))
    assert inputs.answer() is None
    inputs.entry.write_bytes(b"\xff" + whole)
    assert inputs.answer() is None
    inputs.entry.write_bytes(whole)
    assert inputs.answer() == OUTPUT


def test_it_is_for_the_user_alone_and_does_not_grow_for_ever(inputs: Inputs) -> None:
    inputs.remember()
    assert inputs.entry.stat().st_mode & 0o777 == 0o600
    for number in range(80):
        remember(str(inputs.state), "1.0", ("run", str(number)), CONTEXT, OUTPUT, LATER, inputs.lines())
    assert len(list((inputs.state / "unchanged").iterdir())) <= 64
    assert lookup(str(inputs.state), "1.0", ("run", "79"), CONTEXT) == OUTPUT


def test_a_state_folder_that_cannot_be_written_is_no_reason_to_fail(inputs: Inputs) -> None:
    inputs.state.write_text("a file")
    inputs.remember()
    assert inputs.answer() is None
