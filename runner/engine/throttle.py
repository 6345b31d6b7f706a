"""How fast a run may create and ask: what 429, silence and success teach it. Pure but for the `Pace` itself."""

from runner.engine.limits import RunLimits
from runner.lazy_dataclass import dataclass


@dataclass(slots=True)
class CreateThrottle:
    """How fast this run may create, as the provider's answers taught it; moments are monotonic seconds."""

    cap: int
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


def allowed(pace: CreateThrottle, now: float) -> int:
    """The cap by now: it grows by one slot when the time for that has come."""
    return pace.cap + (1 if pace.grow_at is not None and now >= pace.grow_at else 0)


def tokens(pace: CreateThrottle, now: float, limits: RunLimits) -> float:
    burst = max(1.0, limits.requests_per_second)
    return min(burst, pace.tokens + max(now - pace.tokens_at, 0.0) * limits.requests_per_second)


def spend_tokens(pace: CreateThrottle, now: float, count: int, limits: RunLimits) -> None:
    """So many requests leave now."""
    pace.tokens = tokens(pace, now, limits) - count
    pace.tokens_at = now


def slowed_by_busy(
    pace: CreateThrottle, now: float, own: int, limit: int | None, retry_after: float | None, jitter: float
) -> None:
    """After a 429: fewer slots, and a pause that grows; `own` is how many tasks of ours are in progress."""
    pace.limited_since = pace.limited_since if pace.limited_since is not None else now
    pace.cap = max(1, min(pace.cap, own if limit is None else min(limit, max(own, 1))))
    if now < pace.not_before:
        return  # one of several that were refused together: they count once
    pace.limited_in_row += 1
    if pace.grow_at is not None and now >= pace.grow_at:
        pace.growth = min(pace.growth * 2, 600.0)
    pace.grow_at = now + pace.growth
    backoff = min(5.0 * 2 ** (pace.limited_in_row - 1), 60.0) * (0.75 + 0.5 * jitter)
    pace.not_before = max(pace.not_before, now + (retry_after if retry_after is not None else backoff))


def slowed_by_silence(pace: CreateThrottle, now: float, jitter: float) -> None:
    """After a request that never left: a pause that grows."""
    pace.not_sent_in_row += 1
    pace.not_before = max(pace.not_before, now + min(2.0**pace.not_sent_in_row, 60.0) * (0.75 + 0.5 * jitter))


def sped_by_created(pace: CreateThrottle, now: float, limits: RunLimits) -> None:
    """After a task was created: the pauses are over, and the cap may go on growing."""
    pace.first_answered = True
    pace.limited_in_row = pace.not_sent_in_row = 0
    pace.limited_since = None
    if pace.grow_at is not None and now >= pace.grow_at:
        pace.cap = min(pace.cap + 1, limits.concurrency)
        pace.grow_at = now + pace.growth if pace.cap < limits.concurrency else None


def wait_for_others(pace: CreateThrottle, now: float, jitter: float) -> None:
    """The account's cap is held by other runs of this machine: look again soon."""
    pace.limited_since = pace.limited_since if pace.limited_since is not None else now
    pace.not_before = max(pace.not_before, now + 0.75 + 0.5 * jitter)


def out_of_patience(pace: CreateThrottle, now: float, limits: RunLimits) -> bool:
    """Whether no slot of the account was free for as long as this run waits for one."""
    return pace.limited_since is not None and now - pace.limited_since > limits.wait


def slot_freed(pace: CreateThrottle) -> None:
    """An own task ended: after a 429 that is the best moment to ask again."""
    pace.limited_since = None
    if pace.limited_in_row:
        pace.not_before = 0.0
