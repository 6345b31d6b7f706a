"""The scheduler: decides the next orders after every change, from the work at hand, state, time and limits. Pure."""

from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from runner.attempts.attempt import AttemptState
from runner.attempts.film import TakeKey
from runner.attempts.history import History
from runner.engine.eligibility import can_retry, required_materials
from runner.engine.in_flight import MaterialNeed
from runner.engine.limits import RunLimits
from runner.engine.queue import SharedRequest, Target, WorkQueue
from runner.engine.run_state import RunState
from runner.engine.throttle import current_concurrency, may_try_one, poll_share, tokens, waited_too_long
from runner.engine.work_index import WorkIndex
from runner.planning.plan import Plan, Step

# createTask requests in flight: the ledger commits three times for each, and a task that ended waits in that line.
_MAX_CREATING = 16
# Seconds for which a due poll leaves all requests to new tasks: an empty slot costs more than a late poll.
_POLLS_GIVE_WAY = 1.0
# Uploads, and downloads, at a time: more would only share the same line.
_MAX_PUBLISHING = 8
_MAX_STORING = 4
# Materials are published for this many takes beyond the free slots, so that a slot never waits for an upload.
_PUBLISH_AHEAD = 2


class Create(NamedTuple):
    step: Step


class Publish(NamedTuple):
    need: MaterialNeed


class Poll(NamedTuple):
    attempt: str


class Download(NamedTuple):
    attempt: str
    target: Target


class Confirm(NamedTuple):
    """A poll of a task that a webhook named for an unsettled attempt."""

    attempt: str
    task: str


class ReadBill(NamedTuple):
    """A poll of a task that has succeeded, for its bill."""

    attempt: str


class ReadOtherRuns(NamedTuple):
    """The ledger is asked how far the runs of other repositories are with requests that this run needs, too."""

    fingerprints: tuple[str, ...]


class Wait(NamedTuple):
    """An order to wait until this moment (monotonic seconds), unless something changes."""

    until: float


Order = Create | Publish | Poll | Confirm | Download | ReadOtherRuns | ReadBill | Wait


def approved_takes(plan: Plan) -> frozenset[TakeKey]:
    """The takes that the approved plan orders: no others are created, whatever a later plan orders."""
    return frozenset(step.key for step in plan.steps if step.may_order)


def next_orders(work: WorkIndex, state: RunState, now: float, limits: RunLimits) -> list[Order]:
    """Return everything to start now; no orders while nothing is in flight means that the run is over.

    Called after every change, whatever its cause. A `Wait` comes last, with the next moment at which the passing of
    time alone makes an order due. The cost does not grow with the batch: the work is read from its most urgent end,
    as far as slots and request rate reach. Nothing is created before the first poll of each orphan has come back: its
    bill may say that the price book is wrong, and its end frees a slot.
    """
    # After a signal only what is in flight may finish; the run ends as soon as nothing is.
    if state.stop.is_interrupted:
        return []
    scheduler = _Scheduler(work, state, now, limits)
    # Downloads take neither a slot nor a token of the request rate.
    scheduler.downloads()
    polling = not limits.no_wait and not state.polls.stopped
    polls = [*scheduler.due_confirms(), *scheduler.due_polls()] if polling else []
    if state.stop.reason is None and not (polling and work.awaits_first_polls()):
        # Creates before polls: an idle slot costs more than a late poll; `poll_share` keeps polls from starving.
        scheduler.creates(poll_share(state.throttle, scheduler.tokens, scheduler.overdue_polls))
    scheduler.polls(polls)
    if polling:
        scheduler.looks()
        if state.webhooks.is_active:
            scheduler.wait_for_webhooks()
        scheduler.bills()
    return scheduler.result()


class _Scheduler:
    """One scheduling decision: the orders so far, and the moments to wake at."""

    def __init__(self, work: WorkIndex, state: RunState, now: float, limits: RunLimits) -> None:
        self.work = work
        self.history = work.history
        self.state = state
        self.now = now
        self.limits = limits
        self.orders: list[Order] = []
        self.wake_times: list[float] = []
        self.tokens = tokens(state.throttle, now, limits)
        self.lacks_token = False
        self.overdue_polls = 0

    def result(self) -> list[Order]:
        if self.lacks_token:
            # The moment at which a whole token is there again.
            self.wake_times.append(self.now + max(1 - self.tokens, 0.0) / self.limits.requests_per_second)
        if self.wake_times:
            self.orders.append(Wait(min(self.wake_times)))
        return self.orders

    # -- clips --------------------------------------------------------------------------------------------

    def downloads(self) -> None:
        """Order downloads of clips of succeeded tasks, those that another take waits for first."""
        room = _MAX_STORING - len(self.state.downloads)
        for series in self.work.downloads():
            for due_at, attempt_id, target in series:
                if due_at > self.now:
                    self.wake_times.append(due_at)
                    break
                if room <= 0:
                    break
                room -= 1
                self.orders.append(Download(attempt_id, target))

    # -- polls --------------------------------------------------------------------------------------------

    def due_polls(self) -> list[Order]:
        """Due polls, the longest overdue first, no more than the rate limit can allow now."""
        due: list[Order] = []
        # One more than the tokens allow: where it is not due yet, its moment is the next one to wake at.
        for due_at, attempt_id in islice(self.work.polls(), int(self.tokens) + 1):
            if due_at > self.now:
                self.wake_times.append(due_at)
                break
            due.append(Poll(attempt_id))
            self.overdue_polls += due_at <= self.now - _POLLS_GIVE_WAY
        return due

    def due_confirms(self) -> list[Order]:
        """Due polls of the tasks that webhooks named for attempts whose answer was lost, the newest task first."""
        due: list[Order] = []
        for attempt_id, claims in self.state.webhooks.claims():
            attempt = self.history.attempts[attempt_id]
            if attempt.state is not AttemptState.UNSETTLED or attempt_id in self.state.polls:
                continue
            # A shot that left the plan, or one outside of `--select`: `storyboard settle` adopts its task.
            if attempt.intent.fingerprint not in self.work.queue.by_fingerprint:
                continue
            # To a key of another account the provider answers "not found", and a good claim would look false.
            if attempt.needs_other_key(self.state.key_id):
                continue
            tasks = [task_id for task_id, claim in claims.items() if claim.next_at <= self.now]
            # A rejected claim stands at infinity: it must neither be polled nor keep the run waiting.
            self.wake_times += [claim.next_at for claim in claims.values() if self.now < claim.next_at < float("inf")]
            if tasks:
                due.append(Confirm(attempt_id, tasks[-1]))
        return due

    def polls(self, due: list[Order]) -> None:
        """Order due polls, as many as the rate limit allows."""
        for poll in due:
            if not self._spend_token():
                break
            self.orders.append(poll)

    def bills(self) -> None:
        """Order due readings of bills; their moments wake a run that goes on, and keep no run waiting."""
        for attempt in self.state.bills.due(self.now):
            if not self._spend_token():
                break
            self.orders.append(ReadBill(attempt))
        next_at = self.state.bills.next_at(self.now)
        # A bill alone keeps no run open: it grows for 15 minutes, and the next `run` or `fetch` reads it.
        if next_at is not None and (self.wake_times or self.orders or self.state.busy):
            self.wake_times.append(next_at)

    def looks(self) -> None:
        """Order a reading of what the living runs of other repositories make, now and again."""
        fingerprints = self.work.queue.made_by_other_runs
        others = self.state.others
        if not fingerprints or others.is_reading or self.now > others.until:
            return
        if others.next_at <= self.now:
            self.orders.append(ReadOtherRuns(fingerprints))
        else:
            self.wake_times.append(others.next_at)

    def wait_for_webhooks(self) -> None:
        """Keep the run waiting while a webhook may still name the task of an unsettled attempt."""
        self.wake_times += [
            until
            for attempt_id, until in self.state.unsettled.holders(self.now)
            if self.history.attempts[attempt_id].intent.run == self.limits.run
        ]

    def _spend_token(self, reserved: int = 0) -> bool:
        """Take the token of one request; False if none is left but the reserved ones."""
        if self.tokens - reserved < 1:
            self.lacks_token = True
            return False
        self.tokens -= 1
        return True

    # -- new tasks ----------------------------------------------------------------------------------------

    def creates(self, reserved: int) -> None:
        """Order new tasks for the free slots, and public addresses for the takes after them.

        `reserved` tokens are left to overdue polls: without them, clips would come home only after the last task is
        created.
        """
        throttle, state = self.state.throttle, self.state
        if waited_too_long(throttle, self.now, self.limits):
            return
        # One request alone until the first answer: a wrong key, host or model then costs one refusal, not sixteen.
        slots = min(self._slots(), (_MAX_CREATING if throttle.first_answered else 1) - len(state.creates))
        # Slots are closed during a pause, while materials of the next takes are published all the same.
        if throttle.not_before > self.now:
            slots = 0
        lookahead = slots + _PUBLISH_AHEAD
        is_waiting = False
        for group in self.work.creatable():
            if lookahead <= 0:
                break
            step = group.paying_step
            if step is None or self._is_too_early(group):
                continue
            # Counted before the materials are ready: those are just what this take is looked ahead for.
            lookahead -= 1
            ready = self._publish(step)
            if ready and slots > 0 and self._spend_token(reserved):
                slots -= 1
                self.orders.append(Create(step))
            else:
                is_waiting = is_waiting or ready
            if self.lacks_token:
                # Without a token no task is created now: publishing for all free slots would run far ahead.
                lookahead = min(lookahead, _PUBLISH_AHEAD)
        if is_waiting and throttle.not_before > self.now:
            self.wake_times.append(throttle.not_before)
        if is_waiting and throttle.grow_at is not None and throttle.grow_at > self.now:
            self.wake_times.append(throttle.grow_at)

    def _slots(self) -> int:
        """Free slots; after a 429 one more than there are, when a try is due."""
        concurrency = min(current_concurrency(self.state.throttle, self.now), self.limits.concurrency)
        running = self.work.in_progress()
        held = running + self.state.unsettled.held(self.now)
        free = concurrency - held
        # Beyond the learned concurrency, never beyond the user's; and one try at a time.
        if free > 0 or held >= self.limits.concurrency or self.state.creates:
            return free
        return 1 if may_try_one(self.state.throttle, running) else free

    def _is_too_early(self, group: SharedRequest) -> bool:
        """Whether the pause after a 500 is not over yet."""
        retry_at = self.state.creates.not_before(group.fingerprint)
        if retry_at > self.now:
            self.wake_times.append(retry_at)
        return retry_at > self.now

    def _publish(self, step: Step) -> bool:
        """Whether all materials have an address; orders the publishing of those without."""
        addresses, ready = self.state.addresses, True
        for need in required_materials(step, self.history):
            if addresses.is_usable(need, self.now):
                continue
            ready = False
            # On its way already, or refused for good.
            if need in addresses or addresses.refusal_of(need) is not None:
                continue
            if (try_at := addresses.try_at(need)) > self.now:
                self.wake_times.append(try_at)
            elif len(addresses) + self._ordered_publishes() < _MAX_PUBLISHING and Publish(need) not in self.orders:
                self.orders.append(Publish(need))
        return ready

    def _ordered_publishes(self) -> int:
        return sum(isinstance(order, Publish) for order in self.orders)


def credits_to_order(queue: WorkQueue, history: History, state: RunState, limits: RunLimits) -> Decimal:
    """Quoted credits of all tasks that are still to be ordered."""
    return sum((credits_of(group, history, state, limits) for group in queue.groups), Decimal(0))


def credits_of(group: SharedRequest, history: History, state: RunState, limits: RunLimits) -> Decimal:
    """Quoted credits of a group's task, zero when the task is not to be ordered any more."""
    if state.downloads.is_finished(group.fingerprint):
        return Decimal(0)
    step = group.paying_step
    if step is None or step.price.credits is None or step.key not in state.creates.approved:
        return Decimal(0)
    is_published_again = state.rechecks.may_repeat(group.fingerprint)
    may_repeat = can_retry(history.counting_attempts_of(group.fingerprint), limits, is_published_again)
    return step.price.credits if may_repeat else Decimal(0)
