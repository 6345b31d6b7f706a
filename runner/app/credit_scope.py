"""The attempts that the sums of a storyboard count: all that were ordered for it, whatever is selected."""

from collections.abc import Mapping
from functools import reduce

from runner.app.batch_planner import BatchPlanner
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.attempts.sums import CreditSums, sum_credits
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import replace


def sums_by_storyboard(planner: BatchPlanner, history: History) -> dict[str, CreditSums]:
    """The credits of each storyboard: takes, retakes, earlier versions and other profiles, whatever is selected."""
    attempts = attempts_by_storyboard(planner, history)
    return {storyboard.path: sum_credits(attempts[storyboard.path]) for storyboard in planner.batch.storyboards}


def with_sums(planner: BatchPlanner, history: History, result: RunResult) -> RunResult:
    """The result with the sum of everything that was ordered for the storyboards of a batch."""
    return replace(result, sums=reduce(CreditSums.plus, sums_by_storyboard(planner, history).values(), CreditSums()))


def attempts_by_storyboard(planner: BatchPlanner, history: History) -> dict[str, list[Attempt]]:
    """The attempts that this repository ordered or names for each storyboard of the batch.

    An attempt counts where it was ordered; if that file is gone, at the storyboard whose take it is now.
    """
    paths: dict[str, list[Attempt]] = {storyboard.path: [] for storyboard in planner.batch.storyboards}
    strays = []
    for attempt in history.own_and_named():
        ordered_for = paths.get(attempt.intent.storyboard)
        if ordered_for is not None:
            ordered_for.append(attempt)
        elif planner.is_gone(attempt.intent.storyboard):
            strays.append(attempt)
    if strays:
        owners = _owners(planner, history)
        for attempt in strays:
            if attempt.id in owners:
                paths[owners[attempt.id]].append(attempt)
    return paths


def _owners(planner: BatchPlanner, history: History) -> Mapping[str, str]:
    """The storyboard of the take that each attempt decides."""
    # Without all shots nobody knows whose take an attempt is.
    if planner.has_errors:
        return {}
    steps = planner.plan(history).steps
    # Reversed, so that of two takes with one attempt the first in the files counts.
    return {step.attempt: step.shot.storyboard for step in reversed(steps) if step.attempt is not None}
