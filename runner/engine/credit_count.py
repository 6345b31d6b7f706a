"""Credits of a run: those of what it ordered, and those of what it has still to order, kept up to date by attempt."""

from collections.abc import Callable
from decimal import Decimal

from runner.attempts.attempt import Attempt
from runner.attempts.sums import CreditSums, sums_of
from runner.engine.run_events import CreditTotals


class CreditCount:
    """The totals, without a look at the whole batch after each event."""

    def __init__(self) -> None:
        self._ordered = CreditSums()
        self._shares: dict[str, CreditSums] = {}
        self._to_go: Decimal | None = None

    def update(self, attempt: Attempt) -> None:
        """Count an attempt of this run as it stands now."""
        share = sums_of(attempt)
        self._ordered = self._ordered.plus(share).minus(self._shares.get(attempt.id, CreditSums()))
        self._shares[attempt.id] = share

    def add_to_go(self, change: Decimal) -> None:
        """Note by how much an event changed what is still to be ordered."""
        if self._to_go is not None:
            self._to_go += change

    def recount_to_go(self) -> None:
        """Let what is still to be ordered be counted anew, since the plan changed."""
        self._to_go = None

    def totals(self, count_to_go: Callable[[], Decimal]) -> CreditTotals:
        """The totals; `count_to_go` counts what is still to be ordered where that is not known."""
        if self._to_go is None:
            self._to_go = count_to_go()
        return CreditTotals(self._ordered, self._to_go)
