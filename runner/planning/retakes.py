"""The takes that `--retake` orders: of each shot the take after the highest that has ended. Pure."""

from collections.abc import Callable, Iterable

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Step


@dataclass(frozen=True, slots=True)
class RetakeOrders:
    """The choice of the take that `--retake` makes of a shot."""

    history: History
    free: bool
    take: Callable[[str, int], Step]

    def of(self, shots: Iterable[Shot]) -> list[Step]:
        """One retake of each shot; while one that a run ordered is open, the others of that run are no new orders."""
        steps = [self._retake(shot) for shot in shots]
        open_orders = {
            attempt.intent.run
            for step in steps
            if (attempt := self._attempt_of(step)) is not None and attempt.state.is_open and step.is_retake
        } - {""}
        return [self._ordered_already(step, open_orders) or step for step in steps]

    def _ordered_already(self, step: Step, runs: set[str]) -> Step | None:
        """The retake before this one, if one of these runs ordered it; None otherwise."""
        if step.take == 1:
            return None
        previous = self.take(step.shot.id, step.take - 1)
        attempt = self._attempt_of(previous)
        ordered = attempt is not None and attempt.intent.run in runs and previous.is_retake
        return previous if ordered and self._attempt_of(step) is None else None

    def _attempt_of(self, step: Step) -> Attempt | None:
        return self.history.attempts.get(step.attempt or "")

    def _retake(self, shot: Shot) -> Step:
        """The step of the take after the highest ended one; a retake that is ordered and still open comes first."""
        take, last = 0, 0
        while True:
            take += 1
            step = self.take(shot.id, take)
            attempt = self._attempt_of(step)
            # It may have been paid: another take beside it might be the second for one wish.
            if attempt is not None and attempt.state is AttemptState.UNSETTLED and not self.free:
                return step
            # Paid, and its clip is still to come: this is the retake that was asked for.
            if attempt is not None and attempt.state is AttemptState.SUCCEEDED and step.is_retake:
                return step
            if attempt is not None and attempt.state.has_used_take:
                last = take
            elif take > shot.takes and attempt is None:
                # Not `take`: numbers behind the last that ended belong to failures, and are used again.
                return self.take(shot.id, last + 1)
