"""A pick: the take of a shot that a person chose, bound to the request and the task of the clip that was seen. Pure."""

from datetime import datetime

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pick:
    """The chosen take of a shot.

    A pick read from a manifest of version 1 is a number only: fingerprint, task and time are None.
    """

    take: int
    fingerprint: str | None = None
    task_id: str | None = None
    at: datetime | None = None
    """The moment of the choice, UTC."""
