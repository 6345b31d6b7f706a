"""The writers of the manifests: each reads the file again under its lock, and changes only what it owns."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from runner.app.display_path import display_path
from runner.app.manifest_files import ManifestFiles
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import format_utc
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Storyboard
from runner.planning.plan import Plan
from runner.store import locks
from runner.store.manifest.composing import compose
from runner.store.manifest.decisions import with_keeps, with_note, with_picks
from runner.store.manifest.document import VERSION, Manifest
from runner.store.manifest.picks import is_same_pick, pick_json, present_picks
from runner.store.manifest.writing import write


def write_manifests(manifests: ManifestFiles, plan: Plan, history: History) -> None:
    """Write the takes of every storyboard, whatever is selected: what a run or a fetch owns.

    `plan` is the plan of the whole batch by this history. `CommandError` when a disk fails.
    """
    for storyboard in plan.batch.storyboards:
        _change(manifests, storyboard, partial(compose, plan, history, storyboard.film))


def write_pick(
    manifests: ManifestFiles, history: History, plan: Plan, storyboard: Storyboard, shot: str, pick: Pick | None
) -> None:
    """Write or remove the pick of one shot; picks of shots that were renamed move to their present names."""

    def change(before: Manifest | None) -> Mapping[str, Any]:
        content = _content(manifests, storyboard, before)
        stored = {entry["id"]: entry.get("picked") for entry in content["shots"]}
        picks = present_picks(stored, plan, history, storyboard.film)
        return with_picks(content, picks | {shot: None if pick is None else pick_json(pick)})

    _change(manifests, storyboard, change)


def write_first_picks(
    manifests: ManifestFiles, storyboards: Iterable[Storyboard], history: History, picks: Mapping[ShotKey, Pick]
) -> None:
    """Write the picks that `--first-take` made, where nobody has picked since; `history` has them from now on."""

    def change(storyboard: Storyboard, before: Manifest | None) -> Mapping[str, Any]:
        content = _content(manifests, storyboard, before)
        new = {shot: pick for (film, shot), pick in picks.items() if film == storyboard.film}
        loaded = {shot: history.picks.get((storyboard.film, shot)) for shot in new}
        shots = [entry for entry in content["shots"] if entry["id"] in new]
        # A person who picked while the run worked knows better than the order of arrival.
        others = {entry["id"] for entry in shots if not is_same_pick(entry.get("picked"), loaded[entry["id"]])}
        return with_picks(content, {shot: pick_json(pick) for shot, pick in new.items() if shot not in others})

    for storyboard in storyboards:
        if any(film == storyboard.film for film, _ in picks):
            _change(manifests, storyboard, partial(change, storyboard))
    # The next plan of this command has to see them without reading the file again.
    history.picks |= picks


def write_keeps(manifests: ManifestFiles, storyboard: Storyboard, keeps: Mapping[str, str | None]) -> None:
    """Write or remove (None) the keeps of clips: the wanted fingerprint, by the task that made the clip."""
    _change(manifests, storyboard, lambda before: with_keeps(_content(manifests, storyboard, before), keeps))


def write_note(manifests: ManifestFiles, storyboard: Storyboard, shot: str, take: int, at: datetime, text: str) -> None:
    """Add a note about a take to its shot."""
    note = {"at": format_utc(at), "take": take, "text": text}
    _change(manifests, storyboard, lambda before: with_note(_content(manifests, storyboard, before), shot, note))


def _content(manifests: ManifestFiles, storyboard: Storyboard, before: Manifest | None) -> Mapping[str, Any]:
    """The content of a manifest; for a missing one, that of a storyboard without a shot."""
    account = manifests.settings.account
    head = {"manifest": VERSION, "storyboard": storyboard.path, "provider": account.provider, "host": account.host}
    return {**(before.content if before is not None else {"shots": []}), **head}


def _change(
    manifests: ManifestFiles, storyboard: Storyboard, make: Callable[[Manifest | None], Mapping[str, Any]]
) -> None:
    """Read the manifest under its lock, and write its changed content."""
    path = manifests.path(storyboard.film)
    # A pick in another terminal may write at this moment: read, change and write are one step.
    with locks.lock_manifest(manifests.settings.state, path.parent):
        before = manifests.read(storyboard)
        try:
            write(path, make(before), manifests.settings.root, before)
        except OSError as error:
            raise CommandError(
                ExitCode.INVALID,
                f"{display_path(path)} cannot be written ({error.strerror}); the results are in the ledger, "
                "and the next run writes the manifest",
            ) from error
