"""The table of what one answer about a task says to a command that asks once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Failed, Intent, Output, PollResult, Running, Succeeded
from runner.attempts.task_outcome import outcome_of

MINUTE, TWO_DAYS = timedelta(minutes=1), timedelta(days=2)
INTENT = Intent("film.yaml", "quay", 1, "f1", {"model": "seedance-20"}, "{}", Decimal(160), "classic", "k", "r", "run1")
RUNNING = Attempt("a1", INTENT, AttemptState.RUNNING, datetime(2026, 11, 1, tzinfo=UTC), task_id="task_1")
NOT_FOUND = Running("", "task not found", answered=False, not_found=True)
LINK = (Output("https://cdn.example/1.mp4"),)


@pytest.mark.parametrize(
    ("answer", "age", "standing"),
    [
        (Succeeded(LINK, Decimal(160)), MINUTE, "has link"),
        (Succeeded((), Decimal(160)), MINUTE, "no link"),
        (Failed("face", "face detected"), MINUTE, "failed"),
        (Running("", "no such key", answered=False, key_refused=True), TWO_DAYS, "key refused"),
        (NOT_FOUND, MINUTE, "no record"),
        (NOT_FOUND, timedelta(hours=23), "no record"),
        (NOT_FOUND, timedelta(0) - TWO_DAYS, "no record"),
        (NOT_FOUND, TWO_DAYS, "gone"),
        (Running("", "HTTP 503", answered=False), TWO_DAYS, "no answer"),
        (Running("generating"), TWO_DAYS, "running"),
    ],
)
def test_an_answer_says_where_the_task_stands(answer: PollResult, age: timedelta, standing: str) -> None:
    assert outcome_of(RUNNING, answer, age).standing == standing


def test_a_failure_is_told_with_its_cost() -> None:
    message = outcome_of(RUNNING, Failed("face", "face detected"), MINUTE).message
    assert message == "it failed, and was not charged: face detected"
