"""What a run keeps up to date by itself: the credits still to be ordered, and the next poll of each task."""

from decimal import Decimal

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
from runner.engine.in_flight import PollState
from runner.engine.limits import RunLimits
from runner.engine.poll_timing import learn_from_end, reschedule, schedule_first_poll
from runner.engine.run_context import RunContext
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.schedule import credits_to_order
from runner.lazy_dataclass import replace
from tests.builders.engine_batches import film, planner
from tests.builders.ledgers import LedgerHome

from . import virtual
from .provider import Simulated, World
from .virtual import BEGIN


class RunWithEvents:
    """A run context whose events the test applies; `learned_from` tasks have ended before."""

    def __init__(
        self,
        ledgers: LedgerHome,
        shots: int,
        *,
        concurrency: int = 10,
        learned_from: int = 0,
        webhooks_active: bool = False,
    ):
        plan, history = planner(film(shots + learned_from)), History()
        self.clock = virtual.VirtualClock()
        self.ledger = ledgers.open(self.clock)
        first_plan = plan(history)
        limits = RunLimits("run1", concurrency=concurrency, requests_per_second=1000)
        self.run = RunContext(
            PlannedWork(first_plan, history, plan),
            RunPorts(Simulated(World()), self.ledger, self.clock, lambda event: None, virtual.inline),
            limits,
        )
        if webhooks_active:
            self.run.state.webhooks.activate()
        self.steps = list(first_plan.steps)
        for number in range(learned_from):
            self.running(number)
            self.done(number, 150.0)

    def happened(self, number: int, *payloads: Payload, suffix: str = "") -> str:
        step, attempt = self.steps[number], f"a{number}{suffix}"
        intent = Intent(
            step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "", step.neutral_request(), "{}",
            step.price.credits or Decimal(0), "classic", "key", f"receipt{number}", "run1",
        )  # fmt: skip
        for payload in (intent, *payloads):
            self.run.apply(Event(BEGIN, attempt, payload))
        return attempt

    def running(self, number: int) -> PollState:
        attempt = self.happened(number, SendStarted(), Created(f"t{number}"))
        schedule_first_poll(self.run, attempt)
        poll_state = self.run.state.polls.of(attempt)
        assert poll_state is not None
        return poll_state

    def done(self, number: int, took: float) -> None:
        succeeded = Succeeded((Output("https://m.example/1.mp4"),), Decimal(160), 0, int(took * 1000))
        self.run.apply(Event(BEGIN, f"a{number}", succeeded))
        self.run.state.webhooks.count_end()
        learn_from_end(self.run)


@pytest.fixture
def started(ledgers: LedgerHome) -> RunWithEvents:
    return RunWithEvents(ledgers, 6)


def test_what_is_still_to_be_ordered_is_right_after_every_event(started: RunWithEvents) -> None:
    def counted() -> Decimal:
        run = started.run
        return credits_to_order(run.queue, run.history, run.state, run.limits)

    assert started.run.credit_totals().to_go == counted() == 6 * 160
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
        started.happened(number, *whats, suffix=again)
        assert started.run.credit_totals().to_go == counted()
    assert started.run.credit_totals().to_go == 3 * 160, "two untouched, one answered by a 500"
    started.run.apply(Event(BEGIN, "a3", Stored(Clip("x", "x", 1, 1, 1, 1.0))))
    assert started.run.credit_totals().to_go == counted()


def test_while_nothing_is_learned_two_probes_are_polled_early_and_the_others_wait(started: RunWithEvents) -> None:
    polls = [started.running(number) for number in range(5)]
    assert [poll.next_at < 1.0 for poll in polls] == [True, True, False, False, False]


def test_a_probes_result_moves_the_polls_of_all_others(started: RunWithEvents) -> None:
    polls = [started.running(number) for number in range(5)]
    assert min(poll.next_at for poll in polls[3:]) > 40.0
    for number in range(3):
        started.done(number, 3.0)
    assert max(poll.next_at for poll in polls[3:]) < 10.0


def test_a_task_that_still_runs_delays_the_polls_of_the_others(ledgers: LedgerHome) -> None:
    started = RunWithEvents(ledgers, 6)
    polls = [started.running(number) for number in range(6)]
    before = polls[5].next_at
    for number in range(5):
        polls[number].created_at = -400.0  # it has run for so long
        reschedule(started.run, started.run.history.attempts[f"a{number}"])
    assert polls[5].next_at > before


def test_when_webhooks_reported_every_end_polls_are_rare(ledgers: LedgerHome) -> None:
    polled, reported = (
        RunWithEvents(ledgers / folder, 20, learned_from=12, webhooks_active=folder == "reported")
        for folder in ("polled", "reported")
    )
    for number in range(12):
        reported.run.state.webhooks.report_end(f"a{number}")
    assert reported.running(12).next_at > 1.3 * polled.running(12).next_at


def test_when_no_webhook_came_polls_are_as_without_webhooks(ledgers: LedgerHome) -> None:
    polled, without_callback = (
        RunWithEvents(ledgers / folder, 20, learned_from=12, webhooks_active=folder == "deaf")
        for folder in ("polled", "deaf")
    )
    assert without_callback.running(12).next_at == pytest.approx(polled.running(12).next_at, rel=0.1)


def test_where_requests_are_scarce_polls_are_rarer(ledgers: LedgerHome) -> None:

    free, short = (RunWithEvents(ledgers / folder, 80, concurrency=50, learned_from=12) for folder in ("free", "short"))
    short.run.limits = replace(short.run.limits, requests_per_second=1.0)
    for number in range(12, 50):
        free.running(number)
        short.running(number)
    assert short.running(60).next_at > 1.1 * free.running(60).next_at
