"""Ending doubt: only the right task is adopted, and a wrong word can be taken back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.events import (
    Created,
    Event,
    Intent,
    OutcomeUnknown,
    Output,
    Payload,
    PollResult,
    Running,
    SendStarted,
    ServerError,
    Succeeded,
)
from runner.attempts.history import AttemptState, History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import RunLimits
from runner.planning import settlement
from runner.store.ledger.ledger import Ledger

from .boards import PAID, film, planner
from .virtual import BEGIN, VirtualClock

MS = int(BEGIN.timestamp() * 1000)
FACTS = TaskFacts("task_1", "seedance-20", MS + 2000, None, None)
RUNS = Running("generating")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path, VirtualClock())
    opened.start_run(PAID, "repo", RunLimits("run1", concurrency=9))
    yield opened
    opened.close()


def doubt(ledger: Ledger, attempt: str = "a1", *more: Payload, mark: str = "f1") -> History:
    """An attempt whose answer was lost."""
    made = Intent(
        "film.yaml", "quay", 1, mark, {"model": "seedance-20"}, "{}", Decimal(160), "classic", "k", "r", "run1"
    )
    known = len(ledger.history(PAID, "repo").attempts_of(mark))
    assert ledger.intend(Event(BEGIN, attempt, made), known) is None
    for what in (SendStarted(), *(more or (OutcomeUnknown("reset"),))):
        ledger.append(Event(BEGIN, attempt, what))
    return ledger.history(PAID, "repo")


def adopt(ledger: Ledger, history: History, facts: TaskFacts | None = FACTS, seen: PollResult = RUNS) -> History:
    ledger.append(settlement.adopt_task(history.attempts["a1"], "task_1", seen, facts, history, BEGIN))
    return ledger.history(PAID, "repo")


def test_what_is_in_doubt_is_listed(ledger: Ledger) -> None:
    doubt(ledger, "a1")
    doubt(ledger, "a2", ServerError("500"), mark="f2")
    history = doubt(ledger, "a3", Created("task_9"), mark="f3")
    assert [attempt.id for attempt in settlement.unsettled_attempts(history)] == ["a1", "a2"]


def test_the_right_task_is_adopted_and_runs(ledger: Ledger) -> None:
    after = adopt(ledger, doubt(ledger)).attempts["a1"]
    assert (after.state, after.task_id) == (AttemptState.RUNNING, "task_1")


@pytest.mark.parametrize(
    ("facts", "seen", "why"),
    [
        (TaskFacts("task_1", "seedance2-fast", MS, None, None), RUNS, "seedance2-fast"),
        (TaskFacts("task_1", "seedance-20", MS - 61_000, None, None), RUNS, "was created at"),
        (TaskFacts("task_1", "seedance-20", MS + 601_000, None, None), RUNS, "was created at"),
        (TaskFacts("task_1", "seedance-20", None, None, None), RUNS, "does not say when"),
        (FACTS, Succeeded((Output("u"),), Decimal(320)), "billed 320"),
        (None, Running("", not_found=True), "no record"),
        (None, Running("", "HTTP 503", answered=False), "HTTP 503"),
    ],
)
def test_a_task_that_cannot_be_the_one_is_not_adopted(
    ledger: Ledger, facts: TaskFacts | None, seen: PollResult, why: str
) -> None:
    history = doubt(ledger)
    with pytest.raises(CommandError, match=why) as stopped:
        adopt(ledger, history, facts, seen)
    assert stopped.value.code == ExitCode.USAGE
    assert ledger.history(PAID, "repo").attempts["a1"].state is AttemptState.UNSETTLED


def test_a_task_of_another_attempt_is_not_adopted(ledger: Ledger) -> None:
    doubt(ledger, "a2", Created("task_1"), mark="f2")
    with pytest.raises(CommandError, match="belongs to another attempt"):
        adopt(ledger, doubt(ledger))


@pytest.mark.parametrize(("charged", "spent"), [(True, 160), (False, 0)])
def test_the_users_word_ends_doubt_and_a_new_attempt_is_allowed(ledger: Ledger, charged: bool, spent: int) -> None:
    history = doubt(ledger)
    ledger.append(settlement.settle_by_user(history.attempts["a1"], charged, BEGIN))
    assert ledger.spent_last_24h(PAID) == spent
    assert doubt(ledger, "a2").attempts["a2"].state is AttemptState.UNSETTLED


@pytest.mark.parametrize("word", ["charged", "not-charged", "adopted"])
def test_a_wrong_word_is_taken_back(ledger: Ledger, word: str) -> None:
    before = doubt(ledger)
    if word == "adopted":
        after = adopt(ledger, before)
    else:
        ledger.append(settlement.settle_by_user(before.attempts["a1"], word == "charged", BEGIN))
        after = ledger.history(PAID, "repo")
    ledger.append(settlement.undo_settlement(after.attempts["a1"], after, BEGIN))
    again = ledger.history(PAID, "repo").attempts["a1"]
    assert (again.state, again.task_id, again.credits) == (AttemptState.UNSETTLED, None, Decimal(160))


def test_a_word_is_not_taken_back_after_the_take_was_ordered_again(ledger: Ledger) -> None:
    history = doubt(ledger)
    ledger.append(settlement.settle_by_user(history.attempts["a1"], False, BEGIN))
    history = doubt(ledger, "a2")
    with pytest.raises(CommandError, match="ordered again"):
        settlement.undo_settlement(history.attempts["a1"], history, BEGIN)
    ledger.append(settlement.settle_by_user(history.attempts["a1"], True, BEGIN))  # but what it cost can be put right
    assert ledger.spent_last_24h(PAID) == 320


def test_what_is_not_in_doubt_cannot_be_settled(ledger: Ledger) -> None:
    history = doubt(ledger, "a1", Created("task_9"))
    with pytest.raises(CommandError, match="no doubt to end"):
        settlement.settle_by_user(history.attempts["a1"], True, BEGIN)
    with pytest.raises(CommandError, match="nothing to take back"):
        settlement.undo_settlement(history.attempts["a1"], history, BEGIN)


def test_a_task_that_no_ledger_knows_is_taken_on_the_users_word(ledger: Ledger) -> None:
    plan = planner(film(1))(History())
    told = settlement.attempt_for_unknown_task(
        plan, plan.steps[0], "task_1", {"model": "seedance-20"}, FACTS, BEGIN + timedelta(days=1)
    )
    assert ledger.import_attempt(told) is None
    history = ledger.history(PAID, "repo")
    assert planner(film(1))(history).steps[0].reason == "task_1 is waiting"
    (attempt,) = history.attempts.values()
    assert (attempt.state, attempt.intended_at) == (AttemptState.RUNNING, datetime.fromtimestamp(MS / 1000 + 2, UTC))
    wrong = TaskFacts("task_1", "seedance2-fast", MS, None, None)
    with pytest.raises(CommandError, match="seedance2-fast"):
        settlement.attempt_for_unknown_task(plan, plan.steps[0], "task_1", {}, wrong, BEGIN)
