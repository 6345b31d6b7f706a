"""A run that has something to send: the loop with its hands, the manifest beside it, and the closing."""

import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from functools import partial

import anyio

from runner.app import approval, orphan_collector, provider_gateway, webhooks
from runner.app.orphaned_attempts import with_orphans
from runner.app.project import terminal_width, use_color
from runner.app.run_store import RunStore, closing_context, repo_prefix, write_manifests
from runner.app.session import Session
from runner.attempts.history import History
from runner.clock import Clock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunEvent, RunResult, StopReason
from runner.engine.run_loop import StopRequest, root_cause
from runner.engine.run_loop import run_loop as loop
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan
from runner.planning.planner import PlanOverrides
from runner.settings.settings import is_dumb_terminal
from runner.show.live.progress import Progress
from runner.show.live.view import JsonView, View, view
from runner.show.screens.closing import closing

_MANIFEST_EVERY = 5.0
"""Seconds between two writings of the manifest while a run works, at least."""
_MANIFEST_SHARE = 200
"""How many times as long as a writing takes the next one waits: a large manifest does not slow the loop."""


def execute_plan(session: Session, plan: Plan, history: History, records: RunStore, asked: PlanOverrides) -> ExitCode:
    """The run itself, and its closing screen."""
    clock = records.clock
    began = clock.monotonic()
    progress = Progress(
        ceiling=_ceiling(session, plan), concurrency=session.settings.concurrency, prefix=repo_prefix(session)
    )
    people = view(
        sys.stderr,
        progress,
        clock,
        terminal=sys.stderr.isatty() and not is_dumb_terminal(),
        color=use_color(session.args, sys.stderr),
        quiet=session.args.quiet,
    )
    seen: View = JsonView(sys.stdout, people) if session.args.json else people
    keeper = ManifestWriter(session, history, clock)

    def tell(news: RunEvent) -> None:
        if news.outcome is not None:
            news = replace(news, outcome=with_orphans(session, history, news.outcome))
        seen.tell(news)
        keeper.tell(news)

    if plan.is_free and not session.args.quiet:
        _warn_missing_fonts(plan)
    try:
        ended = anyio.run(_execute, session, plan, history, records, asked, tell, seen)
    except BaseException as raised:
        seen.close()
        with suppress(CommandError):  # what ended the run is what the user has to read
            write_manifests(session, history)
        raise (root_cause(raised) if isinstance(raised, BaseExceptionGroup) else raised) from raised
    seen.close()
    if asked.first_take and not plan.is_free:
        _record_first_take_picks(session, history, asked)
    write_manifests(session, history)
    if not session.args.json:
        told = closing_context(session, records, history, clock.monotonic() - began)
        print(closing(ended, terminal_width(), use_color(session.args, sys.stdout), told), end="")
    return ended.exit_code


async def _execute(
    session: Session,
    plan: Plan,
    history: History,
    records: RunStore,
    asked: PlanOverrides,
    tell: Callable[[RunEvent], None],
    seen: View,
) -> RunResult:
    bounds = replace(records.limits, budgets=approval.storyboard_budgets(session, plan, history))
    records.ledger.set_budget_scope(bounds)
    stopping = StopRequest()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        joined = await provider_gateway.open_gateway(session, history, stack)
        group.start_soon(_signals, stopping, seen)
        collect = partial(orphan_collector.collect_orphans, session, history, plan, records, joined, tell)
        async with webhooks.listen(session, joined.client, records.clock, tell) as heard:
            ended = await loop(
                plan,
                history,
                joined,
                records.ledger,
                records.clock,
                bounds,
                tell,
                _replanned(session, records, bounds, asked),
                stopping,
                inbox=heard,
                before_loop=None if records.limits.no_wait else partial(_orphan_collection, stopping, collect),
            )
        group.cancel_scope.cancel()
    return with_orphans(session, history, ended)


CollectOrphans = Callable[[Callable[[StopReason], None]], Awaitable[None]]


async def _orphan_collection(stopping: StopRequest, collect: CollectOrphans) -> StopReason | None:
    """Before anything else, since a task that has ended may still hold a slot; a Ctrl-C leaves them to the next run.

    Returns why nothing is ordered, if one of them says so.
    """
    halts: list[StopReason] = []
    async with anyio.create_task_group() as group:

        async def until_stopped() -> None:
            await stopping.first.wait()
            group.cancel_scope.cancel()

        group.start_soon(until_stopped)
        await collect(halts.append)
        group.cancel_scope.cancel()
    return next(iter(halts), None)


def _replanned(
    session: Session, records: RunStore, bounds: RunLimits, asked: PlanOverrides
) -> Callable[[History], Plan]:
    def replan(history: History) -> Plan:
        plan = session.plan(history, selected=session.selected, asked=asked)
        records.ledger.set_budget_scope(replace(bounds, budgets=approval.storyboard_budgets(session, plan, history)))
        return plan

    return replan


async def _signals(stopping: StopRequest, seen: View) -> None:
    """The first Ctrl-C, SIGTERM or closed terminal stops new tasks, the second leaves at once."""
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heard = [number for number in asked if signal.getsignal(number) is not signal.SIG_IGN]  # nohup means it
    with anyio.open_signal_receiver(*heard) as signals:
        async for _ in signals:
            stopping.on_signal()
            seen.stopping()


def _record_first_take_picks(session: Session, history: History, asked: PlanOverrides) -> None:
    """What `--first-take` went on with is the pick from now on: else the next run would wait for one again."""
    several = {(shot.storyboard, shot.id) for shot in session.batch.shots if shot.takes > 1}
    for step in session.plan(history, asked=asked).steps:
        for material, up in zip(step.shot.request.from_takes, step.upstream, strict=False):
            if material.take is None and (step.shot.storyboard, up.shot) in several:
                history.picks.setdefault((step.shot.storyboard, up.shot), up.take)


@dataclass(slots=True)
class ManifestWriter:
    """Writes the manifest while a run works, at intervals: a task id stands in it soon after its acceptance."""

    session: Session
    history: History
    clock: Clock
    next_at: float = float("-inf")

    def tell(self, news: RunEvent) -> None:
        if news.event in ("created", "stored", "failed", "refused", "unsettled"):
            began = self.clock.monotonic()
            if began < self.next_at:
                return
            with suppress(CommandError):  # the ledger has it; at the end of the run it is tried again, and said
                write_manifests(self.session, self.history)
            now = self.clock.monotonic()
            self.next_at = now + max(_MANIFEST_EVERY, _MANIFEST_SHARE * (now - began))


def _warn_missing_fonts(plan: Plan) -> None:
    """Which font an animatic of this plan would lack, before it is drawn without."""
    from runner.animatic.fonts import missing_font

    prompts = "".join(step.shot.request.prompt or "" for step in plan.steps if step.is_billable)
    if not prompts.isascii() and (words := missing_font(prompts)) is not None:
        print(words, file=sys.stderr)


def _ceiling(session: Session, plan: Plan) -> Decimal | None:
    """What this command may cost: `--max-credits`, else the price that was agreed to."""
    if plan.is_free:
        return None
    return session.settings.max_credits if session.settings.max_credits is not None else plan.totals.credits
