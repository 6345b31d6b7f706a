"""A ledger or receipts that are not as they should be: each its own message, exit 3, nothing paid and nothing lost."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests import requirements
from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.commands.test_repository_names import FILM, QUAY

Start = Callable[..., Host]


def statement(text: str) -> Callable[[Path], None]:
    def change(ledger: Path) -> None:
        with closing(sqlite3.connect(ledger)) as database:
            database.executescript(text)

    return change


def damage(ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    ledger.write_bytes(content)


def replaced_by(content: bytes) -> Callable[[Path], None]:
    def change(ledger: Path) -> None:
        ledger.write_bytes(content)

    return change


def folder_in_its_place(ledger: Path) -> None:
    ledger.unlink()
    ledger.mkdir()


BY_HALF = """
DROP INDEX one_open_attempt; DROP INDEX one_attempt_a_task;
ALTER TABLE attempt DROP COLUMN scope;
"""
LEDGERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "damaged": (damage, "it is damaged: restore it from a backup"),
    "no database": (replaced_by(b"something else " * 400), "it is damaged: restore it from a backup"),
    "empty": (replaced_by(b""), "is empty: restore it from a backup"),
    "another program's": (statement("PRAGMA application_id = 7"), "is not a ledger of storyboard"),
    "newer": (statement("PRAGMA user_version = 99"), "was written by a newer version of storyboard (format 99"),
    "with a newer row": (
        statement("UPDATE attempt SET folded = json_set(folded, '$.state', 'dreaming')"),
        "a newer version of storyboard",
    ),
    "changed by half": (statement(BY_HALF), "was changed to its new form by half: put"),
    "a folder": (folder_in_its_place, "the ledger"),
}
COMMANDS = (QUAY, ("plan", FILM), ("status", FILM), ("settle",), ("settle", "quay", "--not-charged"), ("spend",))


def content(ledger: Path) -> object:
    """The attempts and their events where it is a database that can be read, else the bytes."""
    if ledger.is_dir():
        return None
    with closing(sqlite3.connect(ledger)) as database:
        try:
            return [database.execute(f"SELECT * FROM {table}").fetchall() for table in ("attempt", "event")]
        except sqlite3.DatabaseError:
            return ledger.read_bytes()


def restored(ledger: Path, good: Path) -> None:
    shutil.rmtree(ledger) if ledger.is_dir() else ledger.unlink()
    shutil.copy(good, ledger)


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_bad_ledger_is_exit_3_pays_nothing_and_stays_as_it_is(paid_film: ContentRepo, host: Start, kind: str) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    ledger, good = paid_film.state / "ledger.db", paid_film.state / "good.db"
    shutil.copy(ledger, good)
    shutil.rmtree(paid_film.root / "renders")
    change, words = LEDGERS[kind]
    change(ledger)
    before = content(ledger)
    for command in COMMANDS:
        said = paid_film.storyboard(*command, **there.env)
        assert (said.code, words in said.err, "Traceback" in said.err) == (3, True, False), (command, said)
    assert content(ledger) == before
    restored(ledger, good)
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    assert there.state["creates"] == 1


def test_a_read_only_ledger_is_read_and_pays_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    (paid_film.state / "ledger.db").chmod(0o400)
    said = {}
    for words in (("status", FILM), ("run", FILM, "--yes")):
        command = [*requirements.rights_of_a_user(), sys.executable, "-m", "runner", *words]
        said[words[0]] = subprocess.run(
            command, cwd=paid_film.root, env=paid_film.env(**there.env), capture_output=True, text=True, check=False
        )
    assert (said["status"].returncode, said["run"].returncode) == (0, 3), said
    assert "is not writable" in said["run"].stderr
    assert there.state["creates"] == 1


# -- receipts ---------------------------------------------------------------------------------------------


def receipts(film: ContentRepo) -> Path:
    [path] = (film.state / "receipts").glob("*/*.jsonl")
    return path


@pytest.mark.parametrize(
    "line", [b'{"attempt":"a0","ta', b"somebody else's line\n", b"\x00\x00\x00\x00\n", b"[]\n", b'{"account":3}\n']
)
def test_a_line_that_is_no_receipt_is_said_and_holds_up_nothing(
    paid_film: ContentRepo, host: Start, line: bytes
) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    path = receipts(paid_film)
    whole = path.read_bytes()
    path.write_bytes(line if line.endswith(b"\n") else line + b"\n")
    with path.open("ab") as file:
        file.write(whole)
    for lost in (paid_film.state / "ledger.db", paid_film.root / "renders"):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    said = paid_film.storyboard(*QUAY, **there.env)
    assert said.code == 0, said.err
    assert f"a line of the receipts cannot be read ({path}, byte 0)" in said.err
    assert there.state["creates"] == 1


def test_a_torn_last_line_is_written_behind(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    path = receipts(paid_film)
    with path.open("ab") as file:
        file.write(b'{"attempt":"a0","ta')
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(lines[number])["shot"] for number in (0, 2)] == ["quay", "boats"]
    for lost in (paid_film.state / "ledger.db", paid_film.root / "renders"):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_receipts_that_cannot_be_read_stop_a_run(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    path = receipts(paid_film)
    path.rename(path.with_suffix(".kept"))
    path.mkdir()
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (3, 1)
    assert "receipts" in said.err


def first_version(film: ContentRepo, task: str) -> None:
    """A receipt of the first version, as a run left it that died."""
    line = json.dumps({"attempt": "a-old", "task": task, "at": "2026-02-01T12:00:00.000Z"})
    (film.state / "runs").mkdir(parents=True, exist_ok=True)
    (film.state / "runs" / "dead").write_bytes(line.encode() + b"\n" + bytes(1000))


def test_a_receipt_of_the_first_version_stops_a_run_with_what_to_type(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    first_version(paid_film, "task_old")
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (3, 1)
    assert "storyboard settle STORYBOARD:SHOT --task task_old" in said.err
    assert "storyboard settle --task task_old --forget" in said.err
    listed = paid_film.storyboard("settle", **there.env)
    assert (listed.code, "task_old" in listed.out) == (6, True)


def test_a_task_of_no_shot_is_given_up_by_the_users_word(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    first_version(paid_film, "task_old")
    forget = ("settle", "--task", "task_old", "--forget")
    assert paid_film.storyboard("settle", "quay", "--task", "task_old", "--forget", **there.env).code == 2
    assert paid_film.storyboard("settle", "--forget", **there.env).code == 2
    other = paid_film.storyboard("settle", "--task", "task_other", "--forget", **there.env)
    assert (other.code, "those that do: task_old" in other.err) == (2, True)
    done = paid_film.storyboard(*forget, **there.env)
    assert (done.code, done.out) == (0, "task_old: given up; no run asks for it any more\n")
    assert paid_film.storyboard(*forget, **there.env).code == 2
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_a_receipt_of_the_first_version_is_taken_over_by_its_shot(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    [task] = [task["taskId"] for task in there.state["tasks"]]
    shutil.rmtree(paid_film.root / "renders")
    shutil.rmtree(paid_film.state)
    first_version(paid_film, task)
    assert paid_film.storyboard("run", FILM, "--yes", **there.env).code == 3
    said = paid_film.storyboard("settle", "film:quay", "--task", task, **there.env)
    assert said.code == 0, said.err
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2
