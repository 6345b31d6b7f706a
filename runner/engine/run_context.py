"""The state of one run: its plan and history, what is in flight, the sums, and how each change reaches the others."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

import anyio
from anyio import CancelScope

from runner.attempts.events import Created, Event, Intent, Payload
from runner.attempts.history import Attempt, AttemptState, History, duration_class
from runner.clock import Clock
from runner.engine import schedule
from runner.engine.duration_model import DurationEstimate, estimate
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted, LedgerPort, ProviderPort
from runner.engine.queue import SharedRequest, build_queue
from runner.engine.run_events import CreditTotals, Kind, RunEvent, RunResult, StopReason
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step

T = TypeVar("T")
_PRIOR, _PRIOR_FREE = 150.0, 2.0
_PERHAPS = frozenset({AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED, AttemptState.INTENDED})


class BlockingRunner(Protocol):
    """How a call that blocks is run beside the loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class RunContext:
    """One run: the doors and limits that it was given, and the state that it works on.

    Mutable: `history`, `running`, `shields`; `plan`, `agenda` and `money` follow from the history and are kept up to
    date by `append`, `feed`, `count` and `ended`. Whoever changes the history otherwise calls `count` or `recount`.
    """

    def __init__(
        self,
        plan: Plan,
        history: History,
        provider: ProviderPort,
        ledger: LedgerPort,
        clock: Clock,
        limits: RunLimits,
        tell: Callable[[RunEvent], None],
        replan: Callable[[History], Plan],
        aside: BlockingRunner,
    ) -> None:
        self.plan = plan
        self.history = history
        self.provider = provider
        self.ledger = ledger
        self.clock = clock
        self.limits = limits
        self.replan = replan
        self.run_blocking = aside
        self._emit = tell
        self._prior = limits.expected or (_PRIOR_FREE if plan.account.free else _PRIOR)
        self.queue = build_queue(plan, history, self._prior)
        self._began = (clock.now(), clock.monotonic())
        self.state = RunState(CreateThrottle(limits.concurrency), approved=schedule.approved_takes(plan))
        self.changed = anyio.Event()
        self.shields: set[CancelScope] = set()
        self._money = CreditTotals()
        self._shares: dict[str, CreditTotals] = {}
        self._to_go: Decimal | None = None

    # -- what is true, and who hears of it ----------------------------------------------------------------

    async def append(self, attempt: str, what: Payload) -> AlreadyAttempted | None:
        """Durable first, then true; what only a manifest told of gets its row before."""
        recorded = self.history.attempts.get(attempt)
        taken = None
        if recorded is not None and recorded.from_manifest:
            taken = await self.import_attempt(recorded)
        if taken is not None:
            return taken
        event = Event(self.clock.now(), attempt, what)
        if isinstance(what, Created):
            self.ledger.write_receipt(event)  # not behind another attempt's commit
        taken = await self.run_blocking(lambda: self.ledger.append(event))
        if taken is None:
            self.apply(event)
        return taken

    async def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """A row for an attempt that only a manifest told of."""
        taken = await self.run_blocking(lambda: self.ledger.import_attempt(attempt))
        if taken is None:
            self.history.attempts[attempt.id] = replace(attempt, from_manifest=False)
        return taken

    def apply(self, event: Event) -> None:
        """One more event is true, and durable."""
        group = self._group(event)
        before = self._order(group)
        self.history.apply(event)
        if self._to_go is not None:
            self._to_go += self._order(group) - before
        self.update_totals(event.attempt)

    def _group(self, event: Event) -> SharedRequest | None:
        known = self.history.attempts.get(event.attempt)
        made = event.payload if isinstance(event.payload, Intent) else known.intent if known is not None else None
        return self.queue.by_fingerprint.get(made.fingerprint) if made is not None else None

    def _order(self, group: SharedRequest | None) -> Decimal:
        """What is still to be ordered for a group, by quote."""
        return Decimal(0) if group is None else schedule.credits_of(group, self.history, self.state, self.limits)

    def emit(self, kind: Kind, step: Step | None = None, attempt: str | None = None, words: str = "") -> None:
        """News of one take, or of the run."""
        found = self.history.attempts.get(attempt or "")
        again = step is not None and kind in ("failed", "refused") and self._again(step)
        expected = self.belief(found).median if found is not None and kind in ("created", "running") else None
        self._emit(
            RunEvent(kind, self.clock.now(), step, found, words, again=again, expected=expected, money=self.money())
        )

    def emit_plan(self) -> None:
        self._emit(RunEvent("plan", self.clock.now(), plan=self.plan, money=self.money()))

    def emit_done(self, result: RunResult) -> None:
        self._emit(RunEvent("done", self.clock.now(), outcome=result, money=result.money))

    def _again(self, step: Step) -> bool:
        attempts = self.history.attempts_of(step.fingerprint or "")
        return self.state.halt is None and step.key in self.state.approved and schedule.can_retry(attempts, self.limits)

    def halt(self, halt: StopReason) -> None:
        """No further task; the first reason stays."""
        if self.state.halt is None:
            self.state.halt = halt
            self.emit("warning", words=halt.message)

    # -- what follows from it -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Something changed: the loop decides anew."""
        self.changed.set()

    def replan_if_needed(self) -> None:
        """A take came to its end: what was undecided may be decided now."""
        if not self.queue.has_undecided:
            return
        plan = self.replan(self.history)
        if plan.steps != self.plan.steps:
            self.plan = plan
            self.queue = build_queue(plan, self.history, self._prior)
            self._to_go = None
            self.emit_plan()

    def step_of(self, attempt: Attempt) -> Step:
        """The step that an attempt of this plan was made for."""
        intent = attempt.intent
        steps = self.queue.by_fingerprint[intent.fingerprint].steps
        named = (intent.storyboard, intent.shot, intent.take)
        return next((step for step in steps if step.key == named), steps[0])

    def belief(self, attempt: Attempt) -> DurationEstimate:
        """How long tasks of the attempt's class take, as far as known."""
        name = duration_class(attempt.intent.request)
        return estimate(self.history.durations, name, self._prior, self._ages(name))

    def _ages(self, name: str) -> list[float]:
        """For how long the tasks of a class that still run have lasted, when last looked at."""
        looks = self.state.polls
        return [
            looks[attempt.id].age_when_seen
            for attempt in self.history.open()
            if attempt.state is AttemptState.RUNNING
            and attempt.id in looks
            and looks[attempt.id].age_when_seen
            and duration_class(attempt.intent.request) == name
        ]

    def now(self) -> float:
        return self.clock.monotonic()

    def age(self, since: datetime) -> timedelta:
        """How long ago that was, by the wall clock; what it jumps ahead while this run works makes nothing older."""
        wall, steady = self._began
        return min(self.clock.now(), wall + timedelta(seconds=self.now() - steady)) - since

    def money(self) -> CreditTotals:
        """Credits of this run so far."""
        if self._to_go is None:
            self._to_go = schedule.credits_to_order(self.queue, self.history, self.state, self.limits)
        return replace(self._money, to_go=self._to_go)

    def reset_totals(self) -> None:
        """The history was changed by somebody else: what is still to be ordered is summed anew."""
        self._to_go = None

    def update_totals(self, attempt: str) -> None:
        """One attempt changed: its share of the sums is taken anew."""
        now = _share(self.history.attempts[attempt], self.limits.run)
        before = self._shares.get(attempt, CreditTotals())
        self._shares[attempt] = now
        money = self._money
        self._money = CreditTotals(
            money.billed + now.billed - before.billed,
            money.running + now.running - before.running,
            money.maybe_charged + now.maybe_charged - before.maybe_charged,
        )


def _share(attempt: Attempt, run: str) -> CreditTotals:
    """What one attempt adds to the sums of a run."""
    if attempt.intent.run != run:
        return CreditTotals()
    if attempt.state in _PERHAPS:
        return CreditTotals(maybe_charged=attempt.credits)
    if attempt.state is AttemptState.RUNNING:
        return CreditTotals(running=attempt.credits)
    return CreditTotals(billed=attempt.billed)
