"""Events that end attempts which nobody else ends: after a crash, and on a free account. Pure."""

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import NotSent, OutcomeUnknown, Settled


def outcome_after_crash(attempt: Attempt) -> NotSent | OutcomeUnknown | None:
    """The event that ends an intent without an answer after its run has ended; None for every other attempt."""
    if attempt.state is not AttemptState.INTENDED:
        return None
    # The mark is durable before the first byte leaves: where it is missing, nothing was ordered and nothing is paid.
    if attempt.sent_at is None:
        return NotSent("the run ended before the request left")
    return OutcomeUnknown("the run ended while the request was on its way")


def release_free_attempt(attempt: Attempt, free: bool) -> Settled | None:
    """Settle an unsettled, doubtful or lost attempt of a free account as not charged: the take is made again."""
    if free and attempt.state.is_repeatable_if_free:
        return Settled("not-charged", message="free of charge: made again")
    return None
