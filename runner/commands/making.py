"""A run's hands: the client, the clips and the ledger joined for the loop, the manifest beside it, and the closing."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import anyio

from runner.clock import Clock, SystemClock
from runner.commands import asking, hands, hearing
from runner.commands.opening import Opened, color, columns, typed
from runner.commands.pricing import BUILT
from runner.deciding import Asked
from runner.engine.inflight import Running
from runner.engine.limits import Limits
from runner.engine.loop import Stopping, leading
from runner.engine.loop import make as loop
from runner.engine.news import Money, News, Outcome
from runner.engine.outcome import outcome
from runner.engine.pace import Pace
from runner.events import Event
from runner.history import History
from runner.plan import Action, Plan
from runner.problems import ExitCode, Stop
from runner.records import locks, manifest
from runner.records.clips import Shelf
from runner.records.ledger import Ledger
from runner.records.repository import uncommitted
from runner.settings import dumb
from runner.show.closing import After, closing
from runner.show.live import JsonView, View, view
from runner.show.plan import Around, nothing_to_do, screen
from runner.show.progress import Progress

_DOWNLOADS = 4
_MANIFEST_EVERY = 5.0
"""Seconds between two writings of the manifest while a run works."""


@dataclass(frozen=True, slots=True)
class Records:
    """The ledger of one run, whose outputs are locked for it."""

    desk: Opened
    ledger: Ledger
    clock: Clock
    limits: Limits

    def history(self) -> History:
        repository = self.desk.repository
        return self.ledger.history(self.desk.settings.account, repository.id, repository.path_id)

    def last_day(self) -> Decimal:
        """Credits of the account over the last 24 hours."""
        return self.ledger.spent_last_24h(self.desk.settings.account)


@contextmanager
def records(desk: Opened) -> Iterator[Records]:
    """Locks the outputs and opens the ledger for a run; exit 7 when another run holds one of the outputs."""
    outputs = [desk.output(board.path) for board in desk.batch.storyboards]
    for output in outputs:
        _writable(desk, output)
    with locks.hold(desk.settings.state, outputs), ledger(desk) as opened:
        yield opened


@contextmanager
def ledger(desk: Opened) -> Iterator[Records]:
    """The ledger for writing, beside whatever else works with it."""
    clock = SystemClock()
    opened = Ledger(desk.settings.state, clock)
    try:
        bounds = limits(desk, clock.token())
        opened.begin(desk.settings.account, desk.repository.id, bounds, desk.repository.path_id)
        yield Records(desk, opened, clock, bounds)
    finally:
        opened.close()


def _writable(desk: Opened, output: Path) -> None:
    """Found out before anything is paid."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Stop(
            ExitCode.UNFIT,
            f"{desk.shown(output)} cannot be written ({error.strerror}): mend its rights, or choose another --output",
        ) from error


def limits(desk: Opened, run: str) -> Limits:
    """The limits of this run, out of settings and flags; budgets come with the plan."""
    settings = desk.settings
    return Limits(
        run=run,
        concurrency=settings.concurrency,
        task_life=desk.edition.task_life,
        retries_provider=settings.retries_provider,
        retries_review=settings.retries_review,
        server_error="settle" if settings.server_error == "settle" else "retry",
        fail_fast=getattr(desk.args, "fail_fast", False),
        no_wait=getattr(desk.args, "no_wait", False),
        requests_per_second=50 if settings.account.free else settings.requests_per_second,
        max_credits=settings.max_credits,
        credits_per_day=settings.credits_per_day,
    )


def nothing(desk: Opened, plan: Plan, history: History, records: Records) -> ExitCode:
    """A run that has nothing to send: the manifest is brought up to date, and the screen says how things stand."""
    ended = outcome(plan, history, Running(Pace(1)), records.limits, Money())
    write_manifests(desk, history)
    if desk.args.json:
        seen = JsonView(sys.stdout)
        seen.tell(News("done", records.clock.now(), plan=plan, outcome=ended))
        seen.close()
    elif nothing_to_do(plan):
        print(
            screen(plan, columns(), color(desk.args, sys.stdout), around=Around(typed=typed(desk.args, desk.files))),
            end="",
        )
    else:
        print(closing(ended, columns(), color(desk.args, sys.stdout), _after(desk, 0)), end="")
    return ended.exit_code


def shelve(plan: Plan, history: History, records: Records) -> None:
    """Clips that are made and lie under another name (a renamed shot, a shared request) get the name of their take."""
    desk = records.desk
    shelf = Shelf(desk.settings.root, desk.output, hands.owner(history))
    for step in plan.steps:
        attempt = history.attempts.get(step.attempt or "")
        if step.action is not Action.KEEP or attempt is None or shelf.target(step).is_file():
            continue
        if (stored := shelf.recall(attempt, step)) is not None:
            event = Event(records.clock.now(), attempt.id, stored)
            if attempt.elsewhere:
                records.ledger.take_in(attempt)
            records.ledger.append(event)
            history.feed(event)


def make(desk: Opened, plan: Plan, history: History, records: Records, asked: Asked) -> ExitCode:
    """The run itself, and its closing screen."""
    clock = records.clock
    began = clock.monotonic()
    progress = Progress(ceiling=_ceiling(desk, plan), at_once=desk.settings.concurrency)
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
        seen.tell(news)
        keeper.tell(news)

    if plan.play and not desk.args.quiet:
        _say_fonts(plan)
    try:
        ended = anyio.run(_made, desk, plan, history, records, asked, tell, seen)
    except BaseExceptionGroup as group:
        raise leading(group) from group
    finally:
        seen.close()
        if asked.first_take and not plan.play:
            _note_picks(desk, history, asked)
        write_manifests(desk, history)
    if not desk.args.json:
        print(closing(ended, columns(), color(desk.args, sys.stdout), _after(desk, clock.monotonic() - began)), end="")
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
    bounds = replace(records.limits, budgets=asking.budgets(desk, plan, history))
    records.ledger.counting(bounds)
    stopping = Stopping()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        joined = await hands.open_hands(desk, history, stack)
        group.start_soon(_signals, stopping, seen)
        async with hearing.ears(desk, joined.client, records.clock, tell) as heard:
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
            )
        group.cancel_scope.cancel()
    return ended


def _replanned(desk: Opened, records: Records, bounds: Limits, asked: Asked) -> Callable[[History], Plan]:
    def replan(history: History) -> Plan:
        plan = desk.plan(history, selected=desk.selected, asked=asked)
        records.ledger.counting(replace(bounds, budgets=asking.budgets(desk, plan, history)))
        return plan

    return replan


async def _signals(stopping: Stopping, seen: View) -> None:
    """The first Ctrl-C, SIGTERM or closed terminal stops new tasks, the second leaves at once."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
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
    written: float = float("-inf")

    def tell(self, news: News) -> None:
        if news.event in ("created", "stored", "failed", "refused", "unsettled"):
            now = self.clock.monotonic()
            if now - self.written >= _MANIFEST_EVERY:
                write_manifests(self.desk, self.history)
                self.written = self.clock.monotonic()


def write_manifests(desk: Opened, history: History) -> None:
    """Every storyboard's manifest, as the history has it; the whole of each, whatever was selected."""
    plan = desk.plan(history)
    for board in desk.batch.storyboards:
        path = desk.output(board.path) / manifest.NAME
        try:
            manifest.write(path, manifest.compose(plan, history, board.path))
        except OSError as error:
            raise Stop(
                ExitCode.UNFIT,
                f"{desk.shown(path)} cannot be written ({error.strerror}); what was made stands in the ledger, and the "
                "next run writes it",
            ) from error


def _say_fonts(plan: Plan) -> None:
    """Which font an animatic of this plan would lack, before it is drawn without."""
    from runner.sandbox.animatic.fonts import missing_font

    prompts = "".join(step.shot.request.prompt or "" for step in plan.steps if step.orders)
    if not prompts.isascii() and (words := missing_font(prompts)) is not None:
        print(words, file=sys.stderr)


def _ceiling(desk: Opened, plan: Plan) -> Decimal | None:
    """What this command may cost: `--max-credits`, else the price that was agreed to."""
    if plan.play:
        return None
    return desk.settings.max_credits if desk.settings.max_credits is not None else plan.totals.credits


def _after(desk: Opened, took: float) -> After:
    outputs = [desk.output(board.path) for board in desk.batch.storyboards]
    manifests = [output / manifest.NAME for output in outputs]
    free = desk.settings.account.free
    open_ones = [] if free else uncommitted(desk.settings.root, manifests)
    return After(
        typed=typed(desk.args, desk.files),
        files=" ".join(str(path) for path in desk.files),
        took=took,
        built=BUILT,
        to_commit=tuple(desk.shown(path) for path in open_ones),
    )
