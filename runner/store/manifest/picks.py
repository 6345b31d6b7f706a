"""The picks of a manifest: written as they were made, and moved with a shot that has another name now."""

from collections.abc import Mapping, Sequence
from typing import Any

from runner.attempts.pick import Pick
from runner.clock import format_utc
from runner.planning.plan import Plan
from runner.requests.request import fingerprint

StoredPick = Mapping[str, Any]


def pick_json(pick: Pick) -> dict[str, Any]:
    """A pick as it stands in a manifest."""
    return {
        "take": pick.take,
        "fingerprint": pick.fingerprint,
        "task_id": pick.task_id,
        "at": None if pick.at is None else format_utc(pick.at),
    }


def follow_requests(
    picks: Mapping[str, StoredPick | None], plan: Plan, storyboard: str, shots: Sequence[str]
) -> dict[str, StoredPick | None]:
    """The picks by shot, each under the shot that asks for the picked request now.

    `picks` has an entry for every shot that the manifest knows. A pick moves only from a shot that asks for another
    request to one without a pick, or whose own pick moves away.
    """
    new_names = [shot for shot in shots if shot not in picks]
    moves: dict[str, str] = {}
    for shot, pick in picks.items():
        if pick and not _asks_for(plan, storyboard, shot, pick):
            holder = _holder(plan, storyboard, new_names, pick)
            if holder is not None and holder not in moves.values():
                moves[shot] = holder
    while blocked := [old for old, new in moves.items() if picks.get(new) and new not in moves]:
        for old in blocked:
            del moves[old]
    after = {shot: None if shot in moves else pick for shot, pick in picks.items()}
    return after | {new: picks[old] for old, new in moves.items()}


def _holder(plan: Plan, storyboard: str, new_names: Sequence[str], pick: StoredPick) -> str | None:
    """The shot that asks for a picked request; a retake's is looked for among the new names only."""
    step = plan.by_fingerprint.get(pick["fingerprint"] or "")
    if step is not None:
        return step.shot.id if step.shot.storyboard == storyboard and step.take == pick["take"] else None
    return next((shot for shot in new_names if _asks_for(plan, storyboard, shot, pick)), None)


def _asks_for(plan: Plan, storyboard: str, shot: str, pick: StoredPick) -> bool:
    """Whether a shot's present request, with the number of the picked take, is the picked one."""
    step = next((step for step in plan.steps_of(storyboard, shot) if step.fingerprint is not None), None)
    if step is None:
        return False
    return bool(fingerprint({**step.neutral_request(), "take": pick["take"]}) == pick["fingerprint"])
