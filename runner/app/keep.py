"""Clips at hand that stand for the storyboard as it is now, or no longer: the manifest records it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from runner.app.clips_on_disk import clips_on_disk
from runner.app.conversation import Note
from runner.app.history_reader import HistoryReader
from runner.app.manifest_files import ManifestFiles
from runner.app.manifests import write_keeps, write_manifests
from runner.app.named_shots import shot_of_former_name
from runner.app.run_store import RunStoreOpener
from runner.app.selection import Selection
from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import ClipName
from runner.attempts.film import FilmName, ShotKey
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.film_attempts import was_ordered_for
from runner.planning.keeping import KeepAnswer, clips_to_keep
from runner.planning.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class NextOrders:
    """The orders of the next run, by the shots' ids; `credits` is None where a price is unknown."""

    shots: tuple[str, ...]
    credits: Decimal | None
    is_free: bool


def keep_clips(
    selection: Selection, opener: RunStoreOpener, expressions: Sequence[str], note: Note
) -> list[KeepAnswer]:
    """Keep the clips of the selected shots; the answer for each of their takes."""
    with _locked_history(selection, opener, note) as history:
        keys = _selected(selection, expressions, history)
        plan = selection.whole_plan(history)
        answers = [answer for key in keys for answer in _answers(opener.reader, history, plan, key)]
        keeps = [(answer.shot[0], answer.attempt, answer.wanted) for answer in answers if answer.attempt is not None]
        _record(opener.reader.manifests, opener.reader.batch, history, keeps)
    return answers


def undo_keeps(
    selection: Selection, opener: RunStoreOpener, expressions: Sequence[str], note: Note
) -> tuple[list[Step], NextOrders]:
    """Remove the keeps of the selected shots; return their takes, and the orders of the next run."""
    with _locked_history(selection, opener, note) as history:
        keys = _selected(selection, expressions, history)
        plan = selection.whole_plan(history)
        steps = [step for key in keys for step in plan.steps_of(key) if step.keep is not None]
        if not steps:
            raise CommandError(ExitCode.USAGE, f"no clip of {', '.join(shot for _, shot in keys)} is kept")
        attempts = [(step.shot.film, history.attempts[step.attempt or ""], None) for step in steps]
        _record(opener.reader.manifests, opener.reader.batch, history, attempts)
        after = selection.whole_plan(history)
    shots = tuple(dict.fromkeys(step.shot.id for step in after.steps if step.is_billable))
    return steps, NextOrders(shots, after.totals.credits, after.is_free)


@contextmanager
def _locked_history(selection: Selection, opener: RunStoreOpener, note: Note) -> Iterator[History]:
    """Context manager: the history, with outputs locked and manifests up to date."""
    with opener.locked(note) as store:
        history = store.history()
        # A keep is written at its task's entry, which has to stand in the manifest first.
        write_manifests(opener.reader.manifests, selection.whole_plan(history), history)
        yield history


def _selected(selection: Selection, expressions: Sequence[str], history: History) -> list[ShotKey]:
    """The selected shots in the files' order, also by a former name."""
    keys: set[ShotKey] = set()
    for expression in expressions:
        try:
            keys |= selection.shots([expression], (), history) or set()
        except Failure:
            # A rename is a change that `keep` is made for: the old name is the one that its user remembers.
            if (shot := shot_of_former_name(selection.whole_plan(history), history, expression)) is None:
                raise
            keys.add(shot.key)
    return [shot.key for shot in selection.planner.batch.shots if shot.key in keys]


def _answers(reader: HistoryReader, history: History, plan: Plan, key: ShotKey) -> Iterator[KeepAnswer]:
    clip_exists = clips_on_disk(history, reader.settings.root)
    folder = reader.settings.output_name(key[0])
    paths = {storyboard.path for storyboard in reader.batch.storyboards}

    def own_clip(shot: ShotKey, take: int, attempt: Attempt) -> bool:
        path = f"{folder}/{ClipName(shot[1], take).path}"
        return any(clip.path == path and clip_exists(clip) for clip in attempt.clips)

    def is_of_film(attempt: Attempt) -> bool:
        return was_ordered_for(key[0], attempt, paths)

    yield from clips_to_keep(plan, history, key, own_clip, is_of_film)


def _record(
    manifests: ManifestFiles, batch: Batch, history: History, keeps: Sequence[tuple[FilmName, Attempt, str | None]]
) -> None:
    """Write the requests that clips are kept for; an earlier keep for the same request ends."""
    for storyboard in batch.storyboards:
        tasks = {
            attempt.task_id: wanted for film, attempt, wanted in keeps if film == storyboard.film and attempt.task_id
        }
        replaced = {
            attempt.task_id: None
            for attempt in history.attempts.values()
            if attempt.task_id and attempt.kept_for is not None and attempt.kept_for in tasks.values()
        }
        if tasks:
            write_keeps(manifests, storyboard, replaced | tasks)
    for _, attempt, wanted in keeps:
        history.keep(attempt.id, wanted)
