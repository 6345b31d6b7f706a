"""Writes the manifests: each writer reads the file again under its lock, and changes only what it owns."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runner.app.session import Session
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Storyboard
from runner.planning.plan import Plan
from runner.planning.selection import ShotKey
from runner.store import locks
from runner.store.manifest.composing import compose
from runner.store.manifest.decisions import with_keeps, with_pick
from runner.store.manifest.document import VERSION, Manifest
from runner.store.manifest.writing import write

_NO_PICKS: Mapping[ShotKey, Pick] = {}


def write_manifests(
    session: Session,
    history: History,
    plan: Plan | None = None,
    first_picks: Mapping[ShotKey, Pick] = _NO_PICKS,
) -> None:
    """Write the takes of every storyboard, whatever is selected: what a run or a fetch owns.

    `plan` is the plan of the whole batch by this history, where the caller has it already. `first_picks` are written
    where the manifest has no pick. `CommandError` when a disk fails.
    """
    plan = plan if plan is not None else session.plan(history)
    for storyboard in session.batch.storyboards:
        picks = {shot: pick for (path, shot), pick in first_picks.items() if path == storyboard.path}
        _change(session, storyboard, partial(_with_takes, plan, history, storyboard, picks))


def _with_takes(
    plan: Plan, history: History, storyboard: Storyboard, first_picks: Mapping[str, Pick], before: Manifest | None
) -> Mapping[str, Any]:
    return compose(plan, history, storyboard.path, before, first_picks)


def write_pick(session: Session, storyboard: Storyboard, shot: str, pick: Pick | None) -> None:
    """Write or remove one pick."""
    _change(session, storyboard, lambda before: with_pick(_content(session, storyboard, before), shot, pick))


def write_keeps(session: Session, storyboard: Storyboard, keeps: Mapping[str, str | None]) -> None:
    """Write or remove (None) what clips are kept for: the wanted fingerprint, by the task that made the clip."""
    _change(session, storyboard, lambda before: with_keeps(_content(session, storyboard, before), keeps))


def _content(session: Session, storyboard: Storyboard, before: Manifest | None) -> Mapping[str, Any]:
    """What a manifest holds; of a missing one, that of a storyboard without a shot."""
    account = session.settings.account
    head = {"manifest": VERSION, "storyboard": storyboard.path, "provider": account.provider, "host": account.host}
    return {**(before.content if before is not None else {"shots": []}), **head}


def _change(session: Session, storyboard: Storyboard, make: Callable[[Manifest | None], Mapping[str, Any]]) -> None:
    """Write what is made of the manifest as it stands now, under its lock."""
    path = session.manifest_path(storyboard.path)
    with locks.lock_manifest(session.settings.state, path.parent):
        before = session.manifest(storyboard)
        try:
            write(path, make(before), session.settings.root, before)
        except OSError as error:
            raise CommandError(
                ExitCode.INVALID,
                f"{session.display_path(path)} cannot be written ({error.strerror}); the results are in the ledger, "
                "and the next run writes the manifest",
            ) from error
