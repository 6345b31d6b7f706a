"""Bills that grow after the end of their tasks: when each is read again, and when it is final. Pure."""

from datetime import datetime, timedelta

from runner.attempts.attempt import Attempt
from runner.attempts.events import PollResult, Succeeded
from runner.lazy_dataclass import replace

# The pages say "some minutes", and show 175 credits that became 525: four readings, and the bill counts as final.
READ_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 7, 15))
"""How long after the success of its task a bill is read again."""


def may_be_open(attempt: Attempt) -> bool:
    """Whether a bill of this ledger may still grow, if its price row settles late: below the quote, and not read last.

    An attempt that only a manifest tells of is read by the machine that ordered it.
    """
    if not attempt.state.has_result or attempt.ended_at is None or attempt.from_manifest:
        return False
    if attempt.repository is not None or attempt.task_id is None:
        return False
    # At the quote or above it a bill grows no more; above, the run has stopped for it.
    if attempt.credits_used is not None and attempt.price_deviation != "below":
        return False
    return _last_reading(attempt) < READ_AFTER[-1]


def next_reading(attempt: Attempt) -> datetime | None:
    """The moment to read the bill of an attempt next; None once the bill is final."""
    if not may_be_open(attempt) or attempt.ended_at is None:
        return None
    last = _last_reading(attempt)
    return attempt.ended_at + next(pause for pause in READ_AFTER if pause > last)


def reading(attempt: Attempt, answer: PollResult) -> Succeeded | None:
    """The event of an answer about an open bill; None if it tells no bill, which is to be read again then."""
    if not isinstance(answer, Succeeded):
        return None
    # A late record may have lost its links; those that are known stay.
    return replace(answer, outputs=answer.outputs or attempt.outputs)


def _last_reading(attempt: Attempt) -> timedelta:
    """The age of a task's success when its bill was read last."""
    if attempt.bill_read_at is None or attempt.ended_at is None:
        return timedelta(0)
    return attempt.bill_read_at - attempt.ended_at
