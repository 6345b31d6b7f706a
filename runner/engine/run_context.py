"""The context of one run: plan, history, state in flight and credit totals, and the verbs that keep them in step."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

import anyio
from anyio import CancelScope

from runner.attempts.attempt import Attempt
from runner.attempts.events import Created, Event, Intent, Payload
from runner.attempts.history import History, duration_class
from runner.attempts.sums import CreditSums, sums_of
from runner.clock import Clock
from runner.engine import schedule
from runner.engine.duration_estimates import DurationEstimates, Renewal
from runner.engine.duration_model import DurationEstimate, estimate
from runner.engine.eligibility import can_retry
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted, LedgerPort, ProviderPort
from runner.engine.queue import SharedRequest, WorkQueue, build_queue
from runner.engine.run_events import CreditTotals, Kind, Pause, RunEvent, RunResult, StopReason, Topic
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.engine.work_index import WorkIndex
from runner.planning.plan import Plan, Step

T = TypeVar("T")
_DEFAULT_SECONDS, _DEFAULT_SECONDS_FREE = 150.0, 2.0
"""Expected seconds of a task before any has ended: at the paid provider, and at a free one (the sandbox)."""


class BlockingRunner(Protocol):
    """Runs a blocking call without blocking the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class RunContext:
    """Ports, limits and mutable state of one run.

    `history`, `state` and `shields` are changed in place; `plan`, `work` and the credit totals follow from the history
    and are kept up to date by `append`, `apply`, `import_attempt` and `replan_if_needed`. Code that changes the history
    by other means calls `history_changed`; code that changes `state` for a request calls `wake` or `work.touch`.
    """

    def __init__(
        self,
        plan: Plan,
        history: History,
        provider: ProviderPort,
        ledger: LedgerPort,
        clock: Clock,
        limits: RunLimits,
        emit: Callable[[RunEvent], None],
        replan: Callable[[History], Plan],
        run_blocking: BlockingRunner,
    ) -> None:
        self.plan = plan
        self.history = history
        self.provider = provider
        self.ledger = ledger
        self.clock = clock
        self.limits = limits
        self.replan = replan
        self.run_blocking = run_blocking
        self._emit = emit
        self._prior = limits.expected or (_DEFAULT_SECONDS_FREE if plan.account.free else _DEFAULT_SECONDS)
        self._started_at = (clock.now(), clock.monotonic())
        self.state = RunState(
            CreateThrottle(limits.concurrency),
            approved=schedule.approved_takes(plan),
            key_id="" if plan.account.free else provider.key_id,
            look_until=clock.monotonic() + limits.wait,
        )
        self.work = WorkIndex(build_queue(plan, history, self._prior), history, self.state, limits)
        self.estimates = DurationEstimates(self._learn_duration)
        self.estimate_renewal, self.poll_renewal = Renewal(), Renewal()
        self.changed = anyio.Event()
        self.shields: set[CancelScope] = set()
        self._ordered = CreditSums()
        self._shares: dict[str, CreditSums] = {}
        self._to_go: Decimal | None = None

    # -- events -------------------------------------------------------------------------------------------

    async def append(self, attempt_id: str, payload: Payload) -> AlreadyAttempted | None:
        """Commits an event to the ledger, then applies it; returns the conflict if the ledger refused it.

        An attempt from a manifest is imported first.
        """
        recorded = self.history.attempts.get(attempt_id)
        conflict = None
        if recorded is not None and recorded.from_manifest:
            conflict = await self.import_attempt(recorded)
        if conflict is not None:
            return conflict
        event = Event(self.clock.now(), attempt_id, payload)
        if isinstance(payload, Created):
            self.ledger.write_receipt(event)  # at once: the receipt must not queue behind another attempt's commit
        conflict = await self.run_blocking(lambda: self.ledger.append(event))
        if conflict is None:
            self.apply(event)
        return conflict

    async def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """Writes a row for an attempt that only a manifest told of; returns the conflict if the ledger refused it."""
        conflict = await self.run_blocking(lambda: self.ledger.import_attempt(attempt))
        if conflict is None:
            self._change(attempt.id, attempt.intent.fingerprint, lambda: self.history.mark_imported(attempt.id))
        return conflict

    def apply(self, event: Event) -> None:
        """Applies an event that the ledger has committed."""
        intent = event.payload if isinstance(event.payload, Intent) else self.history.attempts[event.attempt].intent
        self._change(event.attempt, intent.fingerprint, lambda: self.history.apply(event))

    def _change(self, attempt_id: str, fingerprint: str, change: Callable[[], None]) -> None:
        """Changes one attempt in the history, and all that follows from it."""
        group = self.queue.by_fingerprint.get(fingerprint)
        before = self._credits_to_order(group)
        change()
        if self._to_go is not None:
            self._to_go += self._credits_to_order(group) - before
        self._update_totals(attempt_id)
        self.work.touch(fingerprint)

    @property
    def queue(self) -> WorkQueue:
        """The plan's requests in order of urgency."""
        return self.work.queue

    def _credits_to_order(self, group: SharedRequest | None) -> Decimal:
        """Quoted credits of the group's task, if it is still to be ordered."""
        return Decimal(0) if group is None else schedule.credits_of(group, self.history, self.state, self.limits)

    def emit(
        self,
        kind: Kind,
        step: Step | None = None,
        attempt_id: str | None = None,
        message: str = "",
        wait: Pause | None = None,
    ) -> None:
        """Emits an event of one take, or of the run."""
        attempt = self.history.attempts.get(attempt_id or "")
        will_retry = step is not None and kind in ("failed", "refused") and self._will_retry(step)
        expected = (
            self.duration_estimate(attempt).median if attempt is not None and kind in ("created", "running") else None
        )
        self._emit(
            RunEvent(
                kind,
                self.clock.now(),
                step,
                attempt,
                message,
                will_retry=will_retry,
                expected=expected,
                money=self.credit_totals(),
                next_try_at=self._next_try_at(),
                wait=wait,
            )
        )

    def wait(self, topic: Topic, until: float, text: str) -> Pause:
        """A pause until this moment (monotonic seconds), for an event."""
        return Pause(topic, self.clock.now() + timedelta(seconds=max(until - self.now(), 0.0)), text)

    def _next_try_at(self) -> datetime | None:
        pause = self.state.throttle.not_before - self.now()
        return self.clock.now() + timedelta(seconds=pause) if pause > 0 else None

    def emit_plan(self) -> None:
        self._emit(RunEvent("plan", self.clock.now(), plan=self.plan, money=self.credit_totals()))

    def emit_done(self, result: RunResult) -> None:
        self._emit(RunEvent("done", self.clock.now(), outcome=result, money=result.money))

    def _will_retry(self, step: Step) -> bool:
        attempts = self.history.counting_attempts_of(step.fingerprint or "")
        return self.state.stop_reason is None and step.key in self.state.approved and can_retry(attempts, self.limits)

    def stop_creating(self, reason: StopReason) -> None:
        """Forbids further tasks; the first reason stays."""
        if self.state.stop_reason is None:
            self.state.stop_reason = reason
            self.emit("warning", message=reason.message)

    # -- plan, durations and totals -----------------------------------------------------------------------

    def wake(self, fingerprint: str | None = None) -> None:
        """Wakes the loop, which decides again; the fingerprint is of the request whose state has changed."""
        if fingerprint is not None:
            self.work.touch(fingerprint)
        self.changed.set()

    def replan_if_needed(self, fingerprint: str) -> None:
        """Builds the plan again after the takes of a request ended, if an undecided take waits for their shots."""
        group = self.queue.by_fingerprint.get(fingerprint)
        shots = {(step.shot.storyboard, step.shot.id) for step in group.steps} if group is not None else set()
        if not shots.isdisjoint(self.queue.awaited_shots):
            self.renew_plan()

    def renew_plan(self) -> None:
        """Builds the plan again, after the history changed in what it says of a take."""
        plan = self.replan(self.history)
        if plan.steps != self.plan.steps:
            self.plan = plan
            self.history_changed()
            self.emit_plan()

    def step_of(self, attempt: Attempt) -> Step:
        """The plan's step for an attempt: the step of the same take, else the first with the same request."""
        intent = attempt.intent
        steps = self.queue.by_fingerprint[intent.fingerprint].steps
        key = (intent.storyboard, intent.shot, intent.take)
        return next((step for step in steps if step.key == key), steps[0])

    def duration_estimate(self, attempt: Attempt) -> DurationEstimate:
        """The estimated duration of tasks of the attempt's class of work."""
        return self.estimates.of(duration_class(attempt.intent.request))

    def _learn_duration(self, work_class: str) -> DurationEstimate:
        return estimate(self.history.durations, work_class, self._prior, self._ages(work_class))

    def _ages(self, work_class: str) -> list[float]:
        """Ages of the running tasks of a class at their last poll, in seconds."""
        polls = self.state.polls
        return [
            polls[attempt.id].age_when_seen
            for attempt in self.work.running()
            if attempt.id in polls
            and polls[attempt.id].age_when_seen
            and duration_class(attempt.intent.request) == work_class
        ]

    def now(self) -> float:
        return self.clock.monotonic()

    def task_life(self, attempt: Attempt) -> float:
        """Seconds after which the provider ends a task of the attempt's model."""
        return self.plan.edition.model(str(attempt.intent.request.get("model"))).task_life

    def age(self, since: datetime) -> timedelta:
        """Age of a moment by the wall clock; a clock set ahead during this run makes nothing older."""
        wall, steady = self._started_at
        return min(self.clock.now(), wall + timedelta(seconds=self.now() - steady)) - since

    def credit_totals(self) -> CreditTotals:
        """Credits of this run so far."""
        if self._to_go is None:
            self._to_go = schedule.credits_to_order(self.queue, self.history, self.state, self.limits)
        return CreditTotals(self._ordered, self._to_go)

    def history_changed(self) -> None:
        """Computes anew what follows from plan and history, after one of them was changed from outside."""
        self._to_go = None
        queue = build_queue(self.plan, self.history, self._prior)
        self.work = WorkIndex(queue, self.history, self.state, self.limits)

    def _update_totals(self, attempt_id: str) -> None:
        """Updates the credit totals after one attempt changed."""
        attempt = self.history.attempts[attempt_id]
        if attempt.intent.run != self.limits.run:
            return
        share = sums_of(attempt)
        self._ordered = self._ordered.plus(share).minus(self._shares.get(attempt_id, CreditSums()))
        self._shares[attempt_id] = share
