"""A run that has something to send: the loop with its hands, the manifest beside it, and the closing."""

import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from functools import partial

import anyio

from runner.app import approval, orphan_collector, provider_gateway, webhooks
from runner.app.orphaned_attempts import with_strays
from runner.app.project import color, columns
from runner.app.run_store import Records, after, prefix, write_manifests
from runner.app.session import Opened
from runner.attempts.history import History
from runner.clock import Clock
from runner.diagnostics.problem import ExitCode, Stop
from runner.engine.limits import Limits
from runner.engine.run_events import Halt, News, Outcome
from runner.engine.run_loop import Stopping, leading
from runner.engine.run_loop import make as loop
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan
from runner.planning.planner import Asked
from runner.settings.settings import dumb
from runner.show.live.progress import Progress
from runner.show.live.view import JsonView, View, view
from runner.show.screens.closing import closing

_MANIFEST_EVERY = 5.0
"""Seconds between two writings of the manifest while a run works, at least."""
_MANIFEST_SHARE = 200
"""How many times as long as a writing takes the next one waits: a large manifest does not slow the loop."""


def make(desk: Opened, plan: Plan, history: History, records: Records, asked: Asked) -> ExitCode:
    """The run itself, and its closing screen."""
    clock = records.clock
    began = clock.monotonic()
    progress = Progress(ceiling=_ceiling(desk, plan), at_once=desk.settings.concurrency, prefix=prefix(desk))
    people = view(
        sys.stderr,
        progress,
        clock,
        terminal=sys.stderr.isatty() and not dumb(),
        color=color(desk.args, sys.stderr),
        quiet=desk.args.quiet,
    )
    seen: View = JsonView(sys.stdout, people) if desk.args.json else people
    keeper = _Keeper(desk, history, clock)

    def tell(news: News) -> None:
        if news.outcome is not None:
            news = replace(news, outcome=with_strays(desk, history, news.outcome))
        seen.tell(news)
        keeper.tell(news)

    if plan.play and not desk.args.quiet:
        _say_fonts(plan)
    try:
        ended = anyio.run(_made, desk, plan, history, records, asked, tell, seen)
    except BaseException as raised:
        seen.close()
        with suppress(Stop):  # what ended the run is what the user has to read
            write_manifests(desk, history)
        raise (leading(raised) if isinstance(raised, BaseExceptionGroup) else raised) from raised
    seen.close()
    if asked.first_take and not plan.play:
        _note_picks(desk, history, asked)
    write_manifests(desk, history)
    if not desk.args.json:
        told = after(desk, records, history, clock.monotonic() - began)
        print(closing(ended, columns(), color(desk.args, sys.stdout), told), end="")
    return ended.exit_code


async def _made(
    desk: Opened,
    plan: Plan,
    history: History,
    records: Records,
    asked: Asked,
    tell: Callable[[News], None],
    seen: View,
) -> Outcome:
    bounds = replace(records.limits, budgets=approval.budgets(desk, plan, history))
    records.ledger.counting(bounds)
    stopping = Stopping()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        joined = await provider_gateway.open_hands(desk, history, stack)
        group.start_soon(_signals, stopping, seen)
        collect = partial(orphan_collector.collect, desk, history, plan, records, joined, tell)
        async with webhooks.ears(desk, joined.client, records.clock, tell) as heard:
            ended = await loop(
                plan,
                history,
                joined,
                records.ledger,
                records.clock,
                bounds,
                tell,
                _replanned(desk, records, bounds, asked),
                stopping,
                heard=heard,
                first=None if records.limits.no_wait else partial(_bring_strays, stopping, collect),
            )
        group.cancel_scope.cancel()
    return with_strays(desk, history, ended)


Collect = Callable[[Callable[[Halt], None]], Awaitable[None]]


async def _bring_strays(stopping: Stopping, collect: Collect) -> Halt | None:
    """Before anything else, since a task that has ended may still hold a slot; a Ctrl-C leaves them to the next run.

    Returns why nothing is ordered, if one of them says so.
    """
    halts: list[Halt] = []
    async with anyio.create_task_group() as group:

        async def until_stopped() -> None:
            await stopping.first.wait()
            group.cancel_scope.cancel()

        group.start_soon(until_stopped)
        await collect(halts.append)
        group.cancel_scope.cancel()
    return next(iter(halts), None)


def _replanned(desk: Opened, records: Records, bounds: Limits, asked: Asked) -> Callable[[History], Plan]:
    def replan(history: History) -> Plan:
        plan = desk.plan(history, selected=desk.selected, asked=asked)
        records.ledger.counting(replace(bounds, budgets=approval.budgets(desk, plan, history)))
        return plan

    return replan


async def _signals(stopping: Stopping, seen: View) -> None:
    """The first Ctrl-C, SIGTERM or closed terminal stops new tasks, the second leaves at once."""
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heard = [number for number in asked if signal.getsignal(number) is not signal.SIG_IGN]  # nohup means it
    with anyio.open_signal_receiver(*heard) as signals:
        async for _ in signals:
            stopping.ask()
            seen.stopping()


def _note_picks(desk: Opened, history: History, asked: Asked) -> None:
    """What `--first-take` went on with is the pick from now on: else the next run would wait for one again."""
    several = {(shot.storyboard, shot.id) for shot in desk.batch.shots if shot.takes > 1}
    for step in desk.plan(history, asked=asked).steps:
        for material, up in zip(step.shot.request.from_takes, step.upstream, strict=False):
            if material.take is None and (step.shot.storyboard, up.shot) in several:
                history.picks.setdefault((step.shot.storyboard, up.shot), up.take)


@dataclass(slots=True)
class _Keeper:
    """Writes the manifest while a run works, at intervals: a task id stands in it soon after its acceptance."""

    desk: Opened
    history: History
    clock: Clock
    next_at: float = float("-inf")

    def tell(self, news: News) -> None:
        if news.event in ("created", "stored", "failed", "refused", "unsettled"):
            began = self.clock.monotonic()
            if began < self.next_at:
                return
            with suppress(Stop):  # the ledger has it; at the end of the run it is tried again, and said
                write_manifests(self.desk, self.history)
            now = self.clock.monotonic()
            self.next_at = now + max(_MANIFEST_EVERY, _MANIFEST_SHARE * (now - began))


def _say_fonts(plan: Plan) -> None:
    """Which font an animatic of this plan would lack, before it is drawn without."""
    from runner.animatic.fonts import missing_font

    prompts = "".join(step.shot.request.prompt or "" for step in plan.steps if step.orders)
    if not prompts.isascii() and (words := missing_font(prompts)) is not None:
        print(words, file=sys.stderr)


def _ceiling(desk: Opened, plan: Plan) -> Decimal | None:
    """What this command may cost: `--max-credits`, else the price that was agreed to."""
    if plan.play:
        return None
    return desk.settings.max_credits if desk.settings.max_credits is not None else plan.totals.credits
