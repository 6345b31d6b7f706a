"""What a run keeps up to date by itself: the price of what is to be ordered, and when each task is looked at next."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.events import (
    Clip,
    Created,
    Event,
    Failed,
    Intent,
    NotSent,
    Output,
    Payload,
    SendStarted,
    ServerError,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.engine.limits import RunLimits
from runner.engine.poll_timing import reschedule, reschedule_all, schedule_first_poll
from runner.engine.run_context import RunContext
from runner.engine.run_state import PollState
from runner.engine.schedule import credits_to_order
from runner.lazy_dataclass import replace
from runner.store.ledger.ledger import Ledger

from . import virtual
from .boards import film, planner
from .provider import Simulated, World
from .virtual import BEGIN


class Desk:
    """A run whose events the test tells itself; tasks of earlier runs may have taught it."""

    def __init__(self, tmp_path: Path, shots: int, *, cap: int = 10, learned_from: int = 0, listening: bool = False):
        plan, history = planner(film(shots + learned_from)), History()
        self.clock = virtual.VirtualClock()
        self.ledger = Ledger(tmp_path, self.clock)
        made = plan(history)
        limits = RunLimits("run1", concurrency=cap, requests_per_second=1000)
        self.run = RunContext(made, history, Simulated(World()), self.ledger, self.clock, limits, lambda news: None,
                              plan,
                       virtual.inline)  # fmt: skip
        self.run.state.webhooks_active = listening
        self.steps = list(made.steps)
        for number in range(learned_from):
            self.running(number)
            self.done(number, 150.0)

    def happened(self, number: int, *whats: Payload, again: str = "") -> str:
        step, attempt = self.steps[number], f"a{number}{again}"
        intended = Intent(
            step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "", step.neutral_request(), "{}",
            step.price.credits or Decimal(0), "classic", "key", f"receipt{number}", "run1",
        )  # fmt: skip
        for what in (intended, *whats):
            self.run.apply(Event(BEGIN, attempt, what))
        return attempt

    def running(self, number: int) -> PollState:
        attempt = self.happened(number, SendStarted(), Created(f"t{number}"))
        schedule_first_poll(self.run, attempt)
        return self.run.state.polls[attempt]

    def done(self, number: int, took: float) -> None:
        made = Succeeded((Output("https://m.example/1.mp4"),), Decimal(160), 0, int(took * 1000))
        self.run.apply(Event(BEGIN, f"a{number}", made))
        self.run.state.succeeded_tasks += 1
        reschedule_all(self.run)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, 6)


def test_what_is_still_to_be_ordered_is_right_after_every_event(desk: Desk) -> None:
    def counted() -> Decimal:
        run = desk.run
        return credits_to_order(run.queue, run.history, run.state, run.limits)

    assert desk.run.credit_totals().to_go == counted() == 6 * 160
    failed = Failed("provider", "Video generation failed. Please try again.")
    stories: list[tuple[int, tuple[Payload, ...], str]] = [
        (0, (NotSent("refused"),), ""),
        (0, (SendStarted(), Created("x0")), "again"),
        (1, (SendStarted(), Created("x1"), failed), ""),
        (1, (SendStarted(), Created("x2"), failed), "again"),
        (1, (SendStarted(), Created("x3"), failed), "third"),
        (2, (SendStarted(), ServerError("internal error")), ""),
        (3, (SendStarted(), Created("x4"), Succeeded((), Decimal(160), 0, 1000)), ""),
    ]
    for number, whats, again in stories:
        desk.happened(number, *whats, again=again)
        assert desk.run.credit_totals().to_go == counted()
    assert desk.run.credit_totals().to_go == 3 * 160, "two untouched, one answered by a 500"
    desk.run.apply(Event(BEGIN, "a3", Stored(Clip("x", "x", 1, 1, 1, 1.0))))
    assert desk.run.credit_totals().to_go == counted()


def test_while_nothing_is_learned_two_scouts_are_looked_at_early_and_the_others_wait(desk: Desk) -> None:
    looks = [desk.running(number) for number in range(5)]
    assert [look.next_at < 1.0 for look in looks] == [True, True, False, False, False]


def test_what_a_scout_finds_moves_the_looks_at_all_others(desk: Desk) -> None:
    looks = [desk.running(number) for number in range(5)]
    assert min(look.next_at for look in looks[3:]) > 40.0
    for number in range(3):
        desk.done(number, 3.0)
    assert max(look.next_at for look in looks[3:]) < 10.0


def test_one_that_still_runs_says_that_the_others_will(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 6)
    looks = [desk.running(number) for number in range(6)]
    before = looks[5].next_at
    for number in range(5):
        looks[number].created_at = -400.0  # it has run for so long
        reschedule(desk.run, desk.run.history.attempts[f"a{number}"])
    assert looks[5].next_at > before


def test_when_webhooks_told_of_every_end_looks_are_rare(tmp_path: Path) -> None:
    polled, told = (Desk(tmp_path / name, 20, learned_from=12, listening=name == "told") for name in ("polled", "told"))
    told.run.state.webhook_hinted.update(f"a{number}" for number in range(12))
    assert told.running(12).next_at > 1.3 * polled.running(12).next_at


def test_when_no_webhook_came_looks_are_as_without(tmp_path: Path) -> None:
    polled, deaf = (Desk(tmp_path / name, 20, learned_from=12, listening=name == "deaf") for name in ("polled", "deaf"))
    assert deaf.running(12).next_at == pytest.approx(polled.running(12).next_at, rel=0.1)


def test_where_requests_are_short_looks_are_rarer(tmp_path: Path) -> None:

    free, short = (Desk(tmp_path / name, 80, cap=50, learned_from=12) for name in ("free", "short"))
    short.run.limits = replace(short.run.limits, requests_per_second=1.0)
    for number in range(12, 50):
        free.running(number)
        short.running(number)
    assert short.running(60).next_at > 1.1 * free.running(60).next_at
