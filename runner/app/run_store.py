"""What a run records: locks, the ledger, the manifests, and clips under the names of their takes."""

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from runner.app.field_locations import places
from runner.app.plan_report import again
from runner.app.session import Opened, typed
from runner.attempts.events import Event
from runner.attempts.history import History
from runner.clock import Clock, SystemClock
from runner.diagnostics.problem import ExitCode, Stop
from runner.engine.limits import Limits
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Plan
from runner.show.screens.closing_context import After
from runner.store import locks, manifest
from runner.store.clip_store import Shelf
from runner.store.durability import outside
from runner.store.git import uncommitted
from runner.store.ledger.ledger import Ledger
from runner.store.writable import try_folder


@dataclass(frozen=True, slots=True)
class Records:
    """The ledger of one run, whose outputs are locked for it."""

    desk: Opened
    ledger: Ledger
    clock: Clock
    limits: Limits

    def history(self) -> History:
        return self.ledger.history(self.desk.settings.account, *self.desk.names(self.ledger))

    def within(self, agreed: Decimal) -> "Records":
        """The same with a price that was agreed to: retries and doubt stay below it, too."""
        least = agreed if self.limits.max_credits is None else min(agreed, self.limits.max_credits)
        return replace(self, limits=replace(self.limits, max_credits=least))

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
        opened.begin(desk.settings.account, desk.names(opened)[0], bounds, desk.repository.path_id)
        yield Records(desk, opened, clock, bounds)
    finally:
        opened.close()


_LEAST_FREE = 256 << 20
"""Bytes that a paid run wants on the disk before it orders anything: 64 MiB stay free whatever comes."""


def _writable(desk: Opened, output: Path) -> None:
    """Found out before anything is paid."""
    try:
        if (elsewhere := outside(output, desk.settings.root)) is not None:
            raise Stop(
                ExitCode.UNFIT,
                f"{desk.shown(elsewhere)} lies outside the repository, by way of a link: nothing was sent or written; "
                "remove the link, or choose another --output",
            )
        output.mkdir(parents=True, exist_ok=True)
        try_folder(str(output))
        free = shutil.disk_usage(output).free
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        way = "a file is in the way: move it" if in_the_way else "mend its rights"
        raise Stop(
            ExitCode.UNFIT,
            f"{desk.shown(output)} cannot be written ({error.strerror}): {way}, or choose another --output",
        ) from error
    if free < _LEAST_FREE and not desk.settings.account.free:
        raise Stop(
            ExitCode.UNFIT,
            f"the disk of {desk.shown(output)} has {free >> 20} MB left, and a paid run wants {_LEAST_FREE >> 20} MB "
            "for its clips: nothing was sent; make room, or choose another --output",
        )


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


def shelve(plan: Plan, history: History, records: Records) -> None:
    """Clips that are made and lie under another name (a renamed shot, a shared request) get the name of their take."""
    desk = records.desk
    shelf = Shelf(desk.settings.root, desk.output, owners(history).get)
    there = desk.on_disk(history)
    for step in plan.steps:
        attempt = history.attempts.get(step.attempt or "")
        if step.action is not Action.KEEP or attempt is None:
            continue
        own = shelf.target(step).relative_to(desk.settings.root).as_posix()
        if any(clip.path == own and there(clip) for clip in attempt.clips):
            continue
        try:
            stored = shelf.recall(attempt, step)
        except OSError as error:
            words = f"{desk.shown(shelf.target(step))} cannot be put in its place ({error.strerror}): nothing was lost"
            raise Stop(ExitCode.UNFIT, words) from error
        if stored is not None:
            event = Event(records.clock.now(), attempt.id, stored)
            if attempt.elsewhere:
                records.ledger.take_in(attempt)
            records.ledger.append(event)
            history.feed(event)


def owners(history: History) -> dict[str, str]:
    """Which take each content was made for: fingerprints by SHA-256."""
    return {each.clip.sha256: each.intended.fingerprint for each in history.attempts.values() if each.clip}


def write_manifests(desk: Opened, history: History) -> None:
    """Every storyboard's manifest, as the history has it; the whole of each, whatever was selected."""
    plan = desk.plan(history)
    for board in desk.batch.storyboards:
        path = desk.output(board.path) / manifest.NAME
        told = desk.manifest(board)
        try:
            manifest.write(path, manifest.compose(plan, history, board.path, told.attempts if told else ()))
        except OSError as error:
            raise Stop(
                ExitCode.UNFIT,
                f"{desk.shown(path)} cannot be written ({error.strerror}); what was made stands in the ledger, and the "
                "next run writes it",
            ) from error


def after(desk: Opened, records: Records, history: History, took: float) -> After:
    """What the closing says beside the outcome."""
    outputs = [desk.output(board.path) for board in desk.batch.storyboards]
    manifests = [output / manifest.NAME for output in outputs]
    free = desk.settings.account.free
    open_ones = [] if free else uncommitted(desk.settings.root, manifests)
    return After(
        typed=again(desk, anew=False),
        files=typed(_only(desk.args, "profile", "config", "var", "var_file"), desk.files),
        provider=typed(_only(desk.args, "provider"), ()),
        chosen=typed(_only(desk.args, "select", "exclude"), ()),
        everything=typed(_only(desk.args, *(vars(desk.args).keys() - {"select", "exclude"})), desk.files),
        run=records.limits.run,
        whole=desk.plan(history),
        prefix=prefix(desk),
        quiet=desk.args.quiet,
        took=took,
        to_commit=tuple(desk.shown(path) for path in open_ones),
        places=places(desk),
    )


def prefix(desk: Opened) -> str:
    """The repository's top as it is seen from here; empty when this is the top."""
    seen = os.path.relpath(desk.settings.root)
    return "" if seen == os.curdir else seen


def _only(args: argparse.Namespace, *names: str) -> argparse.Namespace:
    """Some of what was typed."""
    return argparse.Namespace(**{name: getattr(args, name) for name in names if hasattr(args, name)})
