"""The picks of a manifest: each under the present name of its shot; a pick that was made meanwhile stays."""

from collections.abc import Mapping
from typing import Any

from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import format_utc
from runner.planning.plan import Plan

StoredPick = Mapping[str, Any]
_BOUND_TO = ("take", "fingerprint", "task_id")


def pick_json(pick: Pick) -> dict[str, Any]:
    """A pick as it stands in a manifest."""
    return {
        "take": pick.take,
        "fingerprint": pick.fingerprint,
        "task_id": pick.task_id,
        "at": None if pick.at is None else format_utc(pick.at),
    }


def present_picks(
    stored: Mapping[str, StoredPick | None], plan: Plan, history: History, film: FilmName
) -> dict[str, StoredPick | None]:
    """The picks by shot as they are to be written over the `stored` ones.

    The plan's names hold, unless the stored pick is another than the one that `history` was loaded with: then another
    command has picked since, and its pick stays.
    """
    moved = {shot: pick for (own, shot), pick in plan.stored_picks.items() if own == film}
    loaded = {shot: pick for (own, shot), pick in history.picks.items() if own == film}
    picks: dict[str, StoredPick | None] = {}
    for shot in (*stored, *(shot for shot in moved if shot not in stored)):
        before, pick = stored.get(shot), moved.get(shot)
        if shot in stored and not is_same_pick(before, loaded.get(shot)):
            picks[shot] = before
        else:
            picks[shot] = before if is_same_pick(before, pick) else None if pick is None else pick_json(pick)
    return picks


def is_same_pick(stored: StoredPick | None, pick: Pick | None) -> bool:
    """Whether a stored pick is bound to the same clip as a pick."""
    if stored is None or pick is None:
        return stored is None and pick is None
    return [stored.get(name) for name in _BOUND_TO] == [pick.take, pick.fingerprint, pick.task_id]
