"""What is remembered of a run with nothing to do, and every reason for which it is not believed."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.store.noop_cache import ledger_key, lookup, remember, stat_key

WORDS, AROUND, SAID = ("run", "film.yaml"), ("/film", "COLUMNS=100"), "2 shots, all made.\n\nNothing to pay.\n"
LATER = time.time_ns() + 3_600_000_000_000
"""As if the run had begun an hour after everything that it looked at was written."""


class Film:
    """A folder with one of everything that a run looks at."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.board = folder / "film.yaml"
        self.missing = folder / "prompts"
        self.mark = folder / "storyboard.toml"
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
        yield "mark", str(self.mark), str(self.mark.exists())
        yield "lock", str(self.lock), "free"
        yield "output", str(self.output), "written"
        yield "ledger", str(self.ledger), ledger_key(str(self.ledger))

    def remember(self, began_ns: int = LATER, said: str = SAID) -> None:
        remember(str(self.state), "1.0", WORDS, AROUND, said, began_ns, self.lines())

    def answer(
        self, version: str = "1.0", words: tuple[str, ...] = WORDS, around: tuple[str, ...] = AROUND
    ) -> str | None:
        return lookup(str(self.state), version, words, around)

    @property
    def kept(self) -> Path:
        (path,) = (self.state / "unchanged").iterdir()
        return path


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return Film(tmp_path)


@pytest.mark.parametrize("said", [SAID, "", "\n\n", "größer \udcff\n"])
def test_the_same_command_is_told_the_same(film: Film, said: str) -> None:
    film.remember(said=said)
    assert film.answer() == said
    assert film.answer() == said
    assert list(film.output.iterdir()) == []


def test_what_was_never_remembered_is_not_answered(film: Film) -> None:
    assert film.answer() is None


def test_another_command_line_place_or_version_is_another_question(film: Film) -> None:
    film.remember()
    assert film.answer(version="1.1") is None
    assert film.answer(words=("run", "film.yaml", "--again", "quay")) is None
    assert film.answer(words=("run",)) is None
    assert film.answer(around=("/film", "COLUMNS=80")) is None
    assert film.answer(around=("/film",)) is None


def rewritten_with_old_times(film: Film) -> None:
    before = film.board.stat()
    film.board.write_text("storyboard: 2\n")
    os.utime(film.board, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(film: Film) -> None:
    beside = film.board.with_suffix(".new")
    beside.write_bytes(film.board.read_bytes())
    beside.replace(film.board)


def relinked(film: Film) -> None:
    film.link.unlink()
    film.link.symlink_to("two.yaml")


def written_to(film: Film) -> None:
    with sqlite3.connect(film.ledger) as connection:
        connection.execute("INSERT INTO attempt VALUES ('a')")
    connection.close()


def put_back_from_a_copy(film: Film) -> None:
    copy = film.ledger.with_suffix(".copy")
    copy.write_bytes(film.ledger.read_bytes())
    copy.replace(film.ledger)


def under_a_file(film: Film) -> None:
    film.output.rmdir()
    film.output.touch()


DOUBTS: dict[str, Callable[[Film], object]] = {
    "a file that was edited": lambda film: film.board.write_text("storyboard: 1\ntitle: The quay\n"),
    "a file of the same length and age": rewritten_with_old_times,
    "a file that was put in the place of another": replaced,
    "a file that is gone": lambda film: film.board.unlink(),
    "a file whose rights are others": lambda film: film.board.chmod(0o640),
    "a file that was not there": lambda film: film.missing.touch(),
    "a link that leads elsewhere": relinked,
    "a nearer top of the repository": lambda film: film.mark.touch(),
    "a ledger that was written to": written_to,
    "a ledger that is another file": put_back_from_a_copy,
    "a ledger that is gone": lambda film: film.ledger.unlink(),
    "a write that was cut off": lambda film: Path(f"{film.ledger}-journal").touch(),
    "a lock that is gone": lambda film: film.lock.unlink(),
    "an output that is gone": lambda film: film.output.rmdir(),
    "an output that cannot be written": under_a_file,
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_it_is_not_believed_with(doubt: str, film: Film) -> None:
    film.remember()
    assert film.answer() == SAID
    DOUBTS[doubt](film)
    assert film.answer() is None


def test_it_is_not_believed_while_another_run_holds_the_output(film: Film) -> None:
    film.remember()
    with film.lock.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert film.answer() is None
    assert film.answer() == SAID


def test_what_was_touched_just_before_the_run_is_not_remembered(film: Film) -> None:
    film.remember(began_ns=time.time_ns() + 1_000_000_000)
    assert film.answer() is None
    film.remember(began_ns=film.board.stat().st_ctime_ns + 3_000_000_000)
    assert film.answer() == SAID


def test_what_nobody_can_know_is_not_remembered(film: Film) -> None:
    loop = film.board.with_name("loop.yaml")
    loop.symlink_to("loop.yaml")
    assert stat_key(str(loop)) is None
    lines = [*film.lines(), ("file", str(loop), stat_key(str(loop)))]
    remember(str(film.state), "1.0", WORDS, AROUND, SAID, LATER, lines)
    assert film.answer() is None
    remember(str(film.state), "1.0", WORDS, AROUND, SAID, LATER, [("file", "two\nlines", "-")])
    assert film.answer() is None


def test_a_ledger_that_is_none_is_known_by_nothing(film: Film) -> None:
    film.ledger.write_bytes(b"")
    assert ledger_key(str(film.ledger)) is None
    film.ledger.write_bytes(b"not a database, whatever it says of itself")
    assert ledger_key(str(film.ledger)) is None


def test_a_memory_that_is_cut_off_or_damaged_says_nothing(film: Film) -> None:
    film.remember()
    whole = film.kept.read_bytes()
    for length in range(len(whole)):
        film.kept.write_bytes(whole[:length])
        assert film.answer() is None
    film.kept.write_bytes(whole.replace(b"\nfile\t", b"\nfiel\t"))
    assert film.answer() is None
    film.kept.write_bytes(b"\xff" + whole)
    assert film.answer() is None
    film.kept.write_bytes(whole)
    assert film.answer() == SAID


def test_it_is_for_the_user_alone_and_does_not_grow_for_ever(film: Film) -> None:
    film.remember()
    assert film.kept.stat().st_mode & 0o777 == 0o600
    for number in range(80):
        remember(str(film.state), "1.0", ("run", str(number)), AROUND, SAID, LATER, film.lines())
    assert len(list((film.state / "unchanged").iterdir())) <= 64
    assert lookup(str(film.state), "1.0", ("run", "79"), AROUND) == SAID


def test_a_state_folder_that_cannot_be_written_is_no_reason_to_fail(film: Film) -> None:
    film.state.write_text("a file")
    film.remember()
    assert film.answer() is None
