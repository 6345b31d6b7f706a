"""The merge of two branches' manifests, without losing a task, a clip or anything else that was paid. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from runner.diagnostics.failures import ManifestUnreadable
from runner.lazy_dataclass import dataclass
from runner.requests.request import fingerprint
from runner.store.manifest import fields
from runner.store.manifest.document import (
    NOTHING,
    SHOT_FIELDS,
    TAKE_FIELDS,
    TAKE_ORDER,
    TOP_FIELDS,
    VERSION,
    Manifest,
    more_fields,
    sort_shots,
)
from runner.store.manifest.moved_picks import PickBook, in_present_names
from runner.store.manifest.three_way import ABSENT, merge_fields, merge_value

# The states of one task, from the one that says least about a clip to the one that says most.
_RANK = ("failed", "refused", "unsettled", "running", "gone", "doubtful", "succeeded")
# What an entry says of a clip that is at hand.
_OF_A_CLIP = ("status", "doubt", "error", "clip")
_PLAIN_SHOT = frozenset({"id", "picked", "takes"})
_TakeKey = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class PickConflict:
    """Two branches that picked differently for a shot, and neither pick is known to be the newer one."""

    shot: str
    ours: int | None
    """The number of the take that our side picked, which stands; None where it removed the pick."""
    theirs: int | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The content of the merged manifest, and the picks that a person should look at."""

    content: Mapping[str, Any]
    conflicts: tuple[PickConflict, ...] = ()


class _Place(NamedTuple):
    shot: str
    take: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the three documents: its fields, its shots by id, and the place of each take."""

    content: Mapping[str, Any]
    shots: Mapping[str, Mapping[str, Any]]
    takes: Mapping[_TakeKey, _Place]

    @classmethod
    def of(cls, manifest: Manifest | None) -> "_Side":
        shots: dict[str, Mapping[str, Any]] = {}
        takes: dict[_TakeKey, _Place] = {}
        for shot in manifest.content["shots"] if manifest is not None else ():
            if (first := shots.get(shot["id"])) is not None:
                picked = first.get("picked") or shot.get("picked")
                shots[shot["id"]] = {**shot, **first, "picked": picked, "notes": _all_notes(first, shot)}
            else:
                shots[shot["id"]] = shot
            for take in shot["takes"]:
                place = _Place(shot["id"], take)
                if (first_place := takes.setdefault(_key(take), place)) is not place:
                    # A merge by hand left it twice: neither entry may lose what only the other says.
                    takes[_key(take)] = _Place(first_place.shot, _merged_take(None, first_place, place))
        return cls(manifest.content if manifest is not None else NOTHING, shots, takes)

    def shot(self, name: str) -> Mapping[str, Any]:
        return self.shots.get(name, NOTHING)

    def picks(self) -> PickBook:
        return {name: shot.get("picked") for name, shot in self.shots.items()}


def _all_notes(*shots: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [note for shot in shots for note in shot.get("notes") or ()]


def _key(take: Mapping[str, Any]) -> _TakeKey:
    """The identity of a take on all branches: its task, before it has one its request and the time of the order."""
    if task := take.get("task_id"):
        return str(task)
    return (str(take.get("fingerprint") or fingerprint(take["request"])), str(take.get("created_at")))


def merge(base: Manifest | None, ours: Manifest, theirs: Manifest) -> Merged:
    """Merge two manifests that grew from `base`: every task and clip of both, the newer of two picks.

    `base` is None where the branches have no common version of the file. Raise `ManifestUnreadable` when the two are
    of different accounts, whose clips never share an output.
    """
    if (ours.provider, ours.host) != (theirs.provider, theirs.host):
        raise ManifestUnreadable(
            f"one side is of {ours.provider} ({ours.host}), the other of {theirs.provider} ({theirs.host}): keep one "
            "of the two under this name, and give the other an output of its own"
        )
    sides = (_Side.of(base), _Side.of(ours), _Side.of(theirs))
    places = _merged_takes(*sides)
    picks, conflicts = _merged_picks(*sides)
    names = dict.fromkeys((*sides[1].shots, *sides[2].shots, *places, *picks))
    shots = [_shot(name, picks.get(name), places.get(name, []), sides) for name in names]
    head = {
        "manifest": VERSION,
        "storyboard": merge_value(*(side.content.get("storyboard", ABSENT) for side in sides)),
        "provider": ours.provider,
        "host": ours.host,
    }
    more = merge_fields(*(more_fields(side.content, TOP_FIELDS) for side in sides))
    return Merged({**head, **more, "shots": sort_shots(shot for shot in shots if shot is not None)}, conflicts)


def _shot(
    name: str,
    pick: Mapping[str, Any] | None,
    takes: Sequence[Mapping[str, Any]],
    sides: tuple[_Side, _Side, _Side],
) -> Mapping[str, Any] | None:
    """The entry of one shot; None for one that left on a branch, and of which nothing is left to say."""
    base, ours, theirs = (side.shot(name) for side in sides)
    takes = sorted(takes, key=_take_order) if len(takes) > 1 else takes
    if ours is theirs and _says_no_more(ours, pick, takes):
        return ours
    removed = merge_value(*(shot.get("removed", ABSENT) for shot in (base, ours, theirs)))
    notes = _merged_notes(base, ours, theirs)
    more = merge_fields(*(more_fields(shot, SHOT_FIELDS) for shot in (base, ours, theirs)))
    has_left = removed is True or (name in sides[0].shots and not (name in sides[1].shots and name in sides[2].shots))
    if has_left and not (takes or pick or notes or more):
        return None
    return {
        "id": name,
        **({"removed": True} if has_left else {}),
        "picked": pick,
        **({"notes": notes} if notes else {}),
        **more,
        "takes": takes,
    }


def _says_no_more(shot: Mapping[str, Any], pick: Mapping[str, Any] | None, takes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the entry that both sides share says all that is merged, as most do: it stays as it is."""
    return shot.keys() <= _PLAIN_SHOT and shot["picked"] == pick and bool(takes) and shot["takes"] == takes


def _take_order(take: Mapping[str, Any]) -> tuple[int, str, str]:
    return (take["take"], str(take.get("created_at")), str(take.get("task_id")))


def _merged_notes(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The notes of both sides by time, without those of the base that a side has removed."""
    before, mine, other = (list(shot.get("notes") or ()) for shot in (base, ours, theirs))
    notes = [note for note in mine if note in other or note not in before]
    notes += [note for note in other if note not in before and note not in mine]
    return sorted(notes, key=lambda note: str(note.get("at", "")))


# -- takes ------------------------------------------------------------------------------------------------


def _merged_takes(base: _Side, ours: _Side, theirs: _Side) -> dict[str, list[Mapping[str, Any]]]:
    """The takes of both sides by shot."""
    takes: dict[str, list[Mapping[str, Any]]] = {}
    for key in dict.fromkeys((*base.takes, *ours.takes, *theirs.takes)):
        before, mine, other = (side.takes.get(key) for side in (base, ours, theirs))
        if (place := _merged_place(before, mine, other)) is not None:
            takes.setdefault(place.shot, []).append(place.take)
    return takes


def _merged_place(before: _Place | None, mine: _Place | None, other: _Place | None) -> _Place | None:
    """One take of the merged manifest; None where a side has settled an order that has no task."""
    if mine is not None and other is not None:
        has_moved = before is not None and before.shot == mine.shot
        return _Place(other.shot if has_moved else mine.shot, _merged_take(before, mine, other))
    single = mine or other
    if single is None or before is None or single.take.get("task_id"):
        return single  # a task may be paid, and stays whatever the other side thought of it
    return None if single.take == before.take else single


def _merged_take(before: _Place | None, mine: _Place, other: _Place) -> Mapping[str, Any]:
    """One take that both sides have: field by field, and where both changed it the state that says more of a clip."""
    base = before.take if before is not None else NOTHING
    first, second = mine.take, other.take
    # Only one side has changed it: that one knows more.
    if base in (first, second):
        changed, unchanged = (second, first) if first == base else (first, second)
        if changed.get("clip") is not None or unchanged.get("clip") is None:
            return changed
        # A branch that lost the file and wrote that down must not take it from the branch that has it.
        return _ordered({**changed, **{name: unchanged[name] for name in _OF_A_CLIP if name in unchanged}})
    if _rank(second) > _rank(first):
        first, second = second, first
    merged = merge_fields(NOTHING, first, second)
    keep = merge_value(*(take.get("kept_for", ABSENT) for take in (base, mine.take, other.take)))
    merged |= {"kept_for": keep, "credits": _merged_credits(first, second)}
    for name in ("request", "clip"):
        if merged.get(name) is None and second.get(name) is not None:
            merged[name] = second[name]
    left_out = {"kept_for"} if keep in (ABSENT, None) else set()
    left_out |= {"doubt"} if merged["status"] != "doubtful" else set()
    return _ordered({name: value for name, value in merged.items() if name not in left_out})


def _ordered(take: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a take in the order of writing, unknown ones last."""
    return {**{name: take[name] for name in TAKE_ORDER if name in take}, **more_fields(take, TAKE_FIELDS)}


def _rank(take: Mapping[str, Any]) -> int:
    return _RANK.index(take["status"])


def _merged_credits(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The quote and the bill of one task; of two bills the higher one, so that no budget counts too little."""
    quoted, used = (
        [take["credits"].get(name) for take in (first, second) if take["credits"].get(name) is not None]
        for name in ("quoted", "used")
    )
    more = {**second["credits"], **first["credits"]}
    return {**more, "quoted": max(quoted, default=None), "used": max(used, default=None)}


# -- picks ------------------------------------------------------------------------------------------------


def _merged_picks(base: _Side, ours: _Side, theirs: _Side) -> tuple[PickBook, tuple[PickConflict, ...]]:
    """The pick of each shot, and the ones of which nobody knows which is newer."""
    before, mine, other = in_present_names(base.picks(), ours.picks(), theirs.picks())
    picks: dict[str, Mapping[str, Any] | None] = {}
    conflicts: list[PickConflict] = []
    for shot in dict.fromkeys((*mine, *other)):
        was, own, foreign = before.get(shot), mine.get(shot), other.get(shot)
        if own == foreign or foreign == was:
            picks[shot] = own
        elif own == was:
            picks[shot] = foreign
        else:
            times = [_time(pick) for pick in (own, foreign)]
            picks[shot] = own
            if None in times or times[0] == times[1]:
                conflicts.append(PickConflict(shot, _number(own), _number(foreign)))
            elif max(time for time in times if time is not None) == times[1]:
                picks[shot] = foreign
    return picks, tuple(conflicts)


def _time(pick: Mapping[str, Any] | None) -> datetime | None:
    at = None if pick is None else pick.get("at")
    return None if at is None else fields.moment(at, "picked.at")


def _number(pick: Mapping[str, Any] | None) -> int | None:
    return None if pick is None else int(pick["take"])


def tasks(content: Mapping[str, Any]) -> Iterator[str]:
    """The ids of all tasks that a manifest's content names."""
    return (take["task_id"] for shot in content["shots"] for take in shot["takes"] if take.get("task_id"))
