"""Orphans in the loop: polled and downloaded as any other take, and looked after before anything is ordered."""

from datetime import timedelta
from decimal import Decimal

from runner.attempts.attempt import AttemptState
from runner.attempts.events import Failed, Running
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import TransferFailed
from runner.engine.run_events import RunResult
from runner.engine.run_loop import StopRequest
from runner.language.model import Shot
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from tests.builders.engine_batches import batch, planner, shot
from tests.builders.ledgers import LedgerHome

from . import virtual
from .harness import EngineHarness, run_engine
from .provider import Simulated, World

QUAY, NOON, PIER = shot("quay"), shot("quay", prompt="the quay at noon"), shot("pier")
QUICK = 60.0


def left_behind(ledgers: LedgerHome, *shots: Shot, bill: int = 160, seconds: float = QUICK) -> EngineHarness:
    """A task of the quay, which runs; the storyboard asks for other shots now."""
    world = World(seconds=lambda count: seconds)
    engine = EngineHarness(ledgers, Simulated(world, Decimal(bill)), planner(batch(QUAY)))
    run_engine(engine, no_wait=True)
    engine.plan = planner(batch(*shots))
    age_tasks(engine, 0)
    return engine


def age_tasks(engine: EngineHarness, seconds: float) -> None:
    """So long ago the tasks began; the time of each `run_engine` begins at zero."""
    for task in engine.provider.world.tasks.values():
        task.created_at = -seconds


def state(engine: EngineHarness) -> AttemptState:
    return next(iter(engine.history().attempts.values())).state


def warnings(engine: EngineHarness) -> str:
    return "\n".join(event.message for event in engine.emitted if event.event == "warning")


def test_its_clip_is_fetched_as_an_earlier_version_and_its_take_is_made_anew(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, NOON)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, outcome.orphans, len(outcome.finished)) == (ExitCode.OK, (), 1)
    assert sorted("earlier" in path for _, path in engine.provider.stored) == [False, True]
    assert len(engine.provider.world.arrived) == 2
    assert "quay take 1 of" in warnings(engine)
    assert "(earlier version): paid before; its clip was fetched" in warnings(engine)


def test_a_run_with_nothing_else_to_do_waits_for_it(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, state(engine)) == (ExitCode.OK, AttemptState.STORED)
    assert "still running at the provider; its clip is fetched when it ends" in warnings(engine)


def test_a_run_that_does_not_wait_leaves_it_to_the_next(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers)
    (outcome,) = run_engine(engine, no_wait=True)
    assert (outcome.exit_code, len(outcome.orphans)) == (ExitCode.WAITING, 1)
    assert engine.provider.world.polls == 0


def test_nothing_is_ordered_before_its_first_poll_has_come_back(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    sent: list[str] = []

    def poll(task: str, count: int) -> None:
        sent.append(f"poll of {task}")

    engine.provider.poll_script = poll
    engine.provider.world.note = lambda body, what: sent.append("createTask")
    engine.provider.world.latency = 8.0
    run_engine(engine)
    assert sent[0] == "poll of task_1"
    assert "createTask" in sent


def test_a_bill_above_its_quote_stops_the_run_before_anything_is_ordered(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, NOON, PIER, bill=300)
    age_tasks(engine, QUICK)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.DECLINED, 1)
    assert state(engine) is AttemptState.STORED
    assert "the quote was 160: the price book is wrong" in warnings(engine)


def test_a_key_that_is_refused_orders_nothing(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    engine.provider.poll_script = lambda task, count: Running("", key_refused=True, answered=False)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.KEY, 1)


def test_a_provider_that_is_silent_once_keeps_neither_the_run_nor_the_clip(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    engine.provider.poll_script = lambda task, count: Running("", answered=False) if count == 1 else None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.stored)) == (ExitCode.OK, 2)


def test_a_slot_that_it_holds_is_free_when_it_has_ended(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, NOON, PIER)
    engine.provider.world.concurrency = 1
    (outcome,) = run_engine(engine, concurrency=1)
    assert (outcome.exit_code, len(engine.provider.stored)) == (ExitCode.OK, 3)
    assert engine.provider.world.peak == 1


def test_a_failed_one_is_told_and_nothing_stops(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    (task,) = engine.provider.world.tasks.values()
    task.fails = Failed("provider", "out of memory")
    (outcome,) = run_engine(engine, fail_fast=True)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 1)
    assert "(earlier version): failed, not charged: out of memory" in warnings(engine)


def test_a_clock_that_is_set_ahead_loses_no_task(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers)

    def missing(task: str, count: int) -> Running | None:
        if count == 1:
            engine.clock.offset += timedelta(days=30)
        return Running("", not_found=True) if count < 8 else None

    engine.provider.poll_script = missing
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, state(engine)) == (ExitCode.OK, AttemptState.STORED)


def test_a_record_that_has_been_missing_for_a_day_is_lost(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers)
    engine.clock.offset += timedelta(days=2)
    engine.provider.poll_script = lambda task, count: Running("", not_found=True)
    run_engine(engine)
    assert (state(engine), engine.provider.world.polls) == (AttemptState.GONE, 3)
    assert "maybe charged; its clip is lost" in warnings(engine)


def test_a_download_that_fails_is_tried_again_by_a_new_link(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers)
    failures = [TransferFailed("the connection broke", link_expired=True)] * 2
    engine.provider.store_script = lambda attempt, count: failures.pop() if failures else None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, state(engine)) == (ExitCode.OK, AttemptState.STORED)


def test_its_clip_is_made_from_while_its_own_shot_is_skipped(ledgers: LedgerHome) -> None:
    """The end that the boat is made from is an orphan's clip: the take waits for it, and is made."""
    engine = left_behind(ledgers, QUAY._replace(skip=True), shot("boat", ("quay",)))
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 1)


def test_a_ctrl_c_while_it_is_polled_orders_nothing(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    stop_request = StopRequest()

    def poll(task: str, count: int) -> None:
        stop_request.on_signal()

    engine.provider.poll_script = poll

    async def main() -> RunResult:
        return await engine.run(stop_request)

    outcome = virtual.run(main)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.INTERRUPTED, 1)
    assert len(outcome.orphans) == 1


def test_one_whose_output_another_run_holds_is_left_alone(ledgers: LedgerHome) -> None:
    engine = left_behind(ledgers, PIER)
    plan = engine.plan

    def marked(history: History) -> Plan:
        whole = plan(history)
        return replace(whole, orphans=tuple(orphan._replace(is_locked_elsewhere=True) for orphan in whole.orphans))

    engine.plan = marked
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.orphans), len(outcome.finished)) == (ExitCode.WAITING, 1, 1)
    assert [path for _, path in engine.provider.stored if "earlier" in path] == []
