"""How fast a run may create and ask: what 429, silence and success teach it. Pure but for the `Pace` itself."""

from runner.engine.limits import RunLimits
from runner.lazy_dataclass import dataclass


@dataclass(slots=True)
class CreateThrottle:
    """How fast this run may create, as the provider's answers taught it; moments are monotonic seconds."""

    concurrency: int
    first_answered: bool = False
    not_before: float = 0.0
    limited_in_row: int = 0
    limited_since: float | None = None
    not_sent_in_row: int = 0
    grow_at: float | None = None
    growth: float = 60.0
    """Seconds until the next try of one slot more."""
    tokens: float = 1.0
    tokens_at: float = 0.0


def current_concurrency(throttle: CreateThrottle, now: float) -> int:
    """The cap by now: it grows by one slot when the time for that has come."""
    return throttle.concurrency + (1 if throttle.grow_at is not None and now >= throttle.grow_at else 0)


def tokens(throttle: CreateThrottle, now: float, limits: RunLimits) -> float:
    burst = max(1.0, limits.requests_per_second)
    return min(burst, throttle.tokens + max(now - throttle.tokens_at, 0.0) * limits.requests_per_second)


def spend_tokens(throttle: CreateThrottle, now: float, count: int, limits: RunLimits) -> None:
    """So many requests leave now."""
    throttle.tokens = tokens(throttle, now, limits) - count
    throttle.tokens_at = now


def on_concurrency_limited(
    throttle: CreateThrottle, now: float, own_tasks: int, limit: int | None, retry_after: float | None, jitter: float
) -> None:
    """After a 429: fewer slots, and a pause that grows; `own` is how many tasks of ours are in progress."""
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    throttle.concurrency = max(
        1, min(throttle.concurrency, own_tasks if limit is None else min(limit, max(own_tasks, 1)))
    )
    if now < throttle.not_before:
        return  # one of several that were refused together: they count once
    throttle.limited_in_row += 1
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.growth = min(throttle.growth * 2, 600.0)
    throttle.grow_at = now + throttle.growth
    backoff = min(5.0 * 2 ** (throttle.limited_in_row - 1), 60.0) * (0.75 + 0.5 * jitter)
    throttle.not_before = max(throttle.not_before, now + (retry_after if retry_after is not None else backoff))


def on_not_sent(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """After a request that never left: a pause that grows."""
    throttle.not_sent_in_row += 1
    throttle.not_before = max(
        throttle.not_before, now + min(2.0**throttle.not_sent_in_row, 60.0) * (0.75 + 0.5 * jitter)
    )


def on_created(throttle: CreateThrottle, now: float, limits: RunLimits) -> None:
    """After a task was created: the pauses are over, and the cap may go on growing."""
    throttle.first_answered = True
    throttle.limited_in_row = throttle.not_sent_in_row = 0
    throttle.limited_since = None
    if throttle.grow_at is not None and now >= throttle.grow_at:
        throttle.concurrency = min(throttle.concurrency + 1, limits.concurrency)
        throttle.grow_at = now + throttle.growth if throttle.concurrency < limits.concurrency else None


def on_cap_shared(throttle: CreateThrottle, now: float, jitter: float) -> None:
    """The account's cap is held by other runs of this machine: look again soon."""
    throttle.limited_since = throttle.limited_since if throttle.limited_since is not None else now
    throttle.not_before = max(throttle.not_before, now + 0.75 + 0.5 * jitter)


def waited_too_long(throttle: CreateThrottle, now: float, limits: RunLimits) -> bool:
    """Whether no slot of the account was free for as long as this run waits for one."""
    return throttle.limited_since is not None and now - throttle.limited_since > limits.wait


def on_task_ended(throttle: CreateThrottle) -> None:
    """An own task ended: after a 429 that is the best moment to ask again."""
    throttle.limited_since = None
    if throttle.limited_in_row:
        throttle.not_before = 0.0
