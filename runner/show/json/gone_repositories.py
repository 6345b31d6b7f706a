"""Attempts that repositories left which are gone, in the documents of `status` and `settle`."""

from collections.abc import Sequence

from runner.attempts.attempt import Attempt
from runner.clock import format_utc
from runner.requests.request import credits_json


def gone_json(attempts: Sequence[Attempt]) -> list[dict[str, object]]:
    """Each attempt with the last path of its repository."""
    return [
        {
            "repository": attempt.repository,
            "storyboard": attempt.intent.storyboard,
            "shot": attempt.intent.shot,
            "take": attempt.intent.take,
            "attempt": attempt.id,
            "task_id": attempt.task_id,
            "credits": credits_json(attempt.credits),
            "created_at": format_utc(attempt.intended_at),
        }
        for attempt in attempts
    ]
