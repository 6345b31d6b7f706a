"""What a run keeps up to date by itself: the price of what is to be ordered, and when each task is looked at next."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.events import (
    Clip,
    Created,
    Event,
    Failed,
    Intended,
    NotSent,
    Output,
    Sending,
    Stored,
    Succeeded,
    TryLater,
    What,
)
from runner.attempts.history import History
from runner.engine.limits import Limits
from runner.engine.poll_timing import expect, found_running, learned
from runner.engine.run_context import Run
from runner.engine.run_state import Look
from runner.engine.schedule import to_go
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
        limits = Limits("run1", concurrency=cap, requests_per_second=1000)
        self.run = Run(made, history, Simulated(World()), self.ledger, self.clock, limits, lambda news: None, plan,
                       virtual.inline)  # fmt: skip
        self.run.running.listening = listening
        self.steps = list(made.steps)
        for number in range(learned_from):
            self.running(number)
            self.done(number, 150.0)

    def happened(self, number: int, *whats: What, again: str = "") -> str:
        step, attempt = self.steps[number], f"a{number}{again}"
        intended = Intended(
            step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "", step.form(), "{}",
            step.price.credits or Decimal(0), "classic", "key", f"receipt{number}", "run1",
        )  # fmt: skip
        for what in (intended, *whats):
            self.run.feed(Event(BEGIN, attempt, what))
        return attempt

    def running(self, number: int) -> Look:
        attempt = self.happened(number, Sending(), Created(f"t{number}"))
        expect(self.run, attempt)
        return self.run.running.looks[attempt]

    def done(self, number: int, took: float) -> None:
        made = Succeeded((Output("https://m.example/1.mp4"),), Decimal(160), 0, int(took * 1000))
        self.run.feed(Event(BEGIN, f"a{number}", made))
        self.run.running.ended_looks += 1
        learned(self.run)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, 6)


def test_what_is_still_to_be_ordered_is_right_after_every_event(desk: Desk) -> None:
    def counted() -> Decimal:
        run = desk.run
        return to_go(run.agenda, run.history, run.running, run.limits)

    assert desk.run.money().to_go == counted() == 6 * 160
    failed = Failed("provider", "Video generation failed. Please try again.")
    stories: list[tuple[int, tuple[What, ...], str]] = [
        (0, (NotSent("refused"),), ""),
        (0, (Sending(), Created("x0")), "again"),
        (1, (Sending(), Created("x1"), failed), ""),
        (1, (Sending(), Created("x2"), failed), "again"),
        (1, (Sending(), Created("x3"), failed), "third"),
        (2, (Sending(), TryLater("internal error")), ""),
        (3, (Sending(), Created("x4"), Succeeded((), Decimal(160), 0, 1000)), ""),
    ]
    for number, whats, again in stories:
        desk.happened(number, *whats, again=again)
        assert desk.run.money().to_go == counted()
    assert desk.run.money().to_go == 3 * 160, "two untouched, one answered by a 500"
    desk.run.feed(Event(BEGIN, "a3", Stored(Clip("x", "x", 1, 1, 1, 1.0))))
    assert desk.run.money().to_go == counted()


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
        looks[number].born = -400.0  # it has run for so long
        found_running(desk.run, desk.run.history.attempts[f"a{number}"])
    assert looks[5].next_at > before


def test_when_webhooks_told_of_every_end_looks_are_rare(tmp_path: Path) -> None:
    polled, told = (Desk(tmp_path / name, 20, learned_from=12, listening=name == "told") for name in ("polled", "told"))
    told.run.running.hinted.update(f"a{number}" for number in range(12))
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
