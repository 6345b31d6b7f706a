"""What a run records: locks, the ledger, the manifests, and clips under the names of their takes."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from runner.app.field_locations import field_locator
from runner.app.plan_report import again
from runner.app.session import Session, typed
from runner.attempts.events import Event
from runner.attempts.history import History
from runner.clock import Clock, SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import RunLimits
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Plan
from runner.show.screens.closing_context import ClosingContext
from runner.store import locks, manifest
from runner.store.clip_store import ClipStore
from runner.store.durability import escaping_folder
from runner.store.git import uncommitted
from runner.store.ledger.ledger import Ledger
from runner.store.writable import probe_writable


@dataclass(frozen=True, slots=True)
class RunStore:
    """The ledger of one run, whose outputs are locked for it."""

    session: Session
    ledger: Ledger
    clock: Clock
    limits: RunLimits

    def history(self, everything: bool = False) -> History:
        """What the ledger knows of the batch, or of all that this repository ordered."""
        return self.session.ledger_history(self.ledger, everything)

    def stop_on_unknown_receipts(self) -> None:
        """Stop before anything is paid while a receipt tells of a paid task, and nobody can tell what it was for."""
        unknown = [] if self.session.settings.account.free else self.ledger.unknown_receipts()
        if not unknown:
            return
        task = unknown[0].task
        lines = [
            "a receipt names a task that was paid, and the ledger does not know what for: nothing was sent",
            *(f"  {receipt.task}, created {receipt.at}" for receipt in unknown),
            f"  storyboard settle STORYBOARD:SHOT --task {task}      it is of this shot: take it over",
            f"  storyboard settle --task {task} --forget      it is of no shot any more",
        ]
        raise CommandError(ExitCode.INVALID, "\n".join(lines))

    def with_price_cap(self, agreed: Decimal) -> "RunStore":
        """The same with a price that was agreed to: retries and doubt stay below it, too."""
        least = agreed if self.limits.max_credits is None else min(agreed, self.limits.max_credits)
        return replace(self, limits=replace(self.limits, max_credits=least))

    def spent_last_24h(self) -> Decimal:
        """Credits of the account over the last 24 hours."""
        return self.ledger.spent_last_24h(self.session.settings.account)


@contextmanager
def open_run_store(session: Session) -> Iterator[RunStore]:
    """Locks the outputs and opens the ledger for a run; exit 7 when another run holds one of the outputs."""
    outputs = [session.output_folder(board.path) for board in session.batch.storyboards]
    for output in outputs:
        _check_output(session, output)
    with locks.lock_outputs(session.settings.state, outputs), open_ledger(session) as opened:
        yield opened


@contextmanager
def open_ledger(session: Session) -> Iterator[RunStore]:
    """The ledger for writing, beside whatever else works with it."""
    clock = SystemClock()
    opened = Ledger(session.settings.state, clock)
    try:
        bounds = run_limits(session, clock.token())
        names = session.first_version_names(opened)
        opened.start_run(session.settings.account, str(session.settings.root), bounds, names, _report)
        yield RunStore(session, opened, clock, bounds)
    finally:
        opened.close()


def _report(message: str) -> None:
    print(f"storyboard: {message}", file=sys.stderr)


_LEAST_FREE = 256 << 20
"""Bytes that a paid run wants on the disk before it orders anything: 64 MiB stay free whatever comes."""


def _check_output(session: Session, output: Path) -> None:
    """Found out before anything is paid."""
    try:
        if (elsewhere := escaping_folder(output, session.settings.root)) is not None:
            raise CommandError(
                ExitCode.INVALID,
                f"{session.display_path(elsewhere)} lies outside the repository, by way of a link: nothing was sent or "
                f"written; "
                "remove the link, or choose another --output",
            )
        output.mkdir(parents=True, exist_ok=True)
        probe_writable(str(output))
        free = shutil.disk_usage(output).free
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        way = "a file is in the way: move it" if in_the_way else "mend its rights"
        raise CommandError(
            ExitCode.INVALID,
            f"{session.display_path(output)} cannot be written ({error.strerror}): {way}, or choose another --output",
        ) from error
    if free < _LEAST_FREE and not session.settings.account.free:
        raise CommandError(
            ExitCode.INVALID,
            f"the disk of {session.display_path(output)} has {free >> 20} MB left, and a paid run wants "
            f"{_LEAST_FREE >> 20} MB "
            "for its clips: nothing was sent; make room, or choose another --output",
        )


def run_limits(session: Session, run: str) -> RunLimits:
    """The limits of this run, out of settings and flags; budgets come with the plan."""
    settings = session.settings
    return RunLimits(
        run=run,
        concurrency=settings.concurrency,
        task_life=session.edition.task_life,
        retries_provider=settings.retries_provider,
        retries_review=settings.retries_review,
        server_error="settle" if settings.server_error == "settle" else "retry",
        fail_fast=getattr(session.args, "fail_fast", False),
        no_wait=getattr(session.args, "no_wait", False),
        requests_per_second=50 if settings.account.free else settings.requests_per_second,
        max_credits=settings.max_credits,
        credits_per_day=settings.credits_per_day,
    )


def restore_clips(plan: Plan, history: History, records: RunStore) -> None:
    """Clips that are made and lie under another name (a renamed shot, a shared request) get the name of their take."""
    session = records.session
    clip_store = ClipStore(session.settings.root, session.output_folder, fingerprint_by_content(history).get)
    there = session.clip_exists(history)
    for step in plan.steps:
        attempt = history.attempts.get(step.attempt or "")
        if step.action is not Action.KEEP or attempt is None:
            continue
        own = clip_store.clip_path(step).relative_to(session.settings.root).as_posix()
        if any(clip.path == own and there(clip) for clip in attempt.clips):
            continue
        try:
            stored = clip_store.restore(attempt, step)
        except OSError as error:
            words = (
                f"{session.display_path(clip_store.clip_path(step))} cannot be put in its place ({error.strerror}): "
                "nothing was lost"
            )
            raise CommandError(ExitCode.INVALID, words) from error
        if stored is not None:
            event = Event(records.clock.now(), attempt.id, stored)
            taken = records.ledger.import_attempt(attempt) if attempt.from_manifest else None
            if taken is None and records.ledger.append(event) is None:
                history.apply(event)


def fingerprint_by_content(history: History) -> dict[str, str]:
    """Which take each content was made for: fingerprints by SHA-256."""
    return {each.clip.sha256: each.intent.fingerprint for each in history.attempts.values() if each.clip}


def write_manifests(session: Session, history: History) -> None:
    """Every storyboard's manifest, as the history has it; the whole of each, whatever was selected."""
    plan = session.plan(history)
    for board in session.batch.storyboards:
        path = session.output_folder(board.path) / manifest.NAME
        told = session.manifest(board)
        try:
            manifest.write(path, manifest.compose(plan, history, board.path, told.attempts if told else ()))
        except OSError as error:
            raise CommandError(
                ExitCode.INVALID,
                f"{session.display_path(path)} cannot be written ({error.strerror}); "
                f"what was made stands in the ledger, "
                f"and the "
                "next run writes it",
            ) from error


def closing_context(session: Session, records: RunStore, history: History, took: float) -> ClosingContext:
    """What the closing says beside the outcome."""
    outputs = [session.output_folder(board.path) for board in session.batch.storyboards]
    manifests = [output / manifest.NAME for output in outputs]
    free = session.settings.account.free
    open_ones = [] if free else uncommitted(session.settings.root, manifests)
    return ClosingContext(
        typed=again(session, anew=False),
        files=typed(_only(session.args, "profile", "config", "var", "var_file"), session.files),
        provider=typed(_only(session.args, "provider"), ()),
        chosen=typed(_only(session.args, "select", "exclude"), ()),
        everything=typed(_only(session.args, *(vars(session.args).keys() - {"select", "exclude"})), session.files),
        run=records.limits.run,
        is_whole=session.plan(history),
        prefix=repo_prefix(session),
        quiet=session.args.quiet,
        took=took,
        to_commit=tuple(session.display_path(path) for path in open_ones),
        places=field_locator(session),
    )


def repo_prefix(session: Session) -> str:
    """The repository's top as it is seen from here; empty when this is the top."""
    seen = os.path.relpath(session.settings.root)
    return "" if seen == os.curdir else seen


def _only(args: argparse.Namespace, *names: str) -> argparse.Namespace:
    """Some of what was typed."""
    return argparse.Namespace(**{name: getattr(args, name) for name in names if hasattr(args, name)})
