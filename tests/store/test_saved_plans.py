"""The saved plans of a ledger: consent by id, the sum of all their runs, and a ledger that was written before them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.events import Created, Event, SendStarted
from runner.engine.limits import PlanCeiling, RunLimits
from runner.engine.ports import LimitExceeded
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger
from runner.store.ledger.rows import SavedPlanRow
from runner.store.receipts import FOLDER
from tests.store.test_ledger import FREE, PAID, HandClock, intended

PLAN = SavedPlanRow("plan-1", "0" * 64, Decimal("250.5"))


def limits(run: str = "run1", plan: str | None = "plan-1", ceiling: int = 250) -> RunLimits:
    return RunLimits(run, saved_plan=None if plan is None else PlanCeiling(plan, Decimal(ceiling)), concurrency=9)


def started(state: Path, run_limits: RunLimits) -> Ledger:
    ledger = Ledger(state, HandClock())
    ledger.start_run(PAID, "/repo", run_limits)
    return ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(started(tmp_path, limits())) as opened:
        yield opened


def order(ledger: Ledger, fingerprint: str, plan: str | None = "plan-1", run: str = "run1") -> LimitExceeded | None:
    """Order a take of 100 credits; the refusal, if there is one."""
    intent = replace(intended(fingerprint), quoted=Decimal(100), run=run, saved_plan=plan)
    refusal = ledger.intend(Event(ledger._clock.now(), f"attempt of {fingerprint}", intent), 0)
    assert refusal is None or isinstance(refusal, LimitExceeded)
    return refusal


def accept(ledger: Ledger, fingerprint: str) -> None:
    """Let the provider accept an order."""
    for payload in (SendStarted(), Created(f"task_{fingerprint}")):
        assert ledger.append(Event(ledger._clock.now(), f"attempt of {fingerprint}", payload)) is None


def without_plans(state: Path) -> None:
    """Take a ledger back to the form that it had before there were saved plans."""
    with closing(sqlite3.connect(state / NAME)) as database:
        for statement in (
            "DROP INDEX attempt_of_plan",
            "DROP TABLE saved_plan",
            "ALTER TABLE attempt DROP COLUMN plan",
        ):
            database.execute(statement)


def test_a_plan_that_this_ledger_wrote_is_known_by_id_at_its_account(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path, HandClock())) as ledger:
        ledger.note_saved_plan(PAID, PLAN, print)
    with closing(Ledger(tmp_path, HandClock())) as ledger:
        assert ledger.saved_plan(PAID, "plan-1") == PLAN
        assert ledger.saved_plan(PAID, "plan-2") is None
        assert ledger.saved_plan(FREE, "plan-1") is None


def test_a_plans_ceiling_counts_all_its_runs_and_no_others(tmp_path: Path) -> None:
    for run, fingerprint in (("run1", "a"), ("run2", "b")):
        with closing(started(tmp_path, limits(run))) as ledger:
            assert order(ledger, fingerprint, run=run) is None
            accept(ledger, fingerprint)
    with closing(started(tmp_path, limits("run3"))) as ledger:
        assert order(ledger, "c", run="run3") == LimitExceeded("the saved plan", Decimal(250), Decimal(300))
    with closing(started(tmp_path, limits("run4", plan="plan-2"))) as ledger:
        assert order(ledger, "c", plan="plan-2", run="run4") is None
    with closing(started(tmp_path, limits("run5", plan=None))) as ledger:
        assert order(ledger, "d", plan=None, run="run5") is None


def test_an_attempt_is_read_back_with_the_plan_that_ordered_it(ledger: Ledger) -> None:
    order(ledger, "a")
    order(ledger, "b", plan=None)
    attempts = ledger.history(PAID, "/repo").attempts.values()
    assert sorted((attempt.intent.fingerprint, attempt.intent.saved_plan) for attempt in attempts) == [
        ("a", "plan-1"),
        ("b", None),
    ]


def test_a_ledger_that_was_lost_learns_the_plan_from_the_receipt(tmp_path: Path) -> None:
    with closing(started(tmp_path, limits())) as ledger:
        order(ledger, "a")
        accept(ledger, "a")
    (tmp_path / NAME).unlink()
    assert list((tmp_path / FOLDER).glob("*/*.jsonl"))
    with closing(started(tmp_path, limits("run2", ceiling=150))) as ledger:
        assert order(ledger, "b", run="run2") == LimitExceeded("the saved plan", Decimal(150), Decimal(200))


def test_a_ledger_from_before_saved_plans_is_read_as_it_is_and_grows_with_the_first_run(tmp_path: Path) -> None:
    with closing(started(tmp_path, limits(plan=None))) as ledger:
        order(ledger, "a", plan=None)
    without_plans(tmp_path)
    content = (tmp_path / NAME).read_bytes()
    with closing(Ledger(tmp_path, HandClock())) as reader:
        assert [attempt.intent.saved_plan for attempt in reader.history(PAID, "/repo").attempts.values()] == [None]
        assert reader.saved_plan(PAID, "plan-1") is None
    assert (tmp_path / NAME).read_bytes() == content
    with closing(started(tmp_path, limits("run2"))) as ledger:
        assert order(ledger, "b", run="run2") is None
        assert len(ledger.history(PAID, "/repo").attempts) == 2


def test_saving_a_plan_lets_an_older_ledger_grow(tmp_path: Path) -> None:
    started(tmp_path, limits(plan=None)).close()
    without_plans(tmp_path)
    with closing(Ledger(tmp_path, HandClock())) as ledger:
        ledger.note_saved_plan(PAID, PLAN, print)
        assert ledger.saved_plan(PAID, "plan-1") == PLAN


def test_a_reader_goes_on_while_a_run_lets_the_ledger_grow(tmp_path: Path) -> None:
    with closing(started(tmp_path, limits(plan=None))) as ledger:
        order(ledger, "a", plan=None)
    without_plans(tmp_path)
    with closing(Ledger(tmp_path, HandClock())) as reader:
        with closing(started(tmp_path, limits("run2"))) as ledger:
            order(ledger, "b", run="run2")
        plans = [attempt.intent.saved_plan for attempt in reader.history(PAID, "/repo").attempts.values()]
        assert plans == [None, "plan-1"]
