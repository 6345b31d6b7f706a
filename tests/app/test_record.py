"""An event that a command records outside the engine: in the ledger first, then in the history, or in neither."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest

from runner.app.history_reader import HistoryReader
from runner.app.run_store import RunStore
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, Event, Intent, Output, Settled, Stored, Succeeded
from runner.attempts.history import History
from runner.clock import Ages
from runner.engine.limits import RunLimits
from tests.builders.engine_batches import PAID
from tests.builders.ledgers import LedgerHome
from tests.engine.virtual import BEGIN, VirtualClock

LIMITS = RunLimits("run1", concurrency=9)
REQUEST = {"model": "seedance-20"}
INTENT = Intent("film.yaml", "quay", 1, "f1", REQUEST, "{}", Decimal(160), "classic", "k", "r", "run1")
CLIP = Clip("renders/film/kinovi/clips/quay/take-1.mp4", "0" * 64, 1000, 1280, 720, 5.0)
CLAIM = Attempt("m1", INTENT, AttemptState.RUNNING, BEGIN, task_id="task_1", accepted_at=BEGIN)


@pytest.fixture
def store(ledgers: LedgerHome) -> Iterator[RunStore]:
    clock = VirtualClock()
    ledger = ledgers.open(clock)
    ledger.start_run(PAID, "repo", LIMITS)
    # Nothing is read from files here.
    yield RunStore(cast(HistoryReader, None), ledger, clock, Ages(clock), LIMITS)
    ledger.close()


def with_claim(claim: Attempt = CLAIM) -> History:
    history = History()
    history.merge_manifest([claim], {})
    return history


def in_ledger(store: RunStore) -> dict[str, AttemptState]:
    return {attempt.id: attempt.state for attempt in store.ledger.history(PAID, "repo").attempts.values()}


def test_an_attempt_of_a_manifest_gets_its_row_and_is_of_this_ledger_from_then_on(store: RunStore) -> None:
    history = with_claim()
    assert store.record(history, "m1", Succeeded((Output("https://cdn.example/1.mp4"),), Decimal(160))) is None
    assert store.record(history, "m1", Stored(CLIP)) is None
    assert in_ledger(store) == {"m1": AttemptState.STORED}
    assert (history.attempts["m1"].state, history.attempts["m1"].from_manifest) == (AttemptState.STORED, False)


def test_a_task_that_the_ledger_has_under_another_attempt_is_in_neither(store: RunStore) -> None:
    assert store.ledger.import_attempt(replace(CLAIM, id="a1")) is None
    history = with_claim()
    refusal = store.record(history, "m1", Stored(CLIP))
    assert refusal is not None
    assert refusal.message == "task task_1 belongs to another attempt"
    assert (history.attempts["m1"].state, history.attempts["m1"].from_manifest) == (AttemptState.RUNNING, True)
    assert in_ledger(store) == {"a1": AttemptState.RUNNING}


def test_an_event_that_the_ledger_refuses_is_not_in_the_history(store: RunStore) -> None:
    unsettled = Attempt("a1", INTENT, AttemptState.INTENDED, BEGIN)
    assert store.ledger.intend(Event(BEGIN, "a1", INTENT), 0) is None
    other = replace(CLAIM, id="a2", intent=replace(INTENT, fingerprint="f2"), intended_at=BEGIN + timedelta(minutes=1))
    assert store.ledger.import_attempt(other) is None
    history = History()
    history.load([unsettled])
    assert store.record(history, "a1", Settled("adopted", "task_1")) is not None
    assert history.attempts["a1"].task_id is None
