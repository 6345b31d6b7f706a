"""Orphans: the paid, open attempts that no take of the storyboards asks for any more."""

from typing import Any

import pytest

from runner.attempts.events import (
    Clip,
    Created,
    Failed,
    OutcomeUnknown,
    Output,
    Payload,
    Refused,
    SendStarted,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.planning.plan_inputs import PlanOverrides
from tests.builders.plans import BOARD, BOARD_FILM, FREE, after, clip, plan, shot

RUNNING = (SendStarted(), Created("task_1"))
MADE = (*RUNNING, Succeeded((Output("https://m.example/1.mp4"),)))
QUAY, NOON = shot("quay"), shot("quay", "quay at noon")


def ordered(*payloads: Payload, take: int = 1, of: Any = QUAY) -> History:
    """The history of one take, with what became of it."""
    history = History()
    step = next(step for step in plan(of._replace(takes=take)).steps if step.take == take)
    after(history, step, *payloads)
    return history


def orphans(*shots: Any, history: History, **options: Any) -> list[tuple[str, int]]:
    return [(orphan.shot, orphan.take) for orphan in plan(*shots, history=history, **options).orphans]


@pytest.mark.parametrize(
    ("payloads", "is_orphan"),
    [
        (RUNNING, True),
        (MADE, True),
        ((SendStarted(), OutcomeUnknown("reset")), True),
        ((SendStarted(),), False),
        ((SendStarted(), Refused(400, "no")), False),
        ((*RUNNING, Failed("provider", "no")), False),
        ((*MADE, Stored(clip("quay"))), False),
    ],
)
def test_what_is_paid_and_open_is_an_orphan_once_its_prompt_changed(
    payloads: tuple[Payload, ...], is_orphan: bool
) -> None:
    history = ordered(*payloads)
    assert orphans(QUAY, history=history) == []
    assert orphans(NOON, history=history) == ([("quay", 1)] if is_orphan else [])


def test_an_orphan_is_a_take_again_when_the_prompt_is_put_back() -> None:
    history = ordered(*RUNNING)
    [orphan] = plan(NOON, history=history).orphans
    [step] = plan(QUAY, history=history).steps
    assert orphan.attempt == step.attempt


def test_a_shot_that_is_not_selected_leaves_no_orphan_and_one_that_is_skipped_does() -> None:
    history = ordered(*RUNNING)
    assert orphans(QUAY, shot("pier"), history=history, selected=frozenset({(BOARD_FILM, "pier")})) == []
    assert orphans(QUAY._replace(skip=True), shot("pier"), history=history) == [("quay", 1)]


def test_a_retake_that_runs_is_no_orphan_whatever_the_run_orders() -> None:
    history = ordered(*RUNNING, take=2)
    assert orphans(QUAY, history=history) == []
    retakes = PlanOverrides(retakes=frozenset({(BOARD_FILM, "pier")}))
    assert orphans(QUAY, shot("pier"), history=history, overrides=retakes) == []


def test_a_storyboard_that_is_gone_leaves_orphans_and_one_that_is_not_read_does_not() -> None:
    history = ordered(*RUNNING)
    elsewhere = shot("quay", "another", storyboard="storyboards/other.yaml")
    assert orphans(elsewhere, history=history) == []
    assert orphans(elsewhere, history=history, is_gone=lambda path: path == BOARD) == [("quay", 1)]


def test_another_profile_and_a_free_account_have_no_orphans() -> None:
    history = ordered(*RUNNING)
    assert orphans(NOON._replace(profile="draft"), history=history) == []
    assert orphans(NOON, history=history, account=FREE) == []


def test_a_second_task_of_a_take_that_has_its_clip_is_an_orphan() -> None:
    history = ordered(*RUNNING)
    [step] = plan(QUAY, history=history).steps
    after(history, step, SendStarted(), Created("task_2"), *MADE[2:], Stored(Clip("x", "x", 1, 1, 1, 1.0)))
    assert orphans(QUAY, history=history) == [("quay", 1)]


def test_an_unsettled_orphan_is_for_the_user_and_one_with_a_path_for_a_name_is_never_fetched() -> None:
    [unsettled] = plan(NOON, history=ordered(SendStarted(), OutcomeUnknown("reset"))).orphans
    assert unsettled.is_unsettled
    [running] = plan(NOON, history=ordered(*RUNNING)).orphans
    assert (running.is_unsettled, running.may_be_fetched) == (False, True)
    assert not running._replace(shot="../quay").may_be_fetched
    assert not running._replace(is_locked_elsewhere=True).may_be_fetched
