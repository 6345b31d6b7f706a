"""One task of the sandbox, and what is true of it at a moment: nothing but its own times decides. Pure."""

from collections.abc import Mapping
from typing import Literal

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue

Status = Literal["waiting", "generating", "success", "fail"]
WAITING_SHARE = 0.25
"""How much of a task's asked length it spends in the queue."""

SERVER_ERROR = "Video generation failed. Please try again."
TASK_ERRORS: Mapping[str, str] = {
    "text": "Your input text violates platform rules. Please modify and try again.",
    "image": "Your uploaded image violates platform rules. Please use a different image.",
    "face": "Face detected in uploaded media. Please remove faces and try again.",
    "review": "The generated video did not pass review. Please adjust your prompt and try again.",
    "server": SERVER_ERROR,
}
"""The five documented ends of a failed task, by the short names that a faults file uses."""


@dataclass(slots=True)
class Task:
    """Times are seconds of the sandbox's clock; only the last fields, from `server` on, change after it was made."""

    id: str
    account: str
    model: str
    credits: int
    made: float
    lasts: float | None
    """Seconds in all; None: as long as the drawing takes."""
    order: Mapping[str, JsonValue]
    """What to draw: `animatic.order.to_json`."""
    seed: int | None
    callback: str | None
    error: str | None = None
    """The words it will end with; None for one that succeeds."""
    fault: Mapping[str, JsonValue] = field(default_factory=dict)
    """What a faults file does to it, decided when it was made."""
    prompt: str = ""
    number: int = 1
    """It is the n-th task of its account with this body."""
    server: str = ""
    """Who draws it; another server takes it over when that one is gone."""
    begun: float | None = None
    drawn: float | None = None
    called: str = ""
    """How its webhook ended; empty while none was sent."""


def begin(task: Task) -> float | None:
    """When it leaves the queue; None: nobody knows yet."""
    return task.begun if task.lasts is None else task.made + task.lasts * WAITING_SHARE


def end(task: Task) -> float | None:
    """When it is over; None: not yet known, or never."""
    if task.fault.get("never_ends"):
        return None
    if task.error is not None:
        return task.made + (0.5 if task.lasts is None else task.lasts)
    if task.drawn is None:
        return None
    return task.drawn if task.lasts is None else max(task.drawn, task.made + task.lasts)


def status(task: Task, now: float) -> Status:
    """What recordInfo says of it at this moment."""
    over = end(task)
    if over is not None and now >= over:
        return "success" if task.error is None else "fail"
    started = begin(task)
    return "waiting" if started is None or now < started else "generating"


def open_at(task: Task, now: float) -> bool:
    """True while it holds one of its account's slots."""
    return status(task, now) in ("waiting", "generating")
