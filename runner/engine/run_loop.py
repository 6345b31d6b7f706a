"""The only loop: order, answer, event, ledger, history, and again."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio import CancelScope, to_thread
from anyio.abc import TaskGroup

from runner.attempts.events import Event, KeyRefused
from runner.attempts.history import History, State, cut_short
from runner.clock import Clock
from runner.diagnostics.problem import Stop
from runner.engine import create, messages, poll, schedule, transfer, webhooks
from runner.engine.limits import Limits
from runner.engine.ports import Ledger, Provider
from runner.engine.result import outcome
from runner.engine.run_context import Aside, Run
from runner.engine.run_events import Halt, News, Outcome
from runner.engine.schedule import Confirm, Create, Download, Order, Poll, Publish, Wait
from runner.engine.throttle import out_of_patience, spend_tokens
from runner.planning.plan import Plan

T = TypeVar("T")


class Stopping:
    """What a signal asks for: the first stops creating and leaves what runs, the second leaves at once."""

    def __init__(self) -> None:
        self.first = anyio.Event()
        self.second = anyio.Event()

    def ask(self) -> None:
        """One more signal arrived."""
        (self.second if self.first.is_set() else self.first).set()


def in_one_thread() -> Aside:
    """Blocking calls go to worker threads, one at a time."""
    limiter = anyio.CapacityLimiter(1)

    async def aside(work: Callable[[], T], /) -> T:
        return await to_thread.run_sync(work, limiter=limiter)

    return aside


async def make(
    plan: Plan,
    history: History,
    provider: Provider,
    ledger: Ledger,
    clock: Clock,
    limits: Limits,
    tell: Callable[[News], None],
    replan: Callable[[History], Plan],
    stopping: Stopping,
    aside: Aside | None = None,
    heard: webhooks.Hints | None = None,
    first: Callable[[], Awaitable[Halt | None]] | None = None,
) -> Outcome:
    """Makes what the plan orders; whatever network and provider do is in the result. `heard` brings webhooks.

    `first` is done before anything else, once the plan is told; what it returns is why no task may be created, and
    what runs is collected all the same.
    Raises `Stop` when the ledger can no longer be written, and anything else only for a defect of ours; requests on
    their way are answered and recorded first.
    """
    run = Run(plan, history, provider, ledger, clock, limits, tell, replan, aside or in_one_thread())
    try:
        await _loop(run, stopping, heard, first)
    except BaseExceptionGroup as group:
        raise leading(group) from group
    return _end(run)


def leading(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception that speaks for several tasks that failed together; a `Stop` says what all of them said."""
    stops, _ = group.split(Stop)
    found = list(_leaves(stops or group))
    if stops is None:
        return found[0]
    words = dict.fromkeys(stop.words for stop in found if isinstance(stop, Stop))
    return Stop(min(stop.code for stop in found if isinstance(stop, Stop)), "\n".join(words))


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for raised in group.exceptions:
        if isinstance(raised, BaseExceptionGroup):
            yield from _leaves(raised)
        else:
            yield raised


async def _loop(
    run: Run, stopping: Stopping, heard: webhooks.Hints | None, first: Callable[[], Awaitable[Halt | None]] | None
) -> None:
    run.tell_plan()
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, run, stopping, group.cancel_scope)
        if first is not None:
            await _before(run, first)
        _hold_doubts(run)
        _know_the_key(run)
        run.running.stopping = stopping.first.is_set()  # what was heard by now, whether or not `_watch` came to it
        await _preflight(run)
        if heard is not None:
            heard.attend(run)
            run.running.listening = True
        run.running.stopping = stopping.first.is_set()
        while True:
            run.changed = anyio.Event()
            found = schedule.orders(run.agenda, run.history, run.running, run.now(), run.limits)
            _start(run, found, group, heard)
            until = next((order.until for order in found if isinstance(order, Wait)), None)
            if not run.running.busy and until is None:
                break
            await _change(run, until)
        group.cancel_scope.cancel()


async def _before(run: Run, first: Callable[[], Awaitable[Halt | None]]) -> None:
    """What comes before the loop's own work; it may change the history."""
    halt = await first()
    run.recount()
    if halt is not None:
        run.halt(halt)


def _start(run: Run, found: list[Order], group: TaskGroup, heard: webhooks.Hints | None) -> None:
    """Notes each order as in flight, and starts it."""
    running = run.running
    requests = sum(isinstance(order, Create | Poll | Confirm) for order in found)
    spend_tokens(running.pace, run.now(), requests, run.limits)
    for order in found:
        match order:
            case Create(step):
                running.creating.add(step.fingerprint or "")
                group.start_soon(create.create, run, step)
            case Publish(need):
                running.publishing.add(need)
                group.start_soon(transfer.publish, run, need)
            case Poll(attempt):
                running.looking.add(attempt)
                group.start_soon(poll.look, run, attempt)
            case Confirm(attempt) if heard is not None:
                running.looking.add(attempt)
                group.start_soon(webhooks.adopt, run, attempt, heard.confirm)
            case Download(attempt, step):
                running.storing.add((attempt, step.key))
                group.start_soon(transfer.store, run, attempt, step)


async def _change(run: Run, until: float | None) -> None:
    """Until something changed, or the moment has come."""
    patience = float("inf") if until is None else max(until - run.now(), 0.001)
    with anyio.move_on_after(patience):
        await run.changed.wait()


async def _watch(run: Run, stopping: Stopping, scope: CancelScope) -> None:
    await stopping.first.wait()
    run.running.stopping = True
    run.again()
    await stopping.second.wait()
    for shield in run.shields:
        shield.cancel()
    scope.cancel()


async def _preflight(run: Run) -> None:
    """Whether host and key are what they should be: asked once, for nothing, before the first paid request."""
    if run.plan.account.free or run.running.stopping or not any(step.orders for step in run.plan.steps):
        return
    answer = await run.provider.preflight()
    halt = messages.preflight(answer) if answer is not None else None
    if halt is not None:
        run.halt(halt)
        run.running.deaf = isinstance(answer, KeyRefused)


def _hold_doubts(run: Run) -> None:
    """Unsettled attempts of earlier runs hold a slot for what is left of a task's life, whatever the clock says."""
    now, wall, life = run.now(), run.clock.now(), run.limits.task_life
    for attempt in run.history.open():
        if attempt.state is State.UNSETTLED and not attempt.elsewhere:
            age = (wall - (attempt.sent_at or attempt.intended_at)).total_seconds()
            run.running.doubts[attempt.id] = now + min(max(life - age, 0.0), life)


def _know_the_key(run: Run) -> None:
    """Tasks of another account would look like tasks that are gone: said before anything is waited for."""
    others = {attempt.intended.key_id for attempt in run.history.in_progress() if not attempt.elsewhere}
    if others - {run.provider.key_id, ""}:
        run.tell("warning", words=messages.OTHER_KEY)


def _say_when_doubt_ends(run: Run) -> None:
    """Doubt keeps its slot for as long as a task can live: when it keeps all of them, waiting is the way out."""
    held = sorted(until for until in run.running.doubts.values() if until > run.now())
    if len(held) >= run.limits.concurrency and run.money().to_go and run.running.halt is None:
        run.tell("warning", words=messages.all_in_doubt(run.clock.now() + timedelta(seconds=held[0] - run.now())))


def _end(run: Run) -> Outcome:
    for attempt in list(run.history.open()):
        if attempt.intended.run == run.limits.run and (said := cut_short(attempt)) is not None:
            run.feed(Event(run.clock.now(), attempt.id, said))
    _say_when_doubt_ends(run)
    if out_of_patience(run.running.pace, run.now(), run.limits):
        run.tell("warning", words=messages.NO_SLOT)
    plan = run.replan(run.history) if run.agenda.waiting else run.plan
    result = outcome(plan, run.history, run.running, run.limits, run.money())
    run.tell_done(result)
    return result
