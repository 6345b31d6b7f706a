"""The picks of two branches under the same names of shots: a pick follows a shot that one branch renamed. Pure."""

from collections.abc import Mapping
from typing import Any

PickBook = Mapping[str, Mapping[str, Any] | None]
"""The stored pick of each shot, by the shot's id."""


def in_present_names(base: PickBook, ours: PickBook, theirs: PickBook) -> tuple[PickBook, PickBook, PickBook]:
    """The three books of picks, each under the names that the shots have after both branches' renames."""
    moves_of_ours, all_moves_of_theirs = _moves(base, ours), _moves(base, theirs)
    moves_of_theirs = {old: new for old, new in all_moves_of_theirs.items() if old not in moves_of_ours}
    return (
        _renamed(base, moves_of_ours | moves_of_theirs),
        _renamed(ours, moves_of_theirs),
        _renamed(theirs, {old: new for old, new in moves_of_ours.items() if all_moves_of_theirs.get(old) != new}),
    )


def _moves(base: PickBook, side: PickBook) -> dict[str, str]:
    """The new name of each shot whose pick stands under another name on this side."""
    changed = {
        old: pick
        for old, pick in base.items()
        if pick is not None and side.get(old) != pick and pick.get("task_id") is not None
    }
    if not changed:
        return {}
    names: dict[str, list[str]] = {}
    for name, pick in side.items():
        if pick is not None:
            names.setdefault(str(pick.get("task_id")), []).append(name)
    moves: dict[str, str] = {}
    for old, pick in changed.items():
        candidates = names.get(str(pick["task_id"]), ())
        new = next((name for name in candidates if side[name] == pick and base.get(name) != pick), None)
        if new is not None:
            moves[old] = new
    return moves


def _renamed(picks: PickBook, moves: Mapping[str, str]) -> PickBook:
    renamed = {name: pick for name, pick in picks.items() if name not in moves}
    for old, new in moves.items():
        pick = picks.get(old)
        renamed[new] = pick if pick is not None else renamed.get(new)
    return renamed
