"""What a provider's record, or a webhook, says of a task: enough to tell which attempt created it."""

from decimal import Decimal

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a record says of itself: enough to tell whether a task is the one that an attempt created."""

    task_id: str
    model: str | None
    created_ms: int | None
    completed_ms: int | None
    credits_used: Decimal | None


@dataclass(frozen=True, slots=True)
class Callback:
    """An unsigned hint: which task, and perhaps how it stands. Links in it are not even read."""

    task_id: str
    status: str | None
    """One of the four documented statuses, or None."""
