"""The one set of sums: what attempts cost, run for, or may have cost. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from runner.attempts.attempt import Attempt, AttemptState


class CreditSums(NamedTuple):
    """Credits by what is known about the charge; every screen and document uses these four."""

    billed: Decimal = Decimal(0)
    """As the provider said, or as the user settled an attempt: charged."""
    in_flight: Decimal = Decimal(0)
    """Quotes of requests on their way and of running tasks."""
    unsettled: Decimal = Decimal(0)
    """Quotes of attempts whose outcome nobody knows."""
    maybe_charged: Decimal = Decimal(0)
    """Quotes of attempts that ended with a documented server error."""

    def plus(self, other: "CreditSums") -> "CreditSums":
        return CreditSums(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "CreditSums") -> "CreditSums":
        return CreditSums(*(a - b for a, b in zip(self, other, strict=True)))


def sums_of(attempt: Attempt) -> CreditSums:
    """The sums of one attempt: at most one of the four is not zero."""
    if attempt.state.is_in_progress:
        return CreditSums(in_flight=attempt.credits)
    if attempt.state is AttemptState.UNSETTLED:
        return CreditSums(unsettled=attempt.credits)
    if attempt.state is AttemptState.MAYBE_CHARGED:
        return CreditSums(maybe_charged=attempt.credits)
    # What the user settled as charged has no bill: its quote stands for it.
    return CreditSums(billed=attempt.credits if attempt.charged else attempt.billed)


def counted_credits(attempts: Iterable[Attempt]) -> Decimal:
    """The highest possible cost of several attempts, as limits count them."""
    return sum((attempt.credits for attempt in attempts), Decimal(0))


def sum_credits(attempts: Iterable[Attempt]) -> CreditSums:
    """The sums of several attempts, each of which counts once."""
    total = CreditSums()
    for attempt in attempts:
        total = total.plus(sums_of(attempt))
    return total
