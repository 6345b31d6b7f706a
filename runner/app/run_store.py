"""The store of a run: locks, ledger, manifests, and clips under the names of their takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.clips_on_disk import clips_on_disk
from runner.app.conversation import Note
from runner.app.display_path import display_path
from runner.app.history_reader import HistoryReader
from runner.app.options import ExecutionOptions
from runner.attempts.clip_name import ClipName
from runner.attempts.events import Event, Payload
from runner.attempts.history import History
from runner.clock import Ages, Clock, SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.editions.edition import Edition
from runner.engine.limits import PlanCeiling, RunLimits
from runner.engine.ports import AlreadyAttempted
from runner.files.writing import make_folder
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Plan
from runner.planning.plan_inputs import PlanScope
from runner.settings.settings import Settings
from runner.show.text.command_line import CommandLine
from runner.store import locks
from runner.store.durability import escaping_folder
from runner.store.ledger.ledger import Ledger
from runner.store.writable import probe_writable

if TYPE_CHECKING:
    from runner.planning.saved_plan import SavedPlan
    from runner.store.clip_store import ClipStore
    from runner.store.ledger.rows import SavedPlanRow


@dataclass(frozen=True, slots=True)
class RunStore:
    """The ledger of one run, with its limits."""

    reader: HistoryReader
    ledger: Ledger
    clock: Clock
    ages: Ages
    limits: RunLimits

    def history(self, everything: bool = False) -> History:
        """The history of the batch, or of all that this repository ordered, from ledger and manifests."""
        return self.reader.with_manifests(self.reader.of_ledger(self.ledger, everything))

    def record(self, history: History, attempt_id: str, payload: Payload) -> AlreadyAttempted | None:
        """Write an event of an attempt into the ledger, then apply it to the history; return the ledger's refusal.

        An attempt from a manifest gets its row first. After a refusal the history is without the event, as the ledger.
        """
        attempt = history.attempts[attempt_id]
        # An event needs a row to stand under, and what only a manifest tells of has none in this ledger.
        if attempt.from_manifest:
            if (refusal := self.ledger.import_attempt(attempt)) is not None:
                return refusal
            history.mark_imported(attempt_id)
        event = Event(self.clock.now(), attempt_id, payload)
        # Durable before it is true: what the history says has survived a power cut.
        if (refusal := self.ledger.append(event)) is not None:
            return refusal
        history.apply(event)
        return None

    def stop_on_unknown_receipts(self) -> None:
        """Stop before anything is paid while a receipt tells of a paid task, and nobody can tell what it was for."""
        # Nothing of a free account was paid.
        unknown = [] if self.reader.settings.account.free else self.ledger.unknown_receipts()
        if not unknown:
            return
        task = unknown[0].task
        lines = [
            "a receipt names a task that was paid, and the ledger does not know what for: nothing was sent",
            *(f"  {receipt.task}, created {receipt.at}" for receipt in unknown),
            f"  {CommandLine().settle_receipt(task)}      it is of this shot: take it over",
            f"  {CommandLine().forget(task)}      it is of no shot any more",
        ]
        raise CommandError(ExitCode.INVALID, "\n".join(lines))

    def with_price_cap(self, approved_price: Decimal) -> "RunStore":
        """The store with a confirmed price as its limit, which retries and unsettled attempts count against too."""
        # The stricter of the two: consent never raises a limit that was given.
        lowest = approved_price if self.limits.max_credits is None else min(approved_price, self.limits.max_credits)
        return replace(self, limits=replace(self.limits, max_credits=lowest))

    def saved_plan_row(self, saved: "SavedPlan") -> "SavedPlanRow | None":
        """A saved plan as this ledger wrote it; None if another machine saved it."""
        return self.ledger.saved_plan(self.reader.settings.account, saved.id)

    def spent_last_24h(self) -> Decimal:
        """The account's credits of the last 24 hours."""
        return self.ledger.spent_last_24h(self.reader.settings.account)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A plan on its way through a run, with what it was made from."""

    plan: Plan
    scope: PlanScope
    history: History
    store: RunStore
    """Once the plan is approved, with the confirmed price as its limit."""


@dataclass(frozen=True, slots=True)
class RunStoreOpener:
    """The ledger of a command's account and its outputs, for use cases that write: each opens them for itself."""

    reader: HistoryReader
    limits: RunLimits
    """The limits of a run that begins; each opening gives it an id."""

    @contextmanager
    def locked(self, note: Note) -> Iterator[RunStore]:
        """Lock the outputs and open the ledger for a run; exit 7 if another run holds one of the outputs."""
        settings, storyboards = self.reader.settings, self.reader.batch.storyboards
        for storyboard in storyboards:
            _check_name(storyboard.path)
        outputs = [settings.output_folder(storyboard.film) for storyboard in storyboards]
        for output in outputs:
            _check_output(settings, output)
        # Locks first: whoever holds an output may be paying for its takes at this moment.
        with locks.lock_outputs(settings.state, outputs), self.unlocked(note) as store:
            yield store

    @contextmanager
    def unlocked(self, note: Note) -> Iterator[RunStore]:
        """Open the ledger for writing, without locking an output; `note` gets what it has to tell."""
        settings = self.reader.settings
        # A name that no record can hold would be found out after the first payment.
        _check_name(str(settings.root))
        clock = SystemClock()
        ledger = Ledger(settings.state, clock)
        try:
            limits = replace(self.limits, run=clock.token())
            names = self.reader.first_version_names(ledger)
            ledger.start_run(settings.account, str(settings.root), limits, names, note)
            yield RunStore(self.reader, ledger, clock, Ages(clock), limits)
        finally:
            ledger.close()


def _check_name(path: str) -> None:
    """Raise `CommandError` for a path that is no text: neither ledger nor manifest can name it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise CommandError(
            ExitCode.INVALID,
            f"{path}: this name is not UTF-8, and no record can hold it: rename it; nothing was sent or written",
        ) from None


# Bytes that must be free on the disk before a paid run orders anything.
_MIN_FREE_BYTES = 256 << 20


def _check_output(settings: Settings, output: Path) -> None:
    """Raise `CommandError` before anything is paid if the output cannot take the clips."""
    try:
        if (escape := escaping_folder(output, settings.root)) is not None:
            raise CommandError(
                ExitCode.INVALID,
                f"{display_path(escape)} is outside the repository, because of a link: nothing was sent or "
                "written; remove the link, or choose another --output",
            )
        make_folder(output, settings.root)
        probe_writable(str(output))
        # After the folder is made: it may be the mount point of another disk.
        disk = os.statvfs(output)
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        advice = "a file is in the way: move it" if in_the_way else "make it writable"
        raise CommandError(
            ExitCode.INVALID,
            f"{display_path(output)} cannot be written ({error.strerror}): {advice}, or choose another --output",
        ) from error
    free = disk.f_bavail * disk.f_frsize
    # Clips of a paid task that find no room have a link for some days only.
    if free < _MIN_FREE_BYTES and not settings.account.free:
        raise CommandError(
            ExitCode.INVALID,
            f"the disk of {display_path(output)} has {free >> 20} MB left, and a paid run needs "
            f"{_MIN_FREE_BYTES >> 20} MB for its clips: nothing was sent; make room, or choose another --output",
        )


def run_limits(
    settings: Settings, edition: Edition, execution: ExecutionOptions, saved_plan: "SavedPlan | None"
) -> RunLimits:
    """The limits of a run from settings and flags; its id comes with the ledger, budgets with the plan."""
    return RunLimits(
        run="",
        concurrency=settings.concurrency,
        task_life=edition.task_life,
        retries_provider=settings.retries_provider,
        retries_review=settings.retries_review,
        server_error="settle" if settings.server_error == "settle" else "retry",
        fail_fast=execution.fail_fast,
        no_wait=execution.no_wait,
        # The embedded sandbox is a process of our own, with no rate to keep.
        requests_per_second=50 if settings.account.free else settings.requests_per_second,
        max_credits=settings.max_credits,
        saved_plan=None if saved_plan is None else PlanCeiling(saved_plan.id, saved_plan.ceiling),
        credits_per_day=settings.credits_per_day,
    )


def restore_clips(plan: Plan, history: History, store: RunStore, note: Note) -> None:
    """Restore clips of renamed or shared takes under their current name; `note` gets what the ledger refuses."""
    settings = store.reader.settings
    clip_store: ClipStore | None = None
    clip_exists = clips_on_disk(history, settings.root)
    folders = {storyboard.film: settings.output_name(storyboard.film) for storyboard in plan.batch.storyboards}
    for step in plan.steps:
        attempt = history.attempts.get(step.attempt or "")
        if step.action is not Action.KEEP or attempt is None:
            continue
        own_path = f"{folders[step.shot.film]}/{ClipName(step.shot.id, step.take).path}"
        if [clip.path for clip in attempt.clips] == [own_path]:
            continue  # the plan has looked for it already
        if any(clip.path == own_path and clip_exists(clip) for clip in attempt.clips):
            continue
        if clip_store is None:
            clip_store = open_clip_store(settings, history)
        try:
            stored = clip_store.restore(attempt, step)
        except OSError as error:
            message = (
                f"{display_path(clip_store.clip_path(step))} cannot be put in its place ({error.strerror}): "
                "nothing was lost"
            )
            raise CommandError(ExitCode.INVALID, message) from error
        if stored is not None and (refusal := store.record(history, attempt.id, stored)) is not None:
            # The clip lies in its place all the same, and the attempt is paid: it stands as the manifest has it.
            note(f"{step.shot.id} take {step.take}: {refusal.message}")


def open_clip_store(settings: Settings, history: History) -> "ClipStore":
    """The clips on this disk, each with the request that made it."""
    from runner.store.clip_store import ClipStore  # with what reads clips, which few runs need before an order

    return ClipStore(settings.root, settings.output_folder, fingerprint_by_content(history).get)


def fingerprint_by_content(history: History) -> dict[str, str]:
    """Fingerprints of takes by the SHA-256 of their clip."""
    return {attempt.clip.sha256: attempt.intent.fingerprint for attempt in history.attempts.values() if attempt.clip}
