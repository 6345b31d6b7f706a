"""The only loop: order, answer, event, ledger, history, and again."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio import CancelScope, to_thread
from anyio.abc import TaskGroup

from runner.attempts.events import Event, KeyRefused
from runner.attempts.history import AttemptState, History, outcome_after_crash
from runner.clock import Clock
from runner.diagnostics.problem import CommandError
from runner.engine import create, messages, poll, schedule, transfer, webhooks
from runner.engine.limits import RunLimits
from runner.engine.ports import LedgerPort, ProviderPort
from runner.engine.result import summarize_run
from runner.engine.run_context import BlockingRunner, RunContext
from runner.engine.run_events import RunEvent, RunResult, StopReason
from runner.engine.schedule import Confirm, Create, Download, Order, Poll, Publish, Wait
from runner.engine.throttle import out_of_patience, spend_tokens
from runner.planning.plan import Plan

T = TypeVar("T")


class StopRequest:
    """What a signal asks for: the first stops creating and leaves what runs, the second leaves at once."""

    def __init__(self) -> None:
        self.first = anyio.Event()
        self.second = anyio.Event()

    def ask(self) -> None:
        """One more signal arrived."""
        (self.second if self.first.is_set() else self.first).set()


def single_worker_thread() -> BlockingRunner:
    """Blocking calls go to worker threads, one at a time."""
    limiter = anyio.CapacityLimiter(1)

    async def aside(work: Callable[[], T], /) -> T:
        return await to_thread.run_sync(work, limiter=limiter)

    return aside


async def run_loop(
    plan: Plan,
    history: History,
    provider: ProviderPort,
    ledger: LedgerPort,
    clock: Clock,
    limits: RunLimits,
    tell: Callable[[RunEvent], None],
    replan: Callable[[History], Plan],
    stopping: StopRequest,
    aside: BlockingRunner | None = None,
    heard: webhooks.WebhookInbox | None = None,
    first: Callable[[], Awaitable[StopReason | None]] | None = None,
) -> RunResult:
    """Makes what the plan orders; whatever network and provider do is in the result. `heard` brings webhooks.

    `first` is done before anything else, once the plan is told; what it returns is why no task may be created, and
    what runs is collected all the same.
    Raises `Stop` when the ledger can no longer be written, and anything else only for a defect of ours; requests on
    their way are answered and recorded first.
    """
    run = RunContext(plan, history, provider, ledger, clock, limits, tell, replan, aside or single_worker_thread())
    try:
        await _loop(run, stopping, heard, first)
    except BaseExceptionGroup as group:
        raise root_cause(group) from group
    return _end(run)


def root_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception that speaks for several tasks that failed together; a `Stop` says what all of them said."""
    stops, _ = group.split(CommandError)
    found = list(_leaves(stops or group))
    if stops is None:
        return found[0]
    words = dict.fromkeys(stop.message for stop in found if isinstance(stop, CommandError))
    return CommandError(min(stop.code for stop in found if isinstance(stop, CommandError)), "\n".join(words))


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for raised in group.exceptions:
        if isinstance(raised, BaseExceptionGroup):
            yield from _leaves(raised)
        else:
            yield raised


async def _loop(
    run: RunContext,
    stopping: StopRequest,
    heard: webhooks.WebhookInbox | None,
    first: Callable[[], Awaitable[StopReason | None]] | None,
) -> None:
    run.emit_plan()
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, run, stopping, group.cancel_scope)
        if first is not None:
            await _run_before_loop(run, first)
        _reserve_unsettled_slots(run)
        _warn_other_key(run)
        run.state.stopping = stopping.first.is_set()  # what was heard by now, whether or not `_watch` came to it
        await _preflight(run)
        if heard is not None:
            heard.attach(run)
            run.state.webhooks_active = True
        run.state.stopping = stopping.first.is_set()
        while True:
            run.changed = anyio.Event()
            found = schedule.next_orders(run.queue, run.history, run.state, run.now(), run.limits)
            _start(run, found, group, heard)
            until = next((order.until for order in found if isinstance(order, Wait)), None)
            if not run.state.busy and until is None:
                break
            await _change(run, until)
        group.cancel_scope.cancel()


async def _run_before_loop(run: RunContext, first: Callable[[], Awaitable[StopReason | None]]) -> None:
    """What comes before the loop's own work; it may change the history."""
    halt = await first()
    run.reset_totals()
    if halt is not None:
        run.halt(halt)


def _start(run: RunContext, found: list[Order], group: TaskGroup, heard: webhooks.WebhookInbox | None) -> None:
    """Notes each order as in flight, and starts it."""
    running = run.state
    requests = sum(isinstance(order, Create | Poll | Confirm) for order in found)
    spend_tokens(running.throttle, run.now(), requests, run.limits)
    for order in found:
        match order:
            case Create(step):
                running.creating.add(step.fingerprint or "")
                group.start_soon(create.create, run, step)
            case Publish(need):
                running.publishing.add(need)
                group.start_soon(transfer.publish, run, need)
            case Poll(attempt):
                running.polling.add(attempt)
                group.start_soon(poll.poll, run, attempt)
            case Confirm(attempt) if heard is not None:
                running.polling.add(attempt)
                group.start_soon(webhooks.confirm_claim, run, attempt, heard.confirm)
            case Download(attempt, step):
                running.storing.add((attempt, step.key))
                group.start_soon(transfer.store, run, attempt, step)


async def _change(run: RunContext, until: float | None) -> None:
    """Until something changed, or the moment has come."""
    patience = float("inf") if until is None else max(until - run.now(), 0.001)
    with anyio.move_on_after(patience):
        await run.changed.wait()


async def _watch(run: RunContext, stopping: StopRequest, scope: CancelScope) -> None:
    await stopping.first.wait()
    run.state.stopping = True
    run.wake()
    await stopping.second.wait()
    for shield in run.shields:
        shield.cancel()
    scope.cancel()


async def _preflight(run: RunContext) -> None:
    """Whether host and key are what they should be: asked once, for nothing, before the first paid request."""
    if run.plan.account.free or run.state.stopping or not any(step.is_billable for step in run.plan.steps):
        return
    answer = await run.provider.preflight()
    halt = messages.preflight(answer) if answer is not None else None
    if halt is not None:
        run.halt(halt)
        run.state.polling_stopped = isinstance(answer, KeyRefused)


def _reserve_unsettled_slots(run: RunContext) -> None:
    """Unsettled attempts of earlier runs hold a slot for what is left of a task's life, whatever the clock says."""
    now, wall, life = run.now(), run.clock.now(), run.limits.task_life
    for attempt in run.history.open():
        if attempt.state is AttemptState.UNSETTLED and not attempt.from_manifest:
            age = (wall - (attempt.sent_at or attempt.intended_at)).total_seconds()
            run.state.unsettled_until[attempt.id] = now + min(max(life - age, 0.0), life)


def _warn_other_key(run: RunContext) -> None:
    """Tasks of another account would look like tasks that are gone: said before anything is waited for."""
    others = {attempt.intent.key_id for attempt in run.history.in_progress() if not attempt.from_manifest}
    if others - {run.provider.key_id, ""}:
        run.emit("warning", words=messages.OTHER_KEY)


def _warn_all_slots_unsettled(run: RunContext) -> None:
    """Doubt keeps its slot for as long as a task can live: when it keeps all of them, waiting is the way out."""
    held = sorted(until for until in run.state.unsettled_until.values() if until > run.now())
    if len(held) >= run.limits.concurrency and run.money().to_go and run.state.halt is None:
        run.emit("warning", words=messages.all_in_doubt(run.clock.now() + timedelta(seconds=held[0] - run.now())))


def _end(run: RunContext) -> RunResult:
    for attempt in list(run.history.open()):
        if attempt.intent.run == run.limits.run and (said := outcome_after_crash(attempt)) is not None:
            run.apply(Event(run.clock.now(), attempt.id, said))
    _warn_all_slots_unsettled(run)
    if out_of_patience(run.state.throttle, run.now(), run.limits):
        run.emit("warning", words=messages.NO_SLOT)
    plan = run.replan(run.history) if run.queue.has_undecided else run.plan
    result = summarize_run(plan, run.history, run.state, run.limits, run.money())
    run.emit_done(result)
    return result
