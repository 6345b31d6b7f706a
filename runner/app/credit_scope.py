"""The attempts that the sums of a storyboard count: all that were ordered for it, whatever is selected."""

from collections.abc import Mapping
from functools import reduce

from runner.app.batch_planner import BatchPlanner
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.attempts.sums import CreditSums, sum_credits
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import dataclass, replace


@dataclass(frozen=True, slots=True)
class CreditScope:
    """The credits that count for the storyboards of a command."""

    planner: BatchPlanner

    def sums_by_storyboard(self, history: History) -> dict[str, CreditSums]:
        """The credits of each storyboard: takes, retakes, earlier versions and other profiles, whatever is selected."""
        attempts = self.attempts_by_storyboard(history)
        return {
            storyboard.path: sum_credits(attempts[storyboard.path]) for storyboard in self.planner.batch.storyboards
        }

    def with_sums(self, history: History, result: RunResult) -> RunResult:
        """The result with the sum of everything that was ordered for the storyboards of a batch."""
        return replace(result, sums=reduce(CreditSums.plus, self.sums_by_storyboard(history).values(), CreditSums()))

    def attempts_by_storyboard(self, history: History) -> dict[str, list[Attempt]]:
        """The attempts that this repository ordered or names for each storyboard of the batch.

        An attempt counts where it was ordered; if that file is gone, at the storyboard whose take it is now.
        """
        paths: dict[str, list[Attempt]] = {storyboard.path: [] for storyboard in self.planner.batch.storyboards}
        strays = []
        for attempt in history.own_and_named():
            ordered_for = paths.get(attempt.intent.storyboard)
            if ordered_for is not None:
                ordered_for.append(attempt)
            elif self.planner.is_gone(attempt.intent.storyboard):
                strays.append(attempt)
        if strays:
            owners = self._owners(history)
            for attempt in strays:
                if attempt.id in owners:
                    paths[owners[attempt.id]].append(attempt)
        return paths

    def _owners(self, history: History) -> Mapping[str, str]:
        """The storyboard of the take that each attempt decides."""
        # Without all shots nobody knows whose take an attempt is.
        if self.planner.has_errors:
            return {}
        steps = self.planner.plan(history).steps
        # Reversed, so that of two takes with one attempt the first in the files counts.
        return {step.attempt: step.shot.storyboard for step in reversed(steps) if step.attempt is not None}
