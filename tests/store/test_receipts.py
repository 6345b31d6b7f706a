"""Receipts are kept, and what the ledger does not know of them it takes in: a deleted ledger pays for nothing twice."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from runner.attempts.attempt import AttemptState
from runner.attempts.events import Created, Event, OutcomeUnknown, SendStarted, Settled
from runner.diagnostics.failures import LedgerUnusable
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger
from runner.store.receipts import FOLDER, NewLines, read_from
from tests.store.test_ledger import FREE, PAID, HandClock, intended, put


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def started(state: Path, clock: HandClock, run: str, told: list[str] | None = None) -> Ledger:
    ledger = Ledger(state, clock)
    told = [] if told is None else told
    ledger.start_run(PAID, "/here", RunLimits(run, concurrency=100), report=told.append)
    return ledger


@pytest.fixture
def paid(tmp_path: Path, clock: HandClock) -> Path:
    """A state folder with one paid task."""
    with closing(started(tmp_path, clock, "run1")) as ledger:
        put(ledger, "a1", intended(), SendStarted(), Created("task_1"))
    return tmp_path


def files(state: Path) -> list[Path]:
    return sorted((state / FOLDER).glob("*/*.jsonl"))


def test_a_receipt_says_all_that_a_ledger_has_to_know(paid: Path) -> None:
    [path] = files(paid)
    assert path.relative_to(paid).as_posix() == "receipts/kinovi@kinovi.example/2026-03.jsonl"
    line = json.loads(path.read_text())
    intent = intended()
    assert line == {
        "attempt": "a1", "task": "task_1", "at": "2026-03-01T12:00:00.000Z", "account": ["kinovi", PAID.host],
        "repository": "/here", "storyboard": intent.storyboard, "shot": "quay", "take": 1, "fingerprint": "f1",
        "quoted": "160", "run": "run1", "profile": None, "edition": "classic", "key_id": "01234567",
        "request": dict(intent.request),
    }  # fmt: skip


def test_receipts_stay_after_the_run(paid: Path, clock: HandClock) -> None:
    before = files(paid)[0].read_bytes()
    started(paid, clock, "run2").close()
    assert files(paid)[0].read_bytes() == before


def test_each_month_has_its_file_also_within_one_run(tmp_path: Path, clock: HandClock) -> None:
    with closing(started(tmp_path, clock, "run1")) as ledger:
        put(ledger, "a1", intended("f1"), SendStarted(), Created("task_1"))
        clock.passes(days=31)
        put(ledger, "a2", intended("f2"), SendStarted(), Created("task_2"))
    assert [path.stem for path in files(tmp_path)] == ["2026-03", "2026-04"]


def test_a_free_account_has_no_receipts(tmp_path: Path, clock: HandClock) -> None:
    with closing(Ledger(tmp_path, clock)) as ledger:
        ledger.start_run(FREE, "/here", RunLimits("run1", concurrency=100))
        put(ledger, "a1", intended(), SendStarted(), Created("task_1"))
    assert files(tmp_path) == []


@pytest.mark.parametrize("loss", ["deleted", "an old copy put back"])
def test_a_lost_ledger_takes_its_tasks_in_again(tmp_path: Path, clock: HandClock, loss: str) -> None:
    started(tmp_path, clock, "run0").close()
    shutil.copy(tmp_path / NAME, tmp_path / "copy.db")
    with closing(started(tmp_path, clock, "run1")) as ledger:
        put(ledger, "a1", intended(), SendStarted(), Created("task_1"))
    (tmp_path / NAME).unlink()
    if loss != "deleted":
        (tmp_path / "copy.db").rename(tmp_path / NAME)
    with closing(started(tmp_path, clock, "run2")) as ledger:
        attempt = ledger.history(PAID, "/here").attempts["a1"]
        assert (attempt.state, attempt.task_id, attempt.intent.quoted) == (
            AttemptState.RUNNING,
            "task_1",
            intended().quoted,
        )
        assert ledger.spent_last_24h(PAID) == intended().quoted
        assert isinstance(ledger.intend(Event(clock.now(), "a2", intended(run="run2")), 1), AlreadyAttempted)


def test_what_was_taken_in_once_is_not_taken_in_again(paid: Path, clock: HandClock) -> None:
    (paid / NAME).unlink()
    for number in range(2, 5):
        with closing(started(paid, clock, f"run{number}")) as ledger:
            assert list(ledger.history(PAID, "/here").attempts) == ["a1"]


def test_a_task_that_settle_took_over_is_known(paid: Path, clock: HandClock) -> None:
    (paid / NAME).unlink()
    hidden = files(paid)[0].rename(paid / "hidden")
    with closing(started(paid, clock, "run2")) as ledger:
        put(ledger, "b1", intended(run="run2"), SendStarted(), OutcomeUnknown("reset"), Settled("adopted", "task_1"))
    hidden.rename(paid / FOLDER / "kinovi@kinovi.example" / "2026-03.jsonl")
    with closing(started(paid, clock, "run3")) as ledger:
        assert list(ledger.history(PAID, "/here").attempts) == ["b1"]


def test_a_receipt_of_a_run_that_lives_is_left_to_it(tmp_path: Path, clock: HandClock) -> None:
    living = started(tmp_path, clock, "run1")
    put(living, "a1", intended(), SendStarted())
    living.write_receipt(Event(clock.now(), "a1", Created("task_1")))
    with closing(started(tmp_path, clock, "run2")) as ledger:
        assert ledger.history(PAID, "/here").attempts["a1"].state is AttemptState.INTENDED
    assert living.append(Event(clock.now(), "a1", Created("task_1"))) is None
    living.close()
    with closing(started(tmp_path, clock, "run3")) as ledger:
        assert ledger.history(PAID, "/here").attempts["a1"].task_id == "task_1"


@pytest.mark.parametrize(
    "torn", [b'{"attempt":"a0","ta', b"something else\n", b"\x00\x00\x00\n", b"[]\n", b'{"account":3}\n']
)
def test_a_line_that_is_no_receipt_hides_none_behind_it_and_is_said_once(
    tmp_path: Path, clock: HandClock, torn: bytes
) -> None:
    started(tmp_path, clock, "run0").close()
    [path] = files(tmp_path)
    path.write_bytes(torn)
    with closing(started(tmp_path, clock, "run1")) as ledger:
        put(ledger, "a1", intended(), SendStarted(), Created("task_1"))
    (tmp_path / NAME).unlink()
    told: list[str] = []
    with closing(started(tmp_path, clock, "run2", told)) as ledger:
        assert list(ledger.history(PAID, "/here").attempts) == ["a1"]
    assert [str(path) in words for words in told] == [True]
    started(tmp_path, clock, "run3", told).close()
    assert len(told) == 1


def test_receipts_that_are_a_device_stop_the_run_at_once(tmp_path: Path, clock: HandClock) -> None:
    started(tmp_path, clock, "run0").close()
    [path] = files(tmp_path)
    link = path.with_name(f"{path.stem}-copy.jsonl")
    link.symlink_to("/dev/zero")
    with pytest.raises(LedgerUnusable, match="not a file of receipts"):
        started(tmp_path, clock, "run1")


def test_a_line_of_30_megabytes_is_read_once(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "2026-11.jsonl"
    path.write_bytes(b"x" * 30_000_000 + b"\n")
    asked: list[list[str]] = []

    def are_recorded(tasks: list[str]) -> frozenset[str]:
        asked.append(tasks)
        return frozenset()

    assert read_from(path, 0, are_recorded) == NewLines([(0, None)], 30_000_001)
    assert asked == [[]]


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_receipts_of_a_lost_ledger_are_taken_in_and_then_known(paid: Path, clock: HandClock, count: int) -> None:
    [path] = files(paid)
    line = path.read_text()
    lines = [line.replace('"a1"', f'"a{number}"').replace("task_1", f"task_{number}") for number in range(count)]
    path.write_text("".join(lines))
    (paid / NAME).unlink()
    with closing(started(paid, clock, "run2")) as ledger:
        assert ledger._db.execute("SELECT COUNT(*) FROM attempt WHERE task IS NOT NULL").fetchone()[0] == count
        everything = ledger._table.all_tasks()
        assert read_from(path, 0, everything.intersection) == NewLines([], path.stat().st_size)


@pytest.mark.parametrize(
    ("line", "is_receipt"),
    [
        (b'{"attempt":"a7","ta\n', False),
        (b"somebody else's line\n", False),
        (b'{"attempt":"x1","task":"task_x","at":"2026-03-01T12:00:00.000Z","account":["kinovi","k"]}\n', True),
    ],
)
def test_of_many_lines_the_one_that_is_not_in_the_ledger_is_told(tmp_path: Path, line: bytes, is_receipt: bool) -> None:
    whole = [b'{"attempt":"a%d","task":"task_%d","at":"2026"}\n' % (number, number) for number in range(5000)]
    (path := tmp_path / "lines").write_bytes(b"".join([*whole[:3000], line, *whole[3000:]]))
    recorded = frozenset(f"task_{number}" for number in range(5000))
    new = read_from(path, 0, recorded.intersection)
    assert [(offset, receipt is not None) for offset, receipt in new.lines] == [
        (len(b"".join(whole[:3000])), is_receipt)
    ]
    assert new.end == path.stat().st_size


def test_a_line_that_is_being_written_is_left_to_the_next_comparison(tmp_path: Path) -> None:
    (path := tmp_path / "lines").write_bytes(b'{"attempt":"a1","task":"task_1","at":"2026"}\n{"attempt":"a2","ta')
    assert read_from(path, 0, frozenset({"task_1"}).intersection) == NewLines([], 45)


def test_a_receipt_older_than_ninety_days_is_not_compared(paid: Path, clock: HandClock) -> None:
    (paid / NAME).unlink()
    clock.passes(days=150)
    with closing(started(paid, clock, "run2")) as ledger:
        assert not ledger.history(PAID, "/here").attempts


def test_a_hundred_thousand_receipts_are_compared_by_what_is_new(paid: Path, clock: HandClock) -> None:
    """The first comparison marks how far it came; counted by the bytes that are read, not by the clock."""
    [path] = files(paid)
    started(paid, clock, "run2").close()
    assert read_from(path, path.stat().st_size, lambda _: frozenset()).lines == []
    with closing(started(paid, clock, "run3")) as ledger:
        row = ledger._db.execute("SELECT offset FROM compared").fetchone()
        assert row["offset"] == path.stat().st_size


# -- receipts of the first version ------------------------------------------------------------------------


def first_version(state: Path, task: str = "task_old") -> None:
    (state / "runs").mkdir(exist_ok=True)
    line = json.dumps({"attempt": "a-old", "task": task, "at": "2026-02-01T12:00:00.000Z"})
    (state / "runs" / "dead").write_bytes(line.encode() + b"\n" + bytes(1000))


def test_a_receipt_of_the_first_version_that_no_row_knows_is_told(paid: Path, clock: HandClock) -> None:
    first_version(paid)
    with closing(started(paid, clock, "run2")) as ledger:
        assert [receipt.task for receipt in ledger.unknown_receipts()] == ["task_old"]
    assert (paid / "runs" / "dead").exists()


def test_a_receipt_whose_task_is_given_up_is_told_no_more(paid: Path, clock: HandClock) -> None:
    first_version(paid)
    with closing(started(paid, clock, "run2")) as ledger:
        ledger.forget_task("task_old")
        assert ledger.unknown_receipts() == []
    started(paid, clock, "run3").close()
    assert not (paid / "runs" / "dead").exists()
