"""One coroutine for each take that is ordered, from its intent to its stored clip."""

import asyncio
from typing import Any

from runner.engine.ports import TransferFailed
from tests.builders.engine_batches import film, planner
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Simulated, World

Task = asyncio.Task[Any]


def engine_of(ledgers: LedgerHome, shots: int) -> EngineHarness:
    return EngineHarness(ledgers, Simulated(World()), planner(film(shots)))


def current_task() -> Task:
    task = asyncio.current_task()
    assert task is not None
    return task


def test_the_coroutine_that_orders_a_take_stores_its_clip(ledgers: LedgerHome) -> None:
    engine = engine_of(ledgers, 4)
    ordered_by: list[Task] = []
    stored_by: list[Task] = []
    engine.provider.world.note = lambda body, what: ordered_by.append(current_task())

    def store(attempt: object, count: int) -> None:
        stored_by.append(current_task())

    engine.provider.store_script = store
    run_engine(engine)
    assert len(set(ordered_by)) == 4
    assert set(stored_by) == set(ordered_by)


def test_a_queued_take_has_no_coroutine_and_a_stored_one_has_none_left(ledgers: LedgerHome) -> None:
    engine = engine_of(ledgers, 60)
    counts: list[int] = []

    def poll(task: str, count: int) -> None:
        counts.append(len(asyncio.all_tasks()))

    engine.provider.poll_script = poll
    run_engine(engine)
    assert len(counts) > 60
    assert max(counts) < 20, "three takes that run, their polls and downloads, and the loop itself"


def test_a_download_that_failed_goes_on_in_the_same_coroutine(ledgers: LedgerHome) -> None:
    engine = engine_of(ledgers, 1)
    stored_by: list[Task] = []

    def store(attempt: object, count: int) -> TransferFailed | None:
        stored_by.append(current_task())
        return TransferFailed("the connection broke") if len(stored_by) < 3 else None

    engine.provider.store_script = store
    (outcome,) = run_engine(engine)
    assert (len(outcome.finished), len(stored_by), len(set(stored_by))) == (1, 3, 1)


def test_a_task_of_an_earlier_run_gets_its_coroutine_with_its_first_poll(ledgers: LedgerHome) -> None:
    engine = engine_of(ledgers, 2)
    run_engine(engine, no_wait=True)
    stored_by: list[Task] = []

    def store(attempt: object, count: int) -> None:
        stored_by.append(current_task())

    engine.provider.store_script = store
    (outcome,) = run_engine(engine)
    assert (len(outcome.finished), len(set(stored_by)), len(engine.provider.world.arrived)) == (2, 2, 2)
