"""One task of the sandbox, and its status at a moment, which follows from its own times. Pure."""

from collections.abc import Mapping
from typing import Literal

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue

Status = Literal["waiting", "generating", "success", "fail"]
# Enough for both documented states to be seen by a client that polls a few times.
WAITING_SHARE = 0.25
"""Share of a task's duration spent in the queue."""

SERVER_ERROR = "Video generation failed. Please try again."
TASK_ERRORS: Mapping[str, str] = {
    "text": "Your input text violates platform rules. Please modify and try again.",
    "image": "Your uploaded image violates platform rules. Please use a different image.",
    "face": "Face detected in uploaded media. Please remove faces and try again.",
    "review": "The generated video did not pass review. Please adjust your prompt and try again.",
    "server": SERVER_ERROR,
}
"""The five documented errors, by the short names of a faults file."""


@dataclass(slots=True)
class Task:
    """A task; times are seconds of the sandbox's clock.

    Only `error`, `seconds`, `server` and the fields below change.
    """

    id: str
    account: str
    model: str
    credits: float
    """Credits that the task reserved."""
    created_at: float
    seconds: float | None
    """Duration of the task; None: as long as the drawing takes."""
    spec: Mapping[str, JsonValue]
    """The clip to draw, in the form of `animatic.spec.to_json`."""
    seed: int | None
    callback: str | None
    error: str | None = None
    """Error message of the record; None for a task that succeeds."""
    fault: Mapping[str, JsonValue] = field(default_factory=dict)
    """Faults of this task, picked at its creation."""
    prompt: str = ""
    number: int = 1
    """Count of tasks of the account with the same body, this one included."""
    server: str = ""
    """Id of the server that draws the clip; another server takes over when that one has died."""
    started_at: float | None = None
    drawn_at: float | None = None
    callback_result: str = ""
    """Result of the webhook; empty until it was sent."""
    late_credits: float | None = None
    """The whole bill, where it comes some time after the end of the task."""
    late_seconds: float = 0.0
    """Seconds from the end of the task to the whole bill."""


def start_time(task: Task) -> float | None:
    """Time when the task leaves the queue; None: not yet known."""
    return task.started_at if task.seconds is None else task.created_at + task.seconds * WAITING_SHARE


def end_time(task: Task) -> float | None:
    """Time when the task is over; None: not yet known, or never."""
    if task.fault.get("never_ends"):
        return None
    if task.error is not None:
        # Half a second: nothing is drawn for a task that fails, and its queue should still be seen.
        return task.created_at + (0.5 if task.seconds is None else task.seconds)
    if task.drawn_at is None:
        return None
    return task.drawn_at if task.seconds is None else max(task.drawn_at, task.created_at + task.seconds)


def status(task: Task, now: float) -> Status:
    """The status in recordInfo at a moment."""
    ended_at = end_time(task)
    if ended_at is not None and now >= ended_at:
        return "success" if task.error is None else "fail"
    started_at = start_time(task)
    return "waiting" if started_at is None or now < started_at else "generating"


def bill(task: Task, now: float) -> float:
    """The credits in recordInfo at a moment: reserved, billed, or given back after a failure."""
    match status(task, now):
        case "fail":
            return 0
        case "success" if is_bill_whole(task, now):
            return task.credits if task.late_credits is None else task.late_credits
        case _:
            return task.credits


def is_bill_whole(task: Task, now: float) -> bool:
    """Whether a task has ended, and its bill changes no more."""
    ended_at = end_time(task)
    if ended_at is None or now < ended_at:
        return False
    return task.error is not None or task.late_credits is None or now >= ended_at + task.late_seconds


def is_open(task: Task, now: float) -> bool:
    """Whether the task holds one of its account's slots."""
    return status(task, now) in ("waiting", "generating")
