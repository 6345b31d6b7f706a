"""The main loop of a run: start due orders, record their answers in the ledger, decide again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup

from runner.attempts.attempt import AttemptState
from runner.attempts.events import Event, KeyRefused
from runner.attempts.recovery import outcome_after_crash
from runner.diagnostics.failures import Failure, SeveralFailures
from runner.engine import bills, create, messages, other_runs, poll, schedule, take, transfer, webhooks
from runner.engine.limits import RunLimits
from runner.engine.result import summarize_run
from runner.engine.run_context import RunContext
from runner.engine.run_events import RunResult
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.schedule import Confirm, Create, Download, Order, Poll, Publish, ReadBill, ReadOtherRuns, Wait
from runner.engine.throttle import spend_tokens, waited_too_long
from runner.lazy_dataclass import replace


class StopRequest:
    """Interruption by signals: the first stops creating and lets requests finish, the second ends the run at once."""

    def __init__(self) -> None:
        self.first = anyio.Event()
        self.second = anyio.Event()

    def on_signal(self) -> None:
        """Count one signal."""
        (self.second if self.first.is_set() else self.first).set()


async def run_loop(
    planned: PlannedWork,
    ports: RunPorts,
    limits: RunLimits,
    stop_request: StopRequest,
    inbox: webhooks.WebhookInbox | None = None,
) -> RunResult:
    """Execute a plan; every outcome of network and provider is in the result. `inbox` delivers webhooks.

    Raises `LedgerUnusable` when the ledger can no longer be written, any other exception only for a defect; requests
    in flight are answered and recorded first.
    """
    run = RunContext(planned, ports, limits)
    try:
        await _loop(run, stop_request, inbox)
    except BaseExceptionGroup as group:
        raise root_cause(group) from group
    return _finish_run(run)


def root_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception to report for a group; several failures become one with all their messages."""
    failures = [leaf for leaf in _leaves(group) if isinstance(leaf, Failure)]
    if not failures:
        return next(_leaves(group))
    return failures[0] if len(failures) == 1 else SeveralFailures(failures)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for raised in group.exceptions:
        if isinstance(raised, BaseExceptionGroup):
            yield from _leaves(raised)
        else:
            yield raised


async def _loop(run: RunContext, stop_request: StopRequest, inbox: webhooks.WebhookInbox | None) -> None:
    run.emit_plan()
    async with anyio.create_task_group() as group:
        # Watched before anything else is done, so that the second signal ends even a preflight that hangs.
        group.start_soon(_watch_signals, run, stop_request, group.cancel_scope)
        run.news.on_first(lambda attempt: group.start_soon(take.collect_clip, run, attempt))
        _reserve_unsettled_slots(run)
        create.announce_unsettled_slots(run)
        _warn_other_key(run)
        bills.schedule_readings(run)
        other_runs.announce(run)
        _note_signal(run, stop_request)  # it may be set before `_watch_signals` runs
        await _preflight(run)
        if inbox is not None:
            inbox.attach(run)
            run.state.webhooks.activate()
        _note_signal(run, stop_request)
        while True:
            # Renewed before the decision: a change that comes while orders start sets this event, and is not lost.
            run.renew_change()
            orders = schedule.next_orders(run.work, run.state, run.now(), run.limits)
            _start(run, orders, group, inbox)
            wake_time = next((order.until for order in orders if isinstance(order, Wait)), None)
            # Nothing is in flight and no passing of time makes anything due: no later turn could differ.
            if not run.state.busy and wake_time is None:
                break
            await _wait_for_change(run, wake_time)
        # What still runs now is `_watch_signals`, and takes that wait for news which no order will bring.
        group.cancel_scope.cancel()


def _note_signal(run: RunContext, stop_request: StopRequest) -> None:
    if stop_request.first.is_set():
        run.state.stop.interrupt()


def _start(run: RunContext, orders: list[Order], group: TaskGroup, inbox: webhooks.WebhookInbox | None) -> None:
    """Mark each order as in flight, and start its task."""
    state = run.state
    creates = sum(isinstance(order, Create) for order in orders)
    polls = sum(isinstance(order, Poll | Confirm | ReadBill) for order in orders)
    spend_tokens(state.throttle, run.now(), run.limits, creates, polls)
    for order in orders:
        match order:
            case Create(step):
                # Marked here and not in the coroutine, which runs later: the next decision must not order the same take
                # again.
                state.creates.begin(step.fingerprint or "")
                run.work.touch(step.fingerprint or "")
                group.start_soon(take.make_take, run, step)
            case Publish(need):
                state.addresses.begin(need)
                group.start_soon(transfer.publish, run, need)
            case Poll(attempt):
                state.polls.begin(attempt)
                run.work.touch(run.history.attempts[attempt].intent.fingerprint)
                group.start_soon(poll.poll, run, attempt)
            case ReadBill(attempt):
                state.bills.begin(attempt)
                group.start_soon(bills.read_bill, run, attempt)
            case ReadOtherRuns(fingerprints):
                state.others.begin_reading()
                group.start_soon(other_runs.read_other_runs, run, fingerprints)
            case Confirm(attempt, task) if inbox is not None:
                state.polls.begin(attempt)
                group.start_soon(webhooks.confirm_claim, run, attempt, task, inbox.fetch_record)
            case Download(attempt, target):
                state.downloads.begin((attempt, target.key))
                run.work.touch(target.fingerprint or "")
                run.news.send(attempt, target)


async def _wait_for_change(run: RunContext, wake_time: float | None) -> None:
    """Wait until something changes, or until the wake time."""
    # At least a millisecond: a moment that rounding puts just before `now` would turn the loop without a pause.
    timeout = float("inf") if wake_time is None else max(wake_time - run.now(), 0.001)
    with anyio.move_on_after(timeout):
        await run.changed.wait()


async def _watch_signals(run: RunContext, stop_request: StopRequest, scope: CancelScope) -> None:
    """Stop creating after the first signal; cancel everything after the second."""
    await stop_request.first.wait()
    run.state.stop.interrupt()
    run.wake()
    await stop_request.second.wait()
    # A request whose bytes have left is shielded from cancellation; the second signal gives up its answer, too, and the
    # attempt becomes unsettled.
    for shield in run.shields:
        shield.cancel()
    scope.cancel()


async def _preflight(run: RunContext) -> None:
    """Check host and key with one free request before the first paid one."""
    if run.plan.account.free or run.state.stop.is_interrupted or not any(step.is_billable for step in run.plan.steps):
        return
    answer = await run.provider.preflight()
    stop_reason = messages.preflight(answer) if answer is not None else None
    if stop_reason is not None:
        run.stop_creating(stop_reason)
        if isinstance(answer, KeyRefused):
            # The same key would poll, and the same 401 would come back.
            run.state.polls.stop()


def _reserve_unsettled_slots(run: RunContext) -> None:
    """Reserve a slot for each unsettled attempt of an earlier run, for the rest of a task's life.

    The reservation is at most one task life, even when the wall clock was set back.
    """
    now, wall = run.now(), run.clock.now()
    for attempt in run.history.open():
        if attempt.state is AttemptState.UNSETTLED and not attempt.from_manifest:
            # By the wall clock, since a monotonic one does not outlive the process that sent the request.
            age = (wall - (attempt.sent_at or attempt.intended_at)).total_seconds()
            task_life = run.task_life(attempt)
            run.state.unsettled.hold(attempt.id, now + min(max(task_life - age, 0.0), task_life))


def _warn_other_key(run: RunContext) -> None:
    """Say of each task that another key ordered that it waits: to a key of another account it would look lost."""
    for attempt in run.history.open():
        is_of_plan = attempt.intent.fingerprint in run.queue.by_fingerprint and attempt.task_id is not None
        if is_of_plan and attempt.needs_other_key(run.state.key_id) and not attempt.held_elsewhere:
            run.emit("warning", run.target_of(attempt), attempt.id, messages.other_key(attempt))


def _slots_held_until(run: RunContext) -> datetime | None:
    """The moment when a slot is free again, if unsettled attempts hold all slots and takes wait for one."""
    free_at = run.state.unsettled.next_free(run.now(), run.limits.concurrency)
    if free_at is None or not run.credit_totals().to_go or run.state.stop.reason is not None:
        return None
    return run.clock.now() + timedelta(seconds=free_at - run.now())


def _finish_run(run: RunContext) -> RunResult:
    """Close the intents that this run left open, and summarize the run."""
    # In memory, for the summary: the next start of a run writes the same events into the ledger.
    for attempt in list(run.history.open()):
        if attempt.intent.run == run.limits.run and (payload := outcome_after_crash(attempt)) is not None:
            run.apply(Event(run.clock.now(), attempt.id, payload))
    slots_held_until = _slots_held_until(run)
    if slots_held_until is not None:
        run.emit("warning", message=messages.all_slots_unsettled(slots_held_until))
    if waited_too_long(run.state.throttle, run.now(), run.limits):
        run.emit("warning", message=messages.NO_SLOT)
    # Takes that waited for another shot's end, or for another run, have their state only in a new plan.
    plan = run.replan(run.history) if run.queue.has_undecided else run.plan
    result = summarize_run(plan, run.history, run.state, run.limits, run.credit_totals())
    open_bills = tuple(run.history.attempts[attempt] for attempt in run.state.bills.open())
    result = replace(result, slots_held_until=slots_held_until, open_bills=open_bills)
    run.emit_done(result)
    return result
