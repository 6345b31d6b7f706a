"""The context of one run: plan, history, state in flight and credit totals, and the verbs that keep them in step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import anyio
from anyio import CancelScope

from runner.attempts.attempt import Attempt
from runner.attempts.events import Created, Event, Intent, Payload
from runner.attempts.history import duration_class
from runner.clock import Ages
from runner.engine import messages, schedule
from runner.engine.credit_count import CreditCount
from runner.engine.duration_estimates import DurationEstimates, Renewal
from runner.engine.duration_model import DurationEstimate, estimate
from runner.engine.eligibility import can_retry
from runner.engine.in_flight import Creates
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted
from runner.engine.queue import SharedRequest, Target, WorkQueue, build_queue
from runner.engine.run_events import CreditTotals, Kind, Pause, RunEvent, RunResult, Sending, StopReason, Topic
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.run_state import OtherRuns, RunState
from runner.engine.take_news import TakeNews
from runner.engine.throttle import CreateThrottle
from runner.engine.work_index import WorkIndex
from runner.planning.orphans import Orphan
from runner.planning.plan import Step

T = TypeVar("T")
# Expected seconds of a task before any has ended: at the paid provider, and at a free one (the sandbox).
_DEFAULT_SECONDS, _DEFAULT_SECONDS_FREE = 150.0, 2.0


class RunContext:
    """Ports, limits and mutable state of one run.

    `history`, `state` and `shields` are changed in place; `plan`, `work` and the credit totals follow from the history
    and are kept up to date by `append`, `apply`, `import_attempt` and `replan_if_needed`. Code that changes the history
    by other means calls `history_changed`; code that changes `state` for a request calls `wake` or `work.touch`.
    """

    def __init__(self, planned: PlannedWork, ports: RunPorts, limits: RunLimits) -> None:
        plan, history, clock = planned.plan, planned.history, ports.clock
        self.plan = plan
        self.history = history
        self.provider = ports.provider
        self.ledger = ports.ledger
        self.clock = clock
        self.limits = limits
        self.replan = planned.replan
        self.run_blocking = ports.run_blocking
        self._emit = ports.emit
        self._prior = limits.expected or (_DEFAULT_SECONDS_FREE if plan.account.free else _DEFAULT_SECONDS)
        self._wall_ages = Ages(clock)
        self.state = RunState(
            CreateThrottle(limits.concurrency),
            "" if plan.account.free else ports.provider.key_id,
            Creates(schedule.approved_takes(plan)),
            others=OtherRuns(until=clock.monotonic() + limits.wait),
        )
        self.work = WorkIndex(build_queue(plan, history, self._prior), history, self.state, limits)
        self.estimates = DurationEstimates(self._learn_duration)
        self.estimate_renewal, self.poll_renewal = Renewal(), Renewal()
        self.news = TakeNews()
        self.changed = anyio.Event()
        self.shields: set[CancelScope] = set()
        self._credits = CreditCount()

    # -- events -------------------------------------------------------------------------------------------

    async def append(self, attempt_id: str, payload: Payload) -> AlreadyAttempted | None:
        """Commit an event to the ledger, then apply it; return the conflict if the ledger refused it.

        An attempt from a manifest is imported first.
        """
        recorded = self.history.attempts.get(attempt_id)
        conflict = None
        # An event needs a row to stand under, and what only a manifest tells of has none in this ledger.
        if recorded is not None and recorded.from_manifest:
            conflict = await self.import_attempt(recorded)
        if conflict is not None:
            return conflict
        event = Event(self.clock.now(), attempt_id, payload)
        if isinstance(payload, Created):
            self.ledger.write_receipt(event)  # at once: the receipt must not queue behind another attempt's commit
        # Durable before it is true: what the history says has survived a power cut.
        conflict = await self.run_blocking(lambda: self.ledger.append(event))
        if conflict is None:
            self.apply(event)
        return conflict

    async def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """Write a row for an attempt that only a manifest told of; return the conflict if the ledger refused it."""
        conflict = await self.run_blocking(lambda: self.ledger.import_attempt(attempt))
        if conflict is None:
            self._change(attempt.id, attempt.intent.fingerprint, lambda: self.history.mark_imported(attempt.id))
        return conflict

    def apply(self, event: Event) -> None:
        """Apply an event that the ledger has committed."""
        intent = event.payload if isinstance(event.payload, Intent) else self.history.attempts[event.attempt].intent
        self._change(event.attempt, intent.fingerprint, lambda: self.history.apply(event))

    def _change(self, attempt_id: str, fingerprint: str, change: Callable[[], None]) -> None:
        """Change one attempt in the history, and all that follows from it."""
        group = self.queue.by_fingerprint.get(fingerprint)
        # The difference of one request, since a sum over the batch after each event would grow with its square.
        before = self._credits_to_order(group)
        change()
        self._credits.add_to_go(self._credits_to_order(group) - before)
        attempt = self.history.attempts[attempt_id]
        # Totals are those of this run; tasks of earlier runs were ordered under their limits.
        if attempt.intent.run == self.limits.run:
            self._credits.update(attempt)
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
        target: Target | None = None,
        attempt_id: str | None = None,
        message: str = "",
        wait: Pause | None = None,
    ) -> None:
        """Emit an event of one take, or of the run; news of an orphan, which no step stands for, is a warning."""
        if isinstance(target, Orphan):
            self._emit_of_orphan(kind, target, message, wait)
        else:
            self._emit_of_step(kind, target, attempt_id, message, wait)

    def _emit_of_orphan(self, kind: Kind, orphan: Orphan, message: str, wait: Pause | None) -> None:
        text = messages.orphan_news(kind, self.history.attempts[orphan.attempt], message)
        if text:
            self._emit_of_step("warning", None, None, text, wait)
        elif wait is not None:
            self._emit_of_step("waiting", None, None, "", wait)

    def _emit_of_step(
        self, kind: Kind, step: Step | None, attempt_id: str | None, message: str, wait: Pause | None
    ) -> None:
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

    def emit_sending(self) -> None:
        """Emit how far the files are, for the live view; a free provider has them at once."""
        if not self.plan.account.free:
            addresses, whole = self.state.addresses, self.queue.file_count
            sending = Sending(min(addresses.files, whole), whole, addresses.sent_bytes, len(addresses))
            self._emit(RunEvent("waiting", self.clock.now(), money=self.credit_totals(), sending=sending))

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
        is_allowed = self.state.stop.reason is None and step.key in self.state.creates.approved
        return is_allowed and self.may_retry(step.fingerprint or "")

    def may_retry(self, fingerprint: str) -> bool:
        """Whether this run may make one more attempt of a request, by the outcomes so far."""
        attempts = self.history.counting_attempts_of(fingerprint)
        return can_retry(attempts, self.limits, self.state.rechecks.may_repeat(fingerprint))

    def stop_creating(self, reason: StopReason) -> None:
        """Forbid further tasks; the first reason stays."""
        if self.state.stop.forbid_tasks(reason):
            self.emit("warning", message=reason.message)

    # -- plan, durations and totals -----------------------------------------------------------------------

    def wake(self, fingerprint: str | None = None) -> None:
        """Wake the loop, which decides again; the fingerprint is of the request whose state has changed."""
        if fingerprint is not None:
            self.work.touch(fingerprint)
        self.changed.set()

    def renew_change(self) -> None:
        """Begin a turn of the loop: a change that comes from here on wakes it for another one."""
        self.changed = anyio.Event()

    def replan_if_needed(self, fingerprint: str) -> None:
        """Build the plan again after the takes of a request ended, if an undecided take waits for their shots."""
        group = self.queue.by_fingerprint.get(fingerprint)
        shots = {step.shot.key for step in group.steps} if group is not None else set()
        if not shots.isdisjoint(self.queue.awaited_shots):
            self.renew_plan()

    def renew_plan(self) -> None:
        """Build the plan again, after the history changed in what it says of a take."""
        plan = self.replan(self.history)
        # Most changes of the history leave the plan as it was: then the index is kept.
        if plan.steps != self.plan.steps:
            self.plan = plan
            self.history_changed()
            self.emit_plan()

    def target_of(self, attempt: Attempt) -> Target:
        """The target that an attempt of the queue was ordered for: a take of the plan, or an orphan."""
        return self.queue.by_fingerprint[attempt.intent.fingerprint].target_of(attempt)

    def duration_estimate(self, attempt: Attempt) -> DurationEstimate:
        """The estimated duration of tasks of the attempt's class of work."""
        return self.estimates.of(duration_class(attempt.intent.request))

    def _learn_duration(self, work_class: str) -> DurationEstimate:
        return estimate(self.history.durations, work_class, self._prior, self._ages(work_class))

    def _ages(self, work_class: str) -> list[float]:
        """Ages of the running tasks of a class at their last poll, in seconds."""
        running = [attempt for attempt in self.work.running() if duration_class(attempt.intent.request) == work_class]
        polls = [poll for attempt in running if (poll := self.state.polls.of(attempt.id)) is not None]
        return [poll.age_when_seen for poll in polls if poll.age_when_seen]

    def now(self) -> float:
        return self.clock.monotonic()

    def task_life(self, attempt: Attempt) -> float:
        """Seconds after which the provider ends a task of the attempt's model."""
        return self.plan.edition.model(attempt.model or "").task_life

    def age(self, since: datetime) -> timedelta:
        """Age of a moment by the wall clock; a clock set ahead during this run makes nothing older."""
        return self._wall_ages.of(since)

    def credit_totals(self) -> CreditTotals:
        """Credits of this run so far."""
        return self._credits.totals(
            lambda: schedule.credits_to_order(self.queue, self.history, self.state, self.limits)
        )

    def history_changed(self) -> None:
        """Compute anew what follows from plan and history, after one of them was changed from outside."""
        self._credits.recount_to_go()
        queue = build_queue(self.plan, self.history, self._prior)
        self.work = WorkIndex(queue, self.history, self.state, self.limits)
