"""The takes that a storyboard's budget counts: all current takes, whatever the command line selects."""

from collections.abc import Iterator

from runner.app.batch_planner import BatchPlanner
from runner.attempts.history import History
from runner.language.model import Batch, Storyboard
from runner.planning.plan import Plan
from runner.requests.request import fingerprint


def fingerprints_in_budget(planner: BatchPlanner, plan: Plan, history: History) -> dict[str, frozenset[str]]:
    """The fingerprints that count in each storyboard's budget: takes, retakes, and takes of its other films."""
    storyboards = [storyboard for storyboard in plan.batch.storyboards if has_budget(storyboard)]
    if not storyboards:
        return {}
    # The plan without `--select`, `--retake` and `--again`: takes that they leave out count too.
    full_plan = planner.plan(history, batch=Batch(tuple(storyboards)))
    counted: dict[str, frozenset[str]] = {}
    for storyboard in storyboards:
        own = frozenset(
            fingerprint
            for steps in (plan.steps_for(storyboard), full_plan.steps_for(storyboard))
            for step in steps
            if (fingerprint := step.fingerprint) is not None
        ).union(
            _retake_fingerprints(full_plan, storyboard, history),
            _fingerprints_of_other_films(planner, storyboard, history),
        )
        counted[storyboard.path] = counted.get(storyboard.path, frozenset()) | own
    return counted


def has_budget(storyboard: Storyboard) -> bool:
    return storyboard.budget_credits is not None or storyboard.budget_usd is not None


def _retake_fingerprints(full_plan: Plan, storyboard: Storyboard, history: History) -> Iterator[str]:
    """Retakes (beyond a shot's `takes`) of its current request; all retakes where a missing pick hides the request."""
    for attempt in history.own_and_named():
        intent = attempt.intent
        if intent.film != storyboard.film:
            continue
        step = next(iter(full_plan.steps_of((storyboard.film, intent.shot))), None)
        # Takes up to `takes` stand in the plan already.
        if step is None or intent.take <= step.shot.takes:
            continue
        if (
            step.fingerprint is None
            or fingerprint({**step.neutral_request(), "take": intent.take}) == intent.fingerprint
        ):
            yield intent.fingerprint


def _fingerprints_of_other_films(planner: BatchPlanner, storyboard: Storyboard, history: History) -> Iterator[str]:
    """The last attempt of each take of the storyboard's films that this command does not compile."""
    compiled = {board.film for board in planner.batch.storyboards}
    for (film, _, _), attempt in history.last.items():
        if film.storyboard == storyboard.path and film not in compiled:
            yield history.attempts[attempt].intent.fingerprint
