"""The throttle of a run: concurrency, pauses and request tokens, adjusted by the provider's answers.

Every function reads or changes the `CreateThrottle` passed in, and nothing else.
"""

from runner.engine.backoff import backoff, spread
from runner.engine.limits import RunLimits
from runner.lazy_dataclass import dataclass

# Seconds after the first 429 that names no pause.
_LIMITED_PAUSE = 5.0
# How often in a row a `Retry-After` alone decides how long to wait.
_OBEYED_IN_ROW = 4
# Seconds between a 429 and the next try, although the server asks for fewer.
_MIN_PAUSE = 1.0


@dataclass(slots=True)
class CreateThrottle:
    """The rate at which this run may create tasks and send requests; moments are monotonic seconds."""

    concurrency: int
    first_answered: bool = False
    not_before: float = 0.0
    limited_in_row: int = 0
    asked_to_wait: bool = False
    """Whether the last 429 named its pause (`Retry-After`): one task is tried after it, whatever the concurrency."""
    limited_since: float | None = None
    not_sent_in_row: int = 0
    grow_at: float | None = None
    growth: float = 60.0
    """Seconds after a 429 until one more slot is tried."""
    tokens: float = 1.0
    tokens_at: float = 0.0
    poll_first: bool = False
    """Whether a poll gets the odd token where new tasks and polls compete: the last one went to a new task."""


def current_concurrency(throttle: CreateThrottle, now: float) -> int:
    """The concurrency at this moment: one slot more once the time to try one has come."""
    return throttle.concurrency + (1 if throttle.grow_at is not None and now >= throttle.grow_at else 0)


def tokens(throttle: CreateThrottle, now: float, limits: RunLimits) -> float:
    # At most one second's worth is saved up, and at least one request, where the rate is below one a second.
    burst = max(1.0, limits.requests_per_second)
    return min(burst, throttle.tokens + max(now - throttle.tokens_at, 0.0) * limits.requests_per_second)


def poll_share(throttle: CreateThrottle, available: float, overdue_polls: int) -> int:
    """The tokens that new tasks leave to overdue polls: up to half of those available."""
    whole = int(available)
    return min(overdue_polls, whole // 2 + (whole % 2 if throttle.poll_first else 0))


def spend_tokens(throttle: CreateThrottle, now: float, limits: RunLimits, creates: int, polls: int) -> None:
    """Take tokens for the requests that are sent now."""
    throttle.tokens = tokens(throttle, now, limits) - creates - polls
    throttle.tokens_at = now
    if creates != polls:
        throttle.poll_first = creates > polls


def on_concurrency_limited(
    throttle: CreateThrottle, now: float, own_tasks: int, limit: int | None, retry_after: float | None, jitter: float
) -> None:
    """React to a 429: fewer slots and a growing pause.

    `own_tasks` is how many slots this run holds: its tasks in progress, and unsettled attempts that may be running.
    A `Retry-After` is obeyed as it is for the first few times; from then on the pause is not below the backoff.
    """
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    throttle.concurrency = max(
        1, min(throttle.concurrency, own_tasks if limit is None else min(limit, max(own_tasks, 1)))
    )
    if now < throttle.not_before:
        return  # one of several requests refused together: they count once
    throttle.limited_in_row += 1
    # The slot that was tried is refused: the next try waits twice as long, up to ten minutes.
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.growth = min(throttle.growth * 2, 600.0)
    throttle.grow_at = now + throttle.growth
    throttle.asked_to_wait = retry_after is not None
    # A named pause is obeyed for `_OBEYED_IN_ROW` times before it is doubted and the backoff sets in.
    doublings = throttle.limited_in_row - 1 - (_OBEYED_IN_ROW if retry_after is not None else 0)
    pause = spread(backoff(doublings + 1, _LIMITED_PAUSE), jitter) if doublings >= 0 else _MIN_PAUSE
    throttle.not_before = max(throttle.not_before, now + max(pause, retry_after or 0.0))


def may_try_one(throttle: CreateThrottle, running: int) -> bool:
    """Whether one task may be tried beyond the concurrency, once the pause after a 429 is over.

    After a `Retry-After`, and where nothing runs whose end would be a better moment: unsettled attempts may hold no
    slot at the provider.
    """
    return throttle.limited_in_row > 0 and (throttle.asked_to_wait or not running)


def on_not_sent(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """React to a request that was not sent: a growing pause."""
    throttle.not_sent_in_row += 1
    throttle.not_before = max(throttle.not_before, now + spread(backoff(throttle.not_sent_in_row), jitter))


def on_created(throttle: CreateThrottle, now: float, limits: RunLimits, own_tasks: int = 0) -> None:
    """React to a created task: end the pauses, and let concurrency grow on.

    The account has room for `own_tasks`, the slots that this run holds now.
    """
    throttle.first_answered = True
    # What was accepted is a proof of room, whatever an earlier 429 made believe.
    throttle.concurrency = max(throttle.concurrency, min(own_tasks, limits.concurrency))
    throttle.limited_in_row = throttle.not_sent_in_row = 0
    throttle.limited_since = None
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.concurrency = min(throttle.concurrency + 1, limits.concurrency)
        throttle.grow_at = now + throttle.growth if throttle.concurrency < limits.concurrency else None


def on_refused(throttle: CreateThrottle) -> None:
    """React to a refusal of one take: the others are as good as before."""
    throttle.first_answered = True


def on_cap_shared(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """React to slots that other runs of this machine hold: try again soon."""
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    # About a second: the other runs write to the same ledger, which costs no request to ask.
    throttle.not_before = max(throttle.not_before, now + spread(1.0, jitter))


def waited_too_long(throttle: CreateThrottle, now: float, limits: RunLimits) -> bool:
    """Whether the account had no free slot for longer than this run waits."""
    return throttle.limited_since is not None and now - throttle.limited_since > limits.wait


def on_task_ended(throttle: CreateThrottle) -> None:
    """React to the end of an own task: after a 429, the best moment to try again."""
    throttle.limited_since = None
    if throttle.limited_in_row:
        # The slot that has just become free is the one that the 429 lacked.
        throttle.not_before = 0.0
