"""The throttle of a run: concurrency, pauses and request tokens, adjusted by the provider's answers.

Every function reads or changes the `CreateThrottle` passed in, and nothing else.
"""

from runner.engine.limits import RunLimits
from runner.lazy_dataclass import dataclass


@dataclass(slots=True)
class CreateThrottle:
    """The rate at which this run may create tasks and send requests; moments are monotonic seconds."""

    concurrency: int
    first_answered: bool = False
    not_before: float = 0.0
    limited_in_row: int = 0
    limited_since: float | None = None
    not_sent_in_row: int = 0
    grow_at: float | None = None
    growth: float = 60.0
    """Seconds after a 429 until one more slot is tried."""
    tokens: float = 1.0
    tokens_at: float = 0.0


def current_concurrency(throttle: CreateThrottle, now: float) -> int:
    """The concurrency at this moment: one slot more once the time to try one has come."""
    return throttle.concurrency + (1 if throttle.grow_at is not None and now >= throttle.grow_at else 0)


def tokens(throttle: CreateThrottle, now: float, limits: RunLimits) -> float:
    burst = max(1.0, limits.requests_per_second)
    return min(burst, throttle.tokens + max(now - throttle.tokens_at, 0.0) * limits.requests_per_second)


def spend_tokens(throttle: CreateThrottle, now: float, count: int, limits: RunLimits) -> None:
    """Takes tokens for `count` requests that are sent now."""
    throttle.tokens = tokens(throttle, now, limits) - count
    throttle.tokens_at = now


def on_concurrency_limited(
    throttle: CreateThrottle, now: float, own_tasks: int, limit: int | None, retry_after: float | None, jitter: float
) -> None:
    """Reacts to a 429: fewer slots and a growing pause; `own_tasks` is how many tasks this run has in progress."""
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    throttle.concurrency = max(
        1, min(throttle.concurrency, own_tasks if limit is None else min(limit, max(own_tasks, 1)))
    )
    if now < throttle.not_before:
        return  # one of several requests refused together: they count once
    throttle.limited_in_row += 1
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.growth = min(throttle.growth * 2, 600.0)
    throttle.grow_at = now + throttle.growth
    backoff = min(5.0 * 2 ** (throttle.limited_in_row - 1), 60.0) * (0.75 + 0.5 * jitter)
    throttle.not_before = max(throttle.not_before, now + (retry_after if retry_after is not None else backoff))


def on_not_sent(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """Reacts to a request that was not sent: a growing pause."""
    throttle.not_sent_in_row += 1
    throttle.not_before = max(
        throttle.not_before, now + min(2.0**throttle.not_sent_in_row, 60.0) * (0.75 + 0.5 * jitter)
    )


def on_created(throttle: CreateThrottle, now: float, limits: RunLimits) -> None:
    """Reacts to a created task: ends the pauses, and lets concurrency grow on."""
    throttle.first_answered = True
    throttle.limited_in_row = throttle.not_sent_in_row = 0
    throttle.limited_since = None
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.concurrency = min(throttle.concurrency + 1, limits.concurrency)
        throttle.grow_at = now + throttle.growth if throttle.concurrency < limits.concurrency else None


def on_cap_shared(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """Reacts to slots that other runs of this machine hold: try again soon."""
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    throttle.not_before = max(throttle.not_before, now + 0.75 + 0.5 * jitter)


def waited_too_long(throttle: CreateThrottle, now: float, limits: RunLimits) -> bool:
    """Whether the account had no free slot for longer than this run waits."""
    return throttle.limited_since is not None and now - throttle.limited_since > limits.wait


def on_task_ended(throttle: CreateThrottle) -> None:
    """Reacts to the end of an own task: after a 429, the best moment to try again."""
    throttle.limited_since = None
    if throttle.limited_in_row:
        throttle.not_before = 0.0
