"""The answers of every state to every question about it: money and clips follow from these rows."""

from functools import cached_property

import pytest

from runner.attempts.attempt import AttemptState
from runner.planning.plan import Action

STATES = {
    "is_open": "intended, unsettled, running, succeeded",
    "is_charged": "succeeded, stored, doubtful, gone",
    "is_paid": "unsettled, running, succeeded, stored, doubtful, gone",
    "has_clip": "stored, doubtful",
    "has_result": "succeeded, stored, doubtful",
    "is_in_progress": "intended, running",
    "may_hold_slot": "intended, unsettled, running",
    "has_failed": "refused, failed",
    "awaits_clip": "running, succeeded",
    "lacks_task": "intended, unsettled",
    "is_settleable": "perhaps charged, unsettled",
    "accepts_verdict": "perhaps charged, unsettled, abandoned",
    "may_be_charged": "intended, perhaps charged, unsettled, running",
    "is_repeatable_if_free": "perhaps charged, unsettled, doubtful, gone",
    "has_used_take": "refused, succeeded, stored, doubtful, gone",
    "leaves_no_clip": "refused, unsettled, doubtful, failed, gone",
    "outweighs_manifest": ("intended, perhaps charged, unsettled, running, succeeded, stored, doubtful, abandoned"),
}
ACTIONS = {
    "is_billable": "make, wait",
    "is_pending": "make, wait, resume",
    "has_attempt": "resume, keep, unsettled, doubtful",
    "is_problem": "unsettled, refused, blocked, doubtful, gone",
    "needs_engine": "make, wait, resume, unsettled, gone",
}


@pytest.mark.parametrize(("question", "states"), STATES.items())
def test_the_states_that_answer_yes(question: str, states: str) -> None:
    assert ", ".join(state for state in AttemptState if getattr(state, question)) == states


@pytest.mark.parametrize(("question", "actions"), ACTIONS.items())
def test_the_actions_that_answer_yes(question: str, actions: str) -> None:
    assert ", ".join(action for action in Action if getattr(action, question)) == actions


@pytest.mark.parametrize(("values", "rows"), [(AttemptState, STATES), (Action, ACTIONS)])
def test_every_question_has_its_row(values: type[AttemptState] | type[Action], rows: dict[str, str]) -> None:
    questions = {name for name, value in vars(values).items() if isinstance(value, cached_property)}
    assert questions == rows.keys()
