"""The ledger: durability, refusals, and the messages about an unfit disk or file."""

import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import (
    Account,
    Clip,
    Created,
    Doubtful,
    Event,
    Failed,
    Intent,
    Lost,
    NotSent,
    OutcomeUnknown,
    Output,
    Payload,
    Refused,
    Running,
    SendStarted,
    ServerError,
    Settled,
    Stored,
    Succeeded,
)
from runner.diagnostics.failures import LedgerUnusable, OutputLocked
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import Budget, RunLimits
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.store import locks
from runner.store.ledger.database import release_space, reserve_space
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger
from tests.builders.histories import history_of
from tests.builders.ledgers import LedgerHome

PAID = Account("kinovi", "kinovi.example")
FREE = Account("sandbox", "sandbox", free=True)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.steady = 0.0

    def passes(self, **time: float) -> None:
        """Let time pass on both clocks; setting `wall` alone is a jump."""
        self.wall += timedelta(**time)
        self.steady += timedelta(**time).total_seconds()

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def jitter(self) -> float:
        return 0.5

    def token(self) -> str:
        return "token"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(ledgers: LedgerHome, clock: HandClock) -> Iterator[Ledger]:
    opened = ledgers.open(clock)
    opened.start_run(PAID, "repo", RunLimits("run1", concurrency=100))
    yield opened
    opened.close()


def intended(fingerprint: str = "f1", run: str = "run1", **changes: object) -> Intent:
    intent = Intent(
        "storyboards/film.yaml", "quay", 1, fingerprint, {"model": "seedance-20", "prompt": "a quay"}, '{"model":"m"}',
        Decimal(160), "classic", "01234567", "receipt", run, tags=("night",),
    )  # fmt: skip
    return replace(intent, **changes)  # type: ignore[arg-type]


def put(ledger: Ledger, attempt: str, *payloads: Payload, attempts_seen: int = 0) -> None:
    """Write an attempt with these events, the intent first."""
    now = ledger._clock.now()
    first, *rest = payloads
    assert ledger.intend(Event(now, attempt, first), attempts_seen) is None
    for payload in rest:
        assert ledger.append(Event(now, attempt, payload)) is None


TIME = "2026-03-01T12:00:00.000Z"
CLIP = Clip("renders/film/kinovi/clips/quay/take-1.mp4", "ab" * 32, 1000, 1280, 720, 4.04)
STORIES: list[tuple[Payload, ...]] = [
    (SendStarted(), Created("task_1"), Running("generating"), Succeeded((Output("https://m.example/1.mp4", 1280, 720),),
     Decimal("160.5"), 1000, 61000), Stored(CLIP, ("shape 1:1",))),
    (SendStarted(), Created("task_1"), Failed("provider", "Video generation failed", "E1", Decimal(0), 1, 2)),
    (SendStarted(), Refused(400, "too long", (("inputs.prompt", "4001"),))),
    (NotSent("nothing listens"),),
    (SendStarted(), OutcomeUnknown("not JSON", 200, (("server", "cdn"),), b"\xff\x00<html>")),
    (SendStarted(), OutcomeUnknown("reset"), Settled("adopted", "task_9")),
    (SendStarted(), OutcomeUnknown("reset"), Settled("charged"), Settled("undone")),
    (SendStarted(), ServerError("internal error")),
    (SendStarted(), Created("task_1"), Succeeded(()), Lost("deleted")),
    (SendStarted(), Created("task_1"), Succeeded(()), Doubtful(CLIP, "is damaged")),
    (SendStarted(), Created("task_1"), Succeeded(()), Doubtful(CLIP, "is damaged"), Stored(CLIP, ("accepted",))),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_what_was_appended_is_read_back_to_the_letter(ledger: Ledger, story: tuple[Payload, ...]) -> None:
    put(ledger, "a1", intended(), *story)
    assert [event.payload for event in ledger.events("a1")] == [intended(), *story]


@pytest.mark.parametrize("story", STORIES)
def test_a_row_says_what_the_fold_of_its_events_says(ledger: Ledger, story: tuple[Payload, ...]) -> None:
    put(ledger, "a1", intended(), *story)
    assert ledger.history(PAID, "repo").attempts == history_of(ledger.events("a1")).attempts


def test_every_account_and_repository_has_its_own_history(ledger: Ledger) -> None:
    put(ledger, "a1", intended())
    assert not ledger.history(PAID, "another").attempts
    assert not ledger.history(replace(PAID, host="other.example"), "repo").attempts


# -- one attempt at a time --------------------------------------------------------------------------------


def test_an_open_attempt_keeps_another_away(ledger: Ledger) -> None:
    put(ledger, "a1", intended())
    assert isinstance(ledger.intend(Event(ledger._clock.now(), "a2", intended()), 1), AlreadyAttempted)
    assert list(ledger.history(PAID, "repo").attempts) == ["a1"]


def test_an_attempt_that_the_caller_does_not_know_keeps_it_away_even_when_it_ended(ledger: Ledger) -> None:
    put(ledger, "a1", intended(), SendStarted(), Created("t"), Succeeded((Output("u"),)), Stored(CLIP))
    assert isinstance(ledger.intend(Event(ledger._clock.now(), "a2", intended()), 0), AlreadyAttempted)


def test_the_index_itself_refuses_a_second_open_attempt(ledger: Ledger, tmp_path: Path) -> None:
    put(ledger, "a1", intended())
    with (
        closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as database,
        pytest.raises(sqlite3.IntegrityError),
    ):
        database.execute(
            "INSERT INTO attempt SELECT 99, 'a2', account, repository, storyboard, shot, take, fingerprint, run, at,"
            " sent, intended, state, open, NULL, costs, folded, scope, migrated, plan FROM attempt"
        )
    database.close()


def test_a_task_id_belongs_to_one_attempt(ledger: Ledger) -> None:
    put(ledger, "a1", intended("f1"), SendStarted(), Created("task_1"))
    put(ledger, "a2", intended("f2"), SendStarted())
    assert isinstance(ledger.append(Event(ledger._clock.now(), "a2", Created("task_1"))), AlreadyAttempted)
    assert ledger.history(PAID, "repo").attempts["a2"].state is AttemptState.INTENDED


# -- ceilings and cap -------------------------------------------------------------------------------------


def over(ledger: Ledger, limits: RunLimits, attempt: str = "new") -> object:
    ledger.set_budget_scope(limits)
    return ledger.intend(Event(ledger._clock.now(), attempt, intended(attempt)), 0)


@pytest.mark.parametrize(
    ("story", "spent"),
    [
        ((), 160),
        ((SendStarted(), Created("t")), 160),
        ((SendStarted(), OutcomeUnknown("reset")), 160),
        ((SendStarted(), ServerError("500")), 160),
        ((SendStarted(), Created("t"), Succeeded((), Decimal("163.2"))), Decimal("163.2")),
        ((SendStarted(), Created("t"), Succeeded((), Decimal(100))), 160),
        ((SendStarted(), Created("t"), Failed("provider", "failed", credits_used=Decimal(160))), 0),
        ((SendStarted(), Refused(400, "no")), 0),
        ((NotSent("no"),), 0),
        ((SendStarted(), OutcomeUnknown("reset"), Settled("not-charged")), 0),
        ((SendStarted(), OutcomeUnknown("reset"), Settled("charged")), 160),
    ],
)
def test_what_may_have_been_spent_counts_the_quote_or_the_bill(
    ledger: Ledger, story: tuple[Payload, ...], spent: Decimal
) -> None:
    put(ledger, "a1", intended(), *story)
    assert ledger.spent_last_24h(PAID) == spent
    exact = RunLimits("run1", concurrency=9, max_credits=Decimal(spent) + 160)
    tight = replace(exact, max_credits=Decimal(spent) + Decimal("159.999999"))
    assert isinstance(over(ledger, tight), LimitExceeded)
    assert over(ledger, exact) is None


def test_a_budget_counts_its_storyboards_current_takes_over_all_runs(ledger: Ledger) -> None:
    put(ledger, "a1", intended("old", run="run0"), SendStarted(), Created("t1"), Succeeded((), Decimal(160)))
    put(ledger, "a2", intended("now", run="run0"), SendStarted(), Created("t2"), Succeeded((), Decimal(160)))
    put(ledger, "a3", intended("now2", run="run0", storyboard="storyboards/other.yaml"), SendStarted(), Created("t3"))
    board = "storyboards/film.yaml"

    def bound(credits: int) -> RunLimits:
        return RunLimits(
            "run1", concurrency=9, budgets={board: Budget(Decimal(credits), frozenset({"now", "now2"}), Decimal(40))}
        )

    assert over(ledger, bound(359)) == LimitExceeded("budget", Decimal(359), Decimal(360))
    assert over(ledger, bound(360)) is None


def test_a_day_is_24_hours(ledger: Ledger, clock: HandClock) -> None:
    put(ledger, "a1", intended(), SendStarted(), Created("t1"), Succeeded((), Decimal(160)))
    clock.passes(hours=23, minutes=59)
    assert isinstance(over(ledger, RunLimits("run1", credits_per_day=Decimal(319))), LimitExceeded)
    clock.passes(minutes=2)
    assert over(ledger, RunLimits("run1", credits_per_day=Decimal(319))) is None


@pytest.mark.parametrize(
    "jump", [timedelta(hours=25), timedelta(days=3650), timedelta(hours=-25), timedelta(days=-20000)]
)
def test_a_clock_that_jumps_begins_no_new_day(ledger: Ledger, clock: HandClock, jump: timedelta) -> None:
    put(ledger, "a1", intended(), SendStarted(), Created("t1"), Succeeded((), Decimal(160)))
    clock.wall += jump
    assert isinstance(over(ledger, RunLimits("run1", credits_per_day=Decimal(319))), LimitExceeded)
    clock.passes(hours=25)
    assert (over(ledger, RunLimits("run1", credits_per_day=Decimal(319))) is None) == (jump > timedelta())


def test_a_run_whose_clock_stands_before_the_last_row_counts_its_day_too(ledgers: LedgerHome, clock: HandClock) -> None:
    before = ledgers.open(clock)
    before.start_run(PAID, "repo", RunLimits("run1"))
    put(before, "a1", intended(), SendStarted(), Created("t1"), Succeeded((), Decimal(160)))
    before.close()
    clock.wall -= timedelta(days=400)
    after = ledgers.open(clock)
    after.start_run(PAID, "repo", RunLimits("run2"))
    assert after.spent_last_24h(PAID) == 160
    assert isinstance(over(after, RunLimits("run2", credits_per_day=Decimal(319))), LimitExceeded)
    after.close()


def test_play_money_meets_no_ceiling(ledgers: LedgerHome, clock: HandClock) -> None:
    ledger = ledgers.open(clock)
    ledger.start_run(FREE, "repo", RunLimits("run1", max_credits=Decimal(0), credits_per_day=Decimal(0)))
    assert ledger.intend(Event(clock.now(), "a1", intended()), 0) is None
    ledger.close()


def two_runs(ledgers: LedgerHome, clock: HandClock, cap: int) -> tuple[Ledger, Ledger]:
    first, second = ledgers.open(clock), ledgers.open(clock)
    first.start_run(PAID, "repo", RunLimits("run1", concurrency=cap))
    second.start_run(PAID, "other", RunLimits("run2", concurrency=cap))
    return first, second


def test_the_cap_holds_over_all_runs_of_the_machine(ledgers: LedgerHome, clock: HandClock) -> None:
    first, second = two_runs(ledgers, clock, cap=2)
    put(first, "a1", intended("f1"), SendStarted(), Created("t1"))
    put(second, "b1", intended("f9", run="run2"), SendStarted(), Created("t2"))
    assert first.intend(Event(clock.now(), "a2", intended("f2")), 0) == ConcurrencyFull(2, 2)
    second.append(Event(clock.now(), "b1", Succeeded(())))
    assert first.intend(Event(clock.now(), "a2", intended("f2")), 0) is None
    first.close()
    second.close()


def test_a_run_takes_its_part_only_while_another_waits(ledgers: LedgerHome, clock: HandClock) -> None:
    first, second = two_runs(ledgers, clock, cap=4)
    for number in range(4):
        put(first, f"a{number}", intended(f"f{number}"), SendStarted(), Created(f"t{number}"))
    assert second.intend(Event(clock.now(), "b1", intended("g", run="run2")), 0) == ConcurrencyFull(4, 4)
    first.append(Event(clock.now(), "a0", Succeeded(())))
    first.append(Event(clock.now(), "a1", Succeeded(())))
    assert first.intend(Event(clock.now(), "a5", intended("f5")), 0) == ConcurrencyFull(2, 4)  # two are its part
    assert second.intend(Event(clock.now(), "b1", intended("g", run="run2")), 0) is None
    clock.wall += timedelta(seconds=11)
    first.append(Event(clock.now(), "a2", Succeeded(())))
    assert first.intend(Event(clock.now(), "a5", intended("f5")), 0) is None
    first.close()
    second.close()


def test_doubt_holds_a_slot_for_as_long_as_a_task_can_live(ledger: Ledger, clock: HandClock) -> None:
    put(ledger, "a1", intended(), SendStarted(), OutcomeUnknown("reset"))
    alone = RunLimits("run1", concurrency=1, task_life=900)
    assert isinstance(over(ledger, alone), ConcurrencyFull)
    clock.wall += timedelta(seconds=901)
    assert over(ledger, alone) is None


# -- crashes ----------------------------------------------------------------------------------------------


def killed(tmp_path: Path, body: str) -> None:
    """Run a process that prepares a ledger and is then killed."""
    program = (
        textwrap.dedent(
            """
        import os, signal, sys
        from pathlib import Path
        from tests.store.test_ledger import *
        ledger = Ledger(Path(sys.argv[1]), HandClock())
        ledger.start_run(PAID, "repo", RunLimits("dead", concurrency=100))
        """
        )
        + textwrap.dedent(body)
        + "\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, timeout=60)
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ('put(ledger, "a1", intended(run="dead"))', AttemptState.NOT_CREATED),
        ('put(ledger, "a1", intended(run="dead"), SendStarted())', AttemptState.UNSETTLED),
        ('put(ledger, "a1", intended(run="dead"), SendStarted())\n'
         'ledger.write_receipt(Event(HandClock().now(), "a1", Created("task_7")))', AttemptState.RUNNING),
        ('put(ledger, "a1", intended(run="dead"), SendStarted(), Created("task_7"))', AttemptState.RUNNING),
    ],
)  # fmt: skip
def test_a_killed_run_is_read_back(tmp_path: Path, clock: HandClock, body: str, state: AttemptState) -> None:
    killed(tmp_path, body)
    ledger = Ledger(tmp_path, clock)
    looked = ledger.history(PAID, "repo").attempts["a1"]
    ledger.start_run(PAID, "repo", RunLimits("run2"))
    assert (looked.state, ledger.history(PAID, "repo").attempts["a1"].state) == (state, state)
    assert history_of(ledger.events("a1")).attempts["a1"].state is state
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run2"]
    ledger.close()


def test_an_attempt_of_a_living_run_is_left_alone(ledger: Ledger, ledgers: LedgerHome, clock: HandClock) -> None:
    put(ledger, "a1", intended())
    other = ledgers.open(clock)
    other.start_run(PAID, "repo", RunLimits("run2"))
    assert other.history(PAID, "repo").attempts["a1"].state is AttemptState.INTENDED
    assert other.history(PAID, "repo").open()
    other.close()


def test_at_a_free_account_nothing_stays_in_doubt(ledgers: LedgerHome, clock: HandClock) -> None:
    ledger = ledgers.open(clock)
    ledger.start_run(FREE, "repo", RunLimits("run1"))
    put(ledger, "a1", intended(), SendStarted(), OutcomeUnknown("reset"))
    ledger.close()
    ledger = ledgers.open(clock)
    assert ledger.history(FREE, "repo").attempts["a1"].state is AttemptState.ABANDONED
    ledger.start_run(FREE, "repo", RunLimits("run2"))
    assert ledger.intend(Event(clock.now(), "a2", intended(run="run2")), 1) is None
    ledger.close()


def test_of_many_processes_at_once_one_orders_a_take(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.store.test_ledger import *
        name = sys.argv[2]
        ledger = Ledger(Path(sys.argv[1]), HandClock())
        ledger.start_run(PAID, "repo", RunLimits(name, concurrency=1000))
        sys.stdin.readline()
        won = [
            ledger.intend(Event(HandClock().now(), f"{name}-{number}", intended(f"f{number}", run=name)), 0) is None
            for number in range(40)
        ]
        print(sum(won))
        """
    )
    root = Path(__file__).parents[2]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), f"run{number}"],
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [int(racer.communicate(timeout=60)[0]) for racer in racers]
    assert sum(won) == 40, won


def test_what_killed_beginners_left_is_taken_away_later(tmp_path: Path, clock: HandClock) -> None:
    old, new = tmp_path / "new-run-old", tmp_path / "new-ledger-new.db"
    for path in (old, new):
        path.touch()
    os.utime(old, (1, 1))
    ledger = Ledger(tmp_path, clock)
    ledger.start_run(PAID, "repo", RunLimits("run1"))
    ledger.close()
    assert (old.exists(), new.exists()) == (False, True)


# -- the file ---------------------------------------------------------------------------------------------


def unfit(tmp_path: Path, clock: HandClock) -> str:
    with pytest.raises(LedgerUnusable) as stopped:
        Ledger(tmp_path, clock)
    assert exit_code_of(stopped.value) == ExitCode.INVALID
    return stopped.value.message


def test_an_empty_file_is_not_taken_for_a_ledger_without_rows(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / NAME).touch()
    assert "is empty" in unfit(tmp_path, clock)
    assert (tmp_path / NAME).stat().st_size == 0


def test_what_is_no_database_is_left_as_it_is(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / NAME).write_bytes(b"not a database, but long enough to be looked at " * 40)
    assert "damaged" in unfit(tmp_path, clock)


def test_another_programs_database_is_not_a_ledger(tmp_path: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as database:
        database.execute("CREATE TABLE other(x)")
    database.close()
    assert "not a ledger" in unfit(tmp_path, clock)


def test_a_newer_ledger_asks_for_the_newer_version(ledger: Ledger, tmp_path: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 3")
    database.close()
    assert "newer version" in unfit(tmp_path, clock)


def test_folder_and_files_are_private(tmp_path: Path, clock: HandClock) -> None:
    state = tmp_path / "state" / "storyboard"
    ledger = Ledger(state, clock)
    ledger.start_run(PAID, "repo", RunLimits("run1"))
    put(ledger, "a1", intended())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.rglob("*"))}
    ledger.close()
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_a_commit_is_synced_as_strictly_as_sqlite_can(ledger: Ledger) -> None:
    assert ledger._db.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA
    assert ledger._db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


@pytest.mark.parametrize("loss", ["unlink", "rename", "replace"])
def test_a_ledger_that_is_gone_is_missed(ledger: Ledger, tmp_path: Path, loss: str) -> None:
    ledger.check_not_moved()
    path = tmp_path / NAME
    if loss == "replace":
        shutil.copy(path, tmp_path / "copy.db")
        (tmp_path / "copy.db").replace(path)
    elif loss == "rename":
        path.rename(tmp_path / "away.db")
    else:
        path.unlink()
    with pytest.raises(LedgerUnusable, match=r"moved, deleted or replaced") as stopped:
        ledger.check_not_moved()
    assert exit_code_of(stopped.value) == ExitCode.INVALID


def test_a_state_folder_that_may_not_be_written_is_said(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnusable, match="cannot open a ledger") as stopped:
        Ledger(tmp_path / "file" / "state", clock)
    assert exit_code_of(stopped.value) == ExitCode.INVALID


def test_a_full_disk_is_met_by_the_reserve_and_then_said(tmp_path: Path) -> None:
    """A process with a limit of 128 KiB for files: the intent fails with a message, and no row is half written."""
    program = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from tests.store.test_ledger import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        ledger = Ledger(Path(sys.argv[1]), HandClock())
        ledger.start_run(PAID, "repo", RunLimits("run1", concurrency=10000))
        resource.setrlimit(resource.RLIMIT_FSIZE, (131072, 131072))
        count = 0
        try:
            for count in range(1000):
                put(ledger, f"a{count}", intended(f"f{count}", body="x" * 1000), SendStarted(), Created(f"t{count}"))
        except LedgerUnusable as stop:
            print(int(exit_code_of(stop)), count, stop.message)
        """
    )
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=60
    )
    code, count, message = result.stdout.split(maxsplit=2)
    assert (int(code), "the ledger" in message) == (ExitCode.INVALID, True), result.stderr
    database = sqlite3.connect(tmp_path / NAME)
    rows = database.execute("SELECT COUNT(*) FROM attempt").fetchone()[0]
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    database.close()
    assert rows in (int(count), int(count) + 1)


def test_a_full_disk_gets_the_very_room_that_was_reserved(tmp_path: Path) -> None:
    reserve_space(tmp_path)
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"reserve": 1024 * 1024}
    release_space(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_the_reserve_means_that_nothing_is_begun(tmp_path: Path, clock: HandClock) -> None:
    ledger = Ledger(tmp_path, clock)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(LedgerUnusable, match="no space"):
            ledger.start_run(PAID, "repo", RunLimits("run1"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
        ledger.close()


def test_a_task_id_that_could_not_be_written_is_said(ledger: Ledger) -> None:
    put(ledger, "a1", intended(), SendStarted())
    receipts = ledger._receipts
    assert receipts is not None
    assert receipts._file is not None
    spare = os.dup(receipts._file)
    os.close(receipts._file)
    try:
        with pytest.raises(LedgerUnusable, match="task_55"):
            ledger.append(Event(ledger._clock.now(), "a1", Created("task_55")))
    finally:
        os.dup2(spare, receipts._file)
        os.close(spare)
    assert ledger.history(PAID, "repo").attempts["a1"].task_id == "task_55"  # the row was written all the same


def test_a_receipt_is_written_before_its_row(ledger: Ledger, tmp_path: Path, clock: HandClock) -> None:
    put(ledger, "a1", intended(), SendStarted())
    database = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    database.execute("CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no rows today'); END")
    with pytest.raises(LedgerUnusable, match="task_55 was created") as stopped:
        ledger.append(Event(clock.now(), "a1", Created("task_55")))
    assert exit_code_of(stopped.value) == ExitCode.INVALID
    database.execute("DROP TRIGGER broken")
    database.close()
    ledger.close()
    other = Ledger(tmp_path, clock)
    assert other.history(PAID, "repo").attempts["a1"].task_id == "task_55"
    other.close()


def test_an_attempt_that_opens_late_does_not_stand_beside_another_open_one(ledger: Ledger, clock: HandClock) -> None:
    put(ledger, "a1", intended(), SendStarted(), OutcomeUnknown("reset"), Settled("not-charged"))
    put(ledger, "a2", intended(), SendStarted(), attempts_seen=1)
    assert isinstance(ledger.append(Event(clock.now(), "a1", Created("late"))), AlreadyAttempted)


# -- manifests ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.STORED])
def test_an_attempt_from_a_manifest_becomes_a_row_that_folds_to_itself(
    ledger: Ledger, clock: HandClock, state: AttemptState
) -> None:
    outputs = (Output("https://m.example/1.mp4"),) if state is not AttemptState.RUNNING else ()
    attempt = Attempt(
        "m1", intended(run=""), state, clock.now(), sent_at=clock.now(), task_id="task_m", accepted_at=clock.now(),
        status="waiting" if state is AttemptState.RUNNING else "", outputs=outputs, from_manifest=True,
        clip=CLIP if state is AttemptState.STORED else None, credits_used=Decimal(160) if outputs else None,
        ended_at=clock.now() if outputs else None,
    )  # fmt: skip
    ledger.import_attempt(attempt)
    ledger.import_attempt(attempt)
    row = ledger.history(PAID, "repo").attempts["m1"]
    assert (row.state, row.task_id, row.clip, row.from_manifest) == (state, "task_m", attempt.clip, False)
    assert history_of(ledger.events("m1")).attempts["m1"].state is state


# -- locks ------------------------------------------------------------------------------------------------


def test_an_output_is_held_by_one_run(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("one", "two", "three"))
    with locks.lock_outputs(tmp_path, [second, first]):
        with pytest.raises(OutputLocked) as stopped, locks.lock_outputs(tmp_path, [third, first]):
            pass
        assert exit_code_of(stopped.value) == ExitCode.LOCKED
        with locks.lock_outputs(tmp_path, [third]):
            pass
    with locks.lock_outputs(tmp_path, [first, second, third]):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from runner.store import locks\n"
        "with locks.lock_outputs(Path(sys.argv[1]), [Path('out')]): os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, timeout=60, check=False)
    assert result.returncode == -signal.SIGKILL
    with locks.lock_outputs(tmp_path, [root / "out"]):
        pass


def test_a_run_lives_while_its_process_has_its_file(ledger: Ledger, tmp_path: Path) -> None:
    assert locks.run_is_alive(tmp_path, "run1")
    assert not locks.run_is_alive(tmp_path, "another")
    assert not locks.run_is_alive(tmp_path, "")
    assert locks.dead_runs(tmp_path) == []
