"""The takes of a shot that others have superseded: their entries shrink to what fetching and not paying again need."""

from collections.abc import Collection, Iterable

from runner.attempts.attempt import Attempt


def superseded(takes: Iterable[Attempt], current_ids: Collection[str]) -> frozenset[str]:
    """Ids of the attempts that another of the same take number has superseded, among the takes of one shot.

    What the storyboard asks for supersedes all others of its number once it is made, until then the latest that was
    made does. A clip that a person kept is superseded by nothing. A running, unsettled or lost take needs its request:
    to be settled, or because no record can confirm it any more.
    """
    by_number: dict[int, list[Attempt]] = {}
    for attempt in takes:
        if attempt.state.has_result and attempt.task_id is not None:
            by_number.setdefault(attempt.intent.take, []).append(attempt)
    ids: set[str] = set()
    for attempts in by_number.values():
        latest = max(attempts, key=lambda attempt: (attempt.intended_at, attempt.id))
        standing = {attempt.id for attempt in attempts if attempt.id in current_ids} or {latest.id}
        ids |= {attempt.id for attempt in attempts if attempt.id not in standing and attempt.kept_for is None}
    return frozenset(ids)
