"""The meaning of an answer about a task for a command that asks once, outside a run: one table. Pure."""

from datetime import timedelta
from typing import Literal

from runner.attempts.attempt import LOST_AFTER, Attempt
from runner.attempts.events import Failed, PollResult, Running, Succeeded
from runner.lazy_dataclass import dataclass

Standing = Literal["has link", "no link", "failed", "key refused", "gone", "no record", "no answer", "running"]


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """The standing of a task at the provider, and a sentence about the task, whose name precedes it."""

    standing: Standing
    message: str = ""


def outcome_of(attempt: Attempt, answer: PollResult, age: timedelta) -> TaskOutcome:
    """The outcome of an attempt's task of this age, by the answer to one poll."""
    match answer:
        case Succeeded(outputs=()):
            return TaskOutcome("no link", "it has ended, and its clip has no link yet")
        case Succeeded():
            return TaskOutcome("has link")
        case Failed(message=message):
            cost = "" if attempt.state.is_charged else ", and was not charged"
            return TaskOutcome("failed", f"it failed{cost}: {message}")
        # The same key would get the same answer for every task: it says nothing of this one.
        case Running(key_refused=True):
            return TaskOutcome("key refused", "the provider refused the key")
        # A replica may lag behind: who reads "gone" of a young task may pay for its clip again.
        case Running(not_found=True) if age > LOST_AFTER:
            return TaskOutcome("gone", "the provider no longer has its record")
        case Running(not_found=True):
            message = "the provider has no record of it that this key can see: fetch it again later"
            return TaskOutcome("no record", message)
        case Running(answered=False, message=message):
            return TaskOutcome("no answer", message or "the provider did not answer")
        case _:
            return TaskOutcome("running", "it still runs at the provider: fetch it again later")
