"""Estimates of durations for a run, and how often they are renewed while many tasks run."""

from collections.abc import Callable

from runner.engine.duration_model import DurationEstimate

# Running tasks that one change pays for: with more of them, renewal waits for more changes.
_TASKS_PER_CHANGE = 50


class Renewal:
    """Decides after which changes something is renewed that costs as much as there are running tasks.

    The cost of one change is bounded in this way, however many tasks run.
    """

    def __init__(self) -> None:
        self._changes = 0

    def is_due(self, running: int) -> bool:
        """Count one change; return whether enough changes have come since the last renewal."""
        self._changes += 1
        if self._changes * _TASKS_PER_CHANGE < running:
            return False
        self._changes = 0
        return True


class DurationEstimates:
    """Estimated durations by class of work, kept until they are renewed."""

    def __init__(self, learn: Callable[[str], DurationEstimate]) -> None:
        self._learn = learn
        self._by_class: dict[str, DurationEstimate] = {}

    def of(self, work_class: str) -> DurationEstimate:
        """The estimate for a class of work, learned on first use."""
        if work_class not in self._by_class:
            self._by_class[work_class] = self._learn(work_class)
        return self._by_class[work_class]

    def renew(self) -> None:
        """Forget all estimates: each is learned again on its next use."""
        self._by_class.clear()
