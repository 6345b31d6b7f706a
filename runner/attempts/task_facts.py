"""Facts of a task from the provider's record or from a webhook: enough to match the task to an attempt."""

from decimal import Decimal

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Identifying facts of a task's record."""

    task_id: str
    model: str | None
    created_ms: int | None
    completed_ms: int | None
    credits_used: Decimal | None


@dataclass(frozen=True, slots=True)
class Callback:
    """An unsigned webhook callback: a task id, and perhaps a status. Links in it are not even read."""

    task_id: str
    status: str | None
    """One of the four documented statuses, or None."""
