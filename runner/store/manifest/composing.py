"""Composes the manifest that a run writes: its takes are the history's; all that others wrote stays as it stands."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import is_clip_of
from runner.attempts.events import Clip
from runner.attempts.film import FilmName, ShotKey
from runner.attempts.history import History
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, Step
from runner.planning.selection import is_in_output
from runner.store.manifest.document import (
    SHOT_FIELDS,
    STATUS,
    TOP_FIELDS,
    VERSION,
    Manifest,
    more_fields,
    sort_shots,
)
from runner.store.manifest.entry import StoredTakes, take_json
from runner.store.manifest.listed_take import ListedTake
from runner.store.manifest.picks import present_picks
from runner.store.manifest.superseded import superseded


def compose(
    plan: Plan,
    history: History,
    film: FilmName,
    before: Manifest | None = None,
) -> dict[str, Any]:
    """Compose the manifest of one film from `history`; shots sorted by id, takes by number.

    `plan` is of the whole batch. `before` is the manifest on disk: paid attempts that it lists stay listed, under
    whatever name they were ordered; its picks, keeps, notes and unknown fields stay.
    """
    storyboard = plan.batch.storyboard_of(film)
    shots = [shot.id for shot in storyboard.shots]
    stored_shots = _by_id(before)
    takes = _Takes.of(plan, history, film, shots, before)
    stored_picks = {shot: stored.get("picked") for shot, stored in stored_shots.items()}
    picks = present_picks(stored_picks, plan, history, film)
    entries = [takes.shot_json(shot, picks.get(shot), stored_shots.get(shot, {})) for shot in shots]
    others = dict.fromkeys((*takes.former, *stored_shots))
    removed = [
        takes.shot_json(shot, picks.get(shot), stored_shots.get(shot, {}), removed=True)
        for shot in others
        if shot not in takes.current
    ]
    return {
        "manifest": VERSION,
        "storyboard": film.storyboard,
        "provider": plan.account.provider,
        "host": plan.account.host,
        **(more_fields(before.content, TOP_FIELDS) if before is not None else {}),
        "shots": sort_shots([*entries, *filter(_says_anything, removed)]),
    }


def _by_id(before: Manifest | None) -> dict[str, Mapping[str, Any]]:
    """The shots as they stand in a manifest; two of one id, as a careless merge leaves them, are one."""
    shots: dict[str, Mapping[str, Any]] = {}
    for shot in before.content["shots"] if before is not None else ():
        if (first := shots.get(shot["id"])) is not None:
            notes = [*first.get("notes", ()), *shot.get("notes", ())]
            picked = first.get("picked") or shot.get("picked")
            shot = {**shot, **first, "picked": picked, **({"notes": notes} if notes else {})}
        shots[shot["id"]] = shot
    return shots


def _says_anything(entry: Mapping[str, Any]) -> bool:
    """Whether the entry of a shot that left the storyboard still holds something."""
    return bool(entry["takes"] or entry["picked"] or entry.get("notes") or more_fields(entry, SHOT_FIELDS))


@dataclass(frozen=True, slots=True)
class _Takes:
    """The takes of one storyboard by shot: those that it asks for, and those that were paid for beside them."""

    current: Mapping[str, list[Attempt]]
    former: Mapping[str, list[Attempt]]
    current_ids: Collection[str]
    stored: StoredTakes

    @classmethod
    def of(
        cls, plan: Plan, history: History, film: FilmName, shots: Iterable[str], before: Manifest | None
    ) -> "_Takes":
        current = {shot: list(_current(plan, history, (film, shot))) for shot in shots}
        current_ids = {attempt.id for attempts in current.values() for attempt in attempts}
        # Whatever was paid stays listed, else a clone could pay for it again.
        former = _paid_history(history, film, current_ids)
        if before is not None:
            _keep_from_disk(former, history, before.takes, current)
        return cls(current, former, current_ids, StoredTakes.of(before))

    def shot_json(
        self, shot: str, pick: Mapping[str, Any] | None, stored: Mapping[str, Any], removed: bool = False
    ) -> dict[str, Any]:
        """The entry of one shot; `stored` is how it stands on disk."""
        attempts = [*self.current.get(shot, ()), *self.former.get(shot, ())]
        if len(attempts) > 1:
            attempts.sort(key=lambda attempt: (attempt.intent.take, attempt.intended_at, attempt.id))
        shrunk = superseded(attempts, self.current_ids) if len(attempts) > 1 else frozenset()
        return {
            "id": shot,
            **({"removed": True} if removed else {}),
            "picked": pick,
            **({"notes": stored["notes"]} if stored.get("notes") else {}),
            **more_fields(stored, SHOT_FIELDS),
            "takes": [
                take_json(attempt, self.stored.of_attempt(attempt), attempt.id in shrunk) for attempt in attempts
            ],
        }


def _current(plan: Plan, history: History, shot: ShotKey) -> Iterator[Attempt]:
    """The current attempts of a shot's takes, under the shot's current name, whatever their name was when ordered.

    A paid attempt that only a manifest records is listed beside this machine's attempt of the same take.
    """
    for step in plan.steps_of(shot):
        attempt = history.attempts.get(step.attempt or "")
        if attempt is None and step.fingerprint is not None:
            attempt = history.current_attempt(step.fingerprint)
        if attempt is None:
            continue
        others = [
            other for other in history.attempts_of(attempt.intent.fingerprint) if other.from_manifest and other.task_id
        ]
        if attempt.state in STATUS:
            yield _as_take(attempt, step)
        yield from (_as_take(other, step) for other in others if other is not attempt and other.state.is_paid)


def _as_take(attempt: Attempt, step: Step) -> Attempt:
    """The attempt under a step's name, with the copy of the clip that has this name."""
    clip = _own_clip(attempt, step)
    intent, request = attempt.intent, attempt.intent.request
    if not attempt.needs_confirmation:
        request = step.neutral_request()
    is_same = (intent.shot, intent.take, intent.request) == (step.shot.id, step.take, request)
    if is_same and clip == attempt.clip:
        return attempt
    return replace(attempt, intent=replace(intent, shot=step.shot.id, take=step.take, request=request), clip=clip)


def _own_clip(attempt: Attempt, step: Step) -> Clip | None:
    """The copy of an attempt's clip in this repository that has the step's name and film, else the first one."""
    own_clips = [clip for clip in attempt.clips if clip.repository is None]
    if len(own_clips) == 1:
        return own_clips[0]
    named = [clip for clip in reversed(own_clips) if is_clip_of(clip.path, step.shot.id, step.take)]
    of_film = (clip for clip in named if is_in_output(clip.path, step.shot.film))
    return next(of_film, next(iter(named or own_clips), None))


def _paid_history(history: History, film: FilmName, current_ids: set[str]) -> dict[str, list[Attempt]]:
    """Paid attempts under this film's names that the film no longer asks for, by shot."""
    latest: dict[tuple[str, int, str], Attempt] = {}
    for attempt in history.own():
        intent = attempt.intent
        if intent.film == film and attempt.id not in current_ids:
            latest[intent.shot, intent.take, intent.fingerprint] = attempt
    paid: dict[str, list[Attempt]] = {}
    for (shot, _, take_fingerprint), attempt in latest.items():
        current = history.current_attempt(take_fingerprint)
        if attempt.state.is_paid and (current is None or current.id not in current_ids):
            paid.setdefault(shot, []).append(attempt)
    return paid


def _keep_from_disk(
    former: dict[str, list[Attempt]],
    history: History,
    before: Iterable[ListedTake],
    current: Mapping[str, list[Attempt]],
) -> None:
    """Add what only the manifest on disk records: paid attempts, and every attempt of a shot that has left."""
    current_ids = {attempt.id for attempts in current.values() for attempt in attempts}
    asked_for = {attempt.intent.fingerprint for attempts in current.values() for attempt in attempts}
    listed_ids = current_ids | {attempt.id for attempts in former.values() for attempt in attempts}
    by_task = {attempt.task_id: attempt for attempt in history.attempts.values() if attempt.task_id}
    for take in before:
        recorded = by_task.get(take.task_id or "")
        if recorded is not None and recorded.id in listed_ids:
            continue
        attempt = take.attempt()
        recorded = recorded or attempt
        intent = attempt.intent
        # Its take is listed by what this machine knows, which is newer than the file.
        is_superfluous = intent.fingerprint in asked_for and not recorded.needs_confirmation
        is_kept = recorded.state.is_paid or (recorded.state in STATUS and intent.shot not in current)
        if is_kept and not is_superfluous and recorded.id not in listed_ids:
            former.setdefault(intent.shot, []).append(
                replace(recorded, intent=replace(recorded.intent, shot=intent.shot))
            )
            listed_ids.add(recorded.id)
