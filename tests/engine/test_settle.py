"""Settlement: only the right task is adopted, and a wrong settlement can be undone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.attempt import AttemptState
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
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.failures import SettlementError
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.planning import settlement
from runner.store.ledger.ledger import Ledger
from tests.builders.engine_batches import PAID, film, planner
from tests.builders.ledgers import LedgerHome

from .virtual import BEGIN, VirtualClock

MS = int(BEGIN.timestamp() * 1000)
FACTS = TaskFacts("task_1", "seedance-20", MS + 2000, None, None)
RUNS = Running("generating")


@pytest.fixture
def ledger(ledgers: LedgerHome) -> Iterator[Ledger]:
    opened = ledgers.open(VirtualClock())
    opened.start_run(PAID, "repo", RunLimits("run1", concurrency=9))
    yield opened
    opened.close()


def unsettled(ledger: Ledger, attempt: str = "a1", *payloads: Payload, fingerprint: str = "f1") -> History:
    """An attempt whose answer was lost."""
    intent = Intent(
        "film.yaml", "quay", 1, fingerprint, {"model": "seedance-20"}, "{}", Decimal(160), "classic", "k", "r", "run1"
    )
    expected_attempts = len(ledger.history(PAID, "repo").attempts_of(fingerprint))
    assert ledger.intend(Event(BEGIN, attempt, intent), expected_attempts) is None
    for payload in (SendStarted(), *(payloads or (OutcomeUnknown("reset"),))):
        ledger.append(Event(BEGIN, attempt, payload))
    return ledger.history(PAID, "repo")


def adopt(ledger: Ledger, history: History, facts: TaskFacts | None = FACTS, answer: PollResult = RUNS) -> History:
    ledger.append(Event(BEGIN, "a1", settlement.adopt_task(history.attempts["a1"], "task_1", answer, facts, history)))
    return ledger.history(PAID, "repo")


def test_unsettled_attempts_are_listed(ledger: Ledger) -> None:
    unsettled(ledger, "a1")
    unsettled(ledger, "a2", ServerError("500"), fingerprint="f2")
    history = unsettled(ledger, "a3", Created("task_9"), fingerprint="f3")
    assert [attempt.id for attempt in settlement.unsettled_attempts(history)] == ["a1", "a2"]


def test_the_right_task_is_adopted_and_runs(ledger: Ledger) -> None:
    after = adopt(ledger, unsettled(ledger)).attempts["a1"]
    assert (after.state, after.task_id) == (AttemptState.RUNNING, "task_1")


@pytest.mark.parametrize(
    ("facts", "answer", "message"),
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
    ledger: Ledger, facts: TaskFacts | None, answer: PollResult, message: str
) -> None:
    history = unsettled(ledger)
    with pytest.raises(SettlementError, match=message) as stopped:
        adopt(ledger, history, facts, answer)
    assert exit_code_of(stopped.value) == ExitCode.USAGE
    assert ledger.history(PAID, "repo").attempts["a1"].state is AttemptState.UNSETTLED


def test_a_task_of_another_attempt_is_not_adopted(ledger: Ledger) -> None:
    unsettled(ledger, "a2", Created("task_1"), fingerprint="f2")
    with pytest.raises(SettlementError, match="belongs to another attempt"):
        adopt(ledger, unsettled(ledger))


@pytest.mark.parametrize(("charged", "spent"), [(True, 160), (False, 0)])
def test_the_users_settlement_allows_a_new_attempt(ledger: Ledger, charged: bool, spent: int) -> None:
    history = unsettled(ledger)
    ledger.append(Event(BEGIN, "a1", settlement.settle_by_user(history.attempts["a1"], charged)))
    assert ledger.spent_last_24h(PAID) == spent
    assert unsettled(ledger, "a2").attempts["a2"].state is AttemptState.UNSETTLED


@pytest.mark.parametrize("word", ["charged", "not-charged", "adopted"])
def test_a_wrong_settlement_is_undone(ledger: Ledger, word: str) -> None:
    before = unsettled(ledger)
    if word == "adopted":
        after = adopt(ledger, before)
    else:
        ledger.append(Event(BEGIN, "a1", settlement.settle_by_user(before.attempts["a1"], word == "charged")))
        after = ledger.history(PAID, "repo")
    ledger.append(Event(BEGIN, "a1", settlement.undo_settlement(after.attempts["a1"], after)))
    restored = ledger.history(PAID, "repo").attempts["a1"]
    assert (restored.state, restored.task_id, restored.credits) == (AttemptState.UNSETTLED, None, Decimal(160))


def test_a_settlement_is_not_undone_after_the_take_was_ordered_again(ledger: Ledger) -> None:
    history = unsettled(ledger)
    ledger.append(Event(BEGIN, "a1", settlement.settle_by_user(history.attempts["a1"], False)))
    history = unsettled(ledger, "a2")
    with pytest.raises(SettlementError, match="ordered again"):
        settlement.undo_settlement(history.attempts["a1"], history)
    ledger.append(
        Event(BEGIN, "a1", settlement.settle_by_user(history.attempts["a1"], True))
    )  # but what it cost can be put right
    assert ledger.spent_last_24h(PAID) == 320


def test_an_attempt_that_is_not_unsettled_cannot_be_settled(ledger: Ledger) -> None:
    history = unsettled(ledger, "a1", Created("task_9"))
    with pytest.raises(SettlementError, match="only an unsettled attempt"):
        settlement.settle_by_user(history.attempts["a1"], True)
    with pytest.raises(SettlementError, match="nothing to undo"):
        settlement.undo_settlement(history.attempts["a1"], history)


def test_a_task_that_no_ledger_knows_is_assigned_by_the_user(ledger: Ledger) -> None:
    plan = planner(film(1))(History())
    attempt_of_user = settlement.attempt_for_unknown_task(
        plan, plan.steps[0], "task_1", {"model": "seedance-20"}, FACTS, BEGIN + timedelta(days=1)
    )
    assert ledger.import_attempt(attempt_of_user) is None
    history = ledger.history(PAID, "repo")
    assert planner(film(1))(history).steps[0].reason.text == "task_1 is waiting"
    (imported,) = history.attempts.values()
    assert (imported.state, imported.intended_at) == (AttemptState.RUNNING, datetime.fromtimestamp(MS / 1000 + 2, UTC))
    wrong = TaskFacts("task_1", "seedance2-fast", MS, None, None)
    with pytest.raises(SettlementError, match="seedance2-fast"):
        settlement.attempt_for_unknown_task(plan, plan.steps[0], "task_1", {}, wrong, BEGIN)
