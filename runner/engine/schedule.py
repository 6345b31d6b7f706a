"""The scheduler: decides the next orders after every change, from queue, history, state, time and limits. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from runner.attempts.attempt import AT_HAND, OPEN, Attempt, AttemptState
from runner.attempts.history import History
from runner.engine.limits import RunLimits
from runner.engine.queue import SharedRequest, WorkQueue
from runner.engine.run_state import MaterialNeed, RunState, TakeKey
from runner.engine.throttle import current_concurrency, may_try_one, tokens, waited_too_long
from runner.planning.plan import BILLABLE, Plan, Step
from runner.requests.request import RemoteFile, TakeReference

SERVER_ERROR_REPEATS = 3
NOT_SENT_TRIES = 5
_MAX_PUBLISHING = 4
_MAX_STORING = 4
_PUBLISH_AHEAD = 2
"""Materials are published for this many takes beyond the free slots, so that a slot never waits for an upload."""


class Create(NamedTuple):
    step: Step


class Publish(NamedTuple):
    need: MaterialNeed


class Poll(NamedTuple):
    attempt: str


class Download(NamedTuple):
    attempt: str
    step: Step


class Confirm(NamedTuple):
    """A poll of a task that a webhook named for an unsettled attempt."""

    attempt: str
    task: str


class Wait(NamedTuple):
    """Nothing more to do before this moment (monotonic seconds), unless something changes."""

    until: float


Order = Create | Publish | Poll | Confirm | Download | Wait


def approved_takes(plan: Plan) -> frozenset[TakeKey]:
    """The takes that the approved plan orders: no others are created, whatever a later plan orders."""
    return frozenset(step.key for step in plan.steps if step.action in BILLABLE and step.waits_for != "pick")


def next_orders(queue: WorkQueue, history: History, state: RunState, now: float, limits: RunLimits) -> list[Order]:
    """Returns everything to start now; no orders while nothing is in flight means that the run is over.

    Called after every change, whatever its cause. A `Wait` comes last, with the next moment at which the passing of
    time alone makes an order due.
    """
    if state.stopping:
        return []
    scheduler = _Scheduler(queue, history, state, now, limits)
    scheduler.downloads()
    if state.stop_reason is None:
        scheduler.creates()  # before polls: an empty slot costs more than a late poll
    if not limits.no_wait and not state.polling_stopped:
        scheduler.confirms()
        scheduler.polls()
        if state.webhooks_active:
            scheduler.wait_for_webhooks()
    return scheduler.result()


class _Scheduler:
    """One scheduling decision: the orders so far, and the moments to wake at."""

    def __init__(self, queue: WorkQueue, history: History, state: RunState, now: float, limits: RunLimits) -> None:
        self.queue = queue
        self.history = history
        self.state = state
        self.now = now
        self.limits = limits
        self.orders: list[Order] = []
        self.wake_times: list[float] = []
        self.tokens = tokens(state.throttle, now, limits)

    def result(self) -> list[Order]:
        if self.wake_times:
            self.orders.append(Wait(min(self.wake_times)))
        return self.orders

    # -- clips --------------------------------------------------------------------------------------------

    def downloads(self) -> None:
        """Orders downloads of clips of succeeded tasks, those that another take waits for first."""
        room = _MAX_STORING - len(self.state.storing)
        due = [(attempt, step) for attempt, step in self._unstored() if self._may_store(attempt, step)]
        due.sort(key=lambda pair: not self._is_needed(pair[1]))
        self.orders += [Download(attempt.id, step) for attempt, step in due[: max(room, 0)]]

    def _unstored(self) -> Iterator[tuple[Attempt, Step]]:
        succeeded: set[str] = set()
        for attempt in self.history.open():
            group = self.queue.by_fingerprint.get(attempt.intent.fingerprint)
            if attempt.state is AttemptState.SUCCEEDED and group is not None and self.history.is_of_film(attempt):
                succeeded.add(group.fingerprint)
                yield from ((attempt, step) for step in group.steps)
        for group in self.queue.multi_clip_groups:
            current = self.history.current_attempt(group.fingerprint)
            if group.fingerprint not in succeeded and current is not None and current.state is AttemptState.STORED:
                yield from ((current, step) for step in group.steps)

    def _may_store(self, attempt: Attempt, step: Step) -> bool:
        key = (attempt.id, step.key)
        if key in self.state.stored or key in self.state.storing or attempt.id in self.state.polling:
            return False
        download = self.state.downloads.get(key)
        if download is not None and (download.given_up or download.next_at > self.now):
            if not download.given_up:
                self.wake_times.append(download.next_at)
            return False
        if attempt.state is AttemptState.STORED and download is None:
            return True
        return bool(attempt.outputs) and attempt.id in self.state.fresh_links

    def _is_needed(self, step: Step) -> bool:
        return any(
            step.fingerprint == up.fingerprint for group in self.queue.groups[:50] for up in group.steps[0].upstream
        )

    # -- polls --------------------------------------------------------------------------------------------

    def polls(self) -> None:
        """Orders due polls, the longest overdue first, as many as the rate limit allows."""
        due: list[tuple[float, str]] = []
        for attempt in (*self.history.open(), *self._missing_clips()):
            if attempt.id in self.state.polling or attempt.intent.fingerprint not in self.queue.by_fingerprint:
                continue
            if not self.history.is_of_film(attempt):
                continue
            due_at = self._poll_due_at(attempt)
            if due_at is not None and due_at <= self.now:
                due.append((due_at, attempt.id))
            elif due_at is not None:
                self.wake_times.append(due_at)
        for _, attempt_id in sorted(due):
            if not self._spend_token():
                break
            self.orders.append(Poll(attempt_id))

    def confirms(self) -> None:
        """Orders polls of the tasks that webhooks named for attempts whose answer was lost, the newest task first."""
        for attempt_id, claims in self.state.webhook_claims.items():
            attempt = self.history.attempts[attempt_id]
            if attempt.state is not AttemptState.UNSETTLED or attempt_id in self.state.polling:
                continue
            if attempt.intent.fingerprint not in self.queue.by_fingerprint:
                continue
            due = [task_id for task_id, claim in claims.items() if claim.next_at <= self.now]
            self.wake_times += [claim.next_at for claim in claims.values() if self.now < claim.next_at < float("inf")]
            if due and self._spend_token():
                self.orders.append(Confirm(attempt_id, due[-1]))

    def wait_for_webhooks(self) -> None:
        """Keeps the run waiting while a webhook may still name the task of an unsettled attempt."""
        self.wake_times += [
            until
            for attempt_id, until in self.state.unsettled_until.items()
            if until > self.now and self.history.attempts[attempt_id].intent.run == self.limits.run
        ]

    def _missing_clips(self) -> Iterator[Attempt]:
        """Attempts whose clip was stored once, is missing now, and needs a new link."""
        for group in self.queue.multi_clip_groups:
            attempt = self.history.current_attempt(group.fingerprint)
            if attempt is None or attempt.state is not AttemptState.STORED:
                continue
            if any((attempt.id, step.key) in self.state.downloads for step in group.steps):
                yield attempt

    def _poll_due_at(self, attempt: Attempt) -> float | None:
        """When to poll an attempt; None when a poll cannot help, or the run has waited long enough."""
        if attempt.task_id is None or attempt.state not in (
            AttemptState.RUNNING,
            AttemptState.SUCCEEDED,
            AttemptState.STORED,
        ):
            return None
        if attempt.from_manifest and self._blocked_by_local_attempt(attempt):
            return None
        poll_state = self.state.polls.get(attempt.id)
        if attempt.state is not AttemptState.RUNNING and not self._needs_link(attempt):
            return None
        if poll_state is None:
            return self.now
        if attempt.state is AttemptState.RUNNING and poll_state.next_at - poll_state.waiting_since > self.limits.wait:
            return None
        return poll_state.next_at

    def _blocked_by_local_attempt(self, attempt: Attempt) -> bool:
        """Whether a task from a manifest has to wait, because this ledger has an open attempt of the same take."""
        fingerprint = attempt.intent.fingerprint
        return fingerprint in self.state.claimed_elsewhere or self.history.current_attempt(fingerprint) is not attempt

    def _needs_link(self, attempt: Attempt) -> bool:
        if attempt.id in self.state.fresh_links and attempt.outputs:
            return False
        steps = self.queue.by_fingerprint[attempt.intent.fingerprint].steps
        keys = [(attempt.id, step.key) for step in steps]
        downloads = [self.state.downloads.get(key) for key in keys if key not in self.state.stored]
        return any(download is None or not download.given_up for download in downloads)

    def _spend_token(self) -> bool:
        if self.tokens < 1:
            self.wake_times.append(self.now + (1 - self.tokens) / self.limits.requests_per_second)
            return False
        self.tokens -= 1
        return True

    # -- new tasks ----------------------------------------------------------------------------------------

    def creates(self) -> None:
        """Orders new tasks for the free slots, and public addresses for the takes after them."""
        throttle, state = self.state.throttle, self.state
        if waited_too_long(throttle, self.now, self.limits):
            return
        slots = self._slots()
        if not throttle.first_answered:
            slots = min(slots, 1 - len(state.creating))
        if throttle.not_before > self.now:
            slots = 0
        lookahead = slots + _PUBLISH_AHEAD
        is_waiting = False
        open_fingerprints = {attempt.intent.fingerprint for attempt in self.history.open()}
        for group in self.queue.groups:
            if lookahead <= 0:
                break
            if group.fingerprint in state.finished or group.fingerprint in open_fingerprints:
                continue
            if (step := self._creatable(group)) is None:
                continue
            lookahead -= 1
            ready = self._publish(step)
            if ready and slots > 0 and self._spend_token():
                slots -= 1
                self.orders.append(Create(step))
            else:
                is_waiting = is_waiting or ready
        if is_waiting and throttle.not_before > self.now:
            self.wake_times.append(throttle.not_before)
        if is_waiting and throttle.grow_at is not None and throttle.grow_at > self.now:
            self.wake_times.append(throttle.grow_at)

    def _slots(self) -> int:
        """Free slots; after a 429 one more than there are, when a try is due."""
        concurrency = min(current_concurrency(self.state.throttle, self.now), self.limits.concurrency)
        running = in_progress(self.queue, self.history, self.state)
        held = running + unsettled_slots(self.state, self.now)
        free = concurrency - held
        if free > 0 or held >= self.limits.concurrency or self.state.creating:
            return free
        return 1 if may_try_one(self.state.throttle, running) else free

    def _creatable(self, group: SharedRequest) -> Step | None:
        """The step to create a group's task for; None when the task may not be created now."""
        step = group.paying_step
        state = self.state
        if step is None or step.key not in state.approved or group.fingerprint in state.creating:
            return None
        if group.fingerprint in state.claimed_elsewhere or step.shot.request.model in state.forbidden_models:
            return None
        if not self._can_retry(group.fingerprint):
            return None
        if not all(self._has_clip(up.fingerprint) for up in step.upstream):
            return None
        retry_at = state.retry_at.get(group.fingerprint, 0.0)
        if retry_at > self.now:
            self.wake_times.append(retry_at)
            return None
        return step

    def _can_retry(self, fingerprint: str) -> bool:
        return can_retry(self.history.attempts_of(fingerprint), self.limits)

    def _has_clip(self, fingerprint: str) -> bool:
        attempt = self.history.current_attempt(fingerprint)
        if attempt is None or attempt.state is not AttemptState.STORED:
            return False
        group = self.queue.by_fingerprint.get(fingerprint)
        return group is None or any((attempt.id, step.key) in self.state.stored for step in group.steps)

    def _publish(self, step: Step) -> bool:
        """Whether all materials have an address; orders the publishing of those without."""
        needs = required_materials(step, self.history)
        ready = True
        for need in needs:
            if need in self.state.addresses:
                continue
            ready = False
            tries = self.state.publish_tries.get(need)
            if need in self.state.unpublishable or need in self.state.publishing:
                continue
            if tries is not None and tries.next_at > self.now:
                self.wake_times.append(tries.next_at)
            elif (
                len(self.state.publishing) + self._ordered_publishes() < _MAX_PUBLISHING
                and Publish(need) not in self.orders
            ):
                self.orders.append(Publish(need))
        return ready

    def _ordered_publishes(self) -> int:
        return sum(isinstance(order, Publish) for order in self.orders)


def in_progress(queue: WorkQueue, history: History, state: RunState) -> int:
    """Slots that this run holds: createTask requests in flight, and running tasks."""
    tasks = sum(
        attempt.state is AttemptState.RUNNING
        for attempt in history.open()
        if attempt.intent.fingerprint in queue.by_fingerprint
    )
    return len(state.creating) + tasks


def unsettled_slots(state: RunState, now: float) -> int:
    """Slots that unsettled attempts hold: each may be a running task, for as long as a task can live."""
    return sum(until > now for until in state.unsettled_until.values())


def can_retry(attempts: list[Attempt], limits: RunLimits) -> bool:
    """Whether this run may make one more attempt of a take, by all attempts so far.

    No after an open attempt, a clip, a refusal or an unsettled attempt. Yes after an attempt that was proved not
    created, or that failed at the provider's fault, within the retries. Outcomes of earlier runs are in the plan's
    action already.
    """
    if any(attempt.state in OPEN or attempt.state in AT_HAND for attempt in attempts):
        return False
    own = [attempt for attempt in attempts if attempt.intent.run == limits.run and not attempt.from_manifest]
    if not own:
        return True
    match own[-1].state:
        case AttemptState.NOT_CREATED:
            return True
        case AttemptState.FAILED:
            return _may_repeat(own, limits)
        case AttemptState.MAYBE_CHARGED:
            return limits.server_error == "retry"
        case _:
            return False


def _may_repeat(own: list[Attempt], limits: RunLimits) -> bool:
    failure = own[-1].failure
    allowed_repeats = {"provider": limits.retries_provider, "review": limits.retries_review}.get(failure or "other", 0)
    return (
        sum(attempt.state is AttemptState.FAILED and attempt.failure == failure for attempt in own) <= allowed_repeats
    )


def repeats_left(attempts: list[Attempt], limits: RunLimits) -> bool:
    """Whether a documented 500 may be repeated: at most three times, over all runs, until the user settles it."""
    server_errors = sum(attempt.state is AttemptState.MAYBE_CHARGED for attempt in attempts)
    return limits.server_error == "retry" and server_errors < SERVER_ERROR_REPEATS


def credits_to_order(queue: WorkQueue, history: History, state: RunState, limits: RunLimits) -> Decimal:
    """Quoted credits of all tasks that are still to be ordered."""
    return sum((credits_of(group, history, state, limits) for group in queue.groups), Decimal(0))


def credits_of(group: SharedRequest, history: History, state: RunState, limits: RunLimits) -> Decimal:
    """Quoted credits of a group's task, zero when the task is not to be ordered any more."""
    if group.fingerprint in state.finished:
        return Decimal(0)
    step = group.paying_step
    if step is None or step.price.credits is None or step.key not in state.approved:
        return Decimal(0)
    return step.price.credits if can_retry(history.attempts_of(group.fingerprint), limits) else Decimal(0)


def required_materials(step: Step, history: History) -> list[MaterialNeed]:
    """The materials that need a public address before the step's task can be created."""
    needs: list[MaterialNeed] = []
    for material in step.shot.request.materials:
        if isinstance(material, TakeReference):
            source = history.current_attempt(step.resolve(material).fingerprint)
            needs.append(MaterialNeed(material, source.id if source is not None else None))
        elif not isinstance(material, RemoteFile):
            needs.append(MaterialNeed(material, None))
    return list(dict.fromkeys(needs))
