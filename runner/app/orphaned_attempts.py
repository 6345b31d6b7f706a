"""Orphans of a command: their outputs, which a run has to lock, and those whose clip `fetch` looks for."""

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import names_files
from runner.attempts.film import FilmName, ShotKey
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.lazy_dataclass import replace
from runner.planning.orphans import Orphan
from runner.planning.plan import Plan
from runner.settings.settings import Settings
from runner.store import locks


def fetchable_orphans(settings: Settings, plan: Plan) -> bool:
    """Whether paid tasks of earlier versions may be fetched now, which needs a key."""
    awaited = (orphan for orphan in plan.orphans if orphan.may_be_fetched and not orphan.is_unsettled)
    # Without a key a run whose takes are all made says so, instead of asking for one.
    return any(awaited) and bool(settings.api_key.text)


def lock_outputs_of_orphans(
    settings: Settings, films: Iterable[FilmName], plan: Plan, stack: ExitStack
) -> Callable[[Plan], Plan]:
    """Lock the outputs of orphans whose storyboard is gone; no other run may fetch the same clips meanwhile.

    Return what marks in a plan the orphans whose output another run holds; `stack` unlocks. The outputs of the
    `films` are locked already.
    """
    # By the real path: a link may make one folder of two names, and a run must not wait for its own lock.
    own = {os.path.realpath(settings.output_folder(film)) for film in films}
    for film in dict.fromkeys(orphan.film for orphan in plan.orphans):
        output = settings.output_folder(film)
        if os.path.realpath(output) in own:
            continue
        try:
            stack.enter_context(locks.lock_outputs(settings.state, [output]))
        except Failure:
            # Another run holds it, and fetches these clips itself.
            continue
        own.add(os.path.realpath(output))

    def marked(orphan: Orphan) -> Orphan:
        is_own = os.path.realpath(settings.output_folder(orphan.film)) in own
        return orphan if is_own else orphan._replace(is_locked_elsewhere=True)

    return lambda plan: replace(plan, orphans=tuple(map(marked, plan.orphans)))


def stored_orphans(
    history: History, plan: Plan, films: Collection[FilmName], selected: frozenset[ShotKey] | None
) -> list[Attempt]:
    """Paid attempts that no take of `plan` needs, with a clip, or with a task that only a manifest names.

    Tasks in this machine's ledger are left to the next run.
    """
    if plan.is_free:
        return []
    fingerprints = {step.fingerprint for step in plan.steps}
    return [
        attempt
        for attempt in history.own()
        if (attempt.state.has_clip and attempt.clip is not None)
        or (attempt.from_manifest and attempt.task_id is not None and attempt.state.awaits_clip)
        if attempt.intent.film in films
        # `names_files`: a shot's name comes from a manifest, and becomes part of a path.
        if attempt.intent.fingerprint not in fingerprints and names_files(attempt.intent.shot)
        if selected is None or (attempt.intent.film, attempt.intent.shot) in selected
    ]
