"""Which pick counts, after every kind of edit."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.attempts.events import Created, Lost, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.language.model import Shot
from runner.planning.plan import Action, Step
from runner.planning.plan_inputs import PlanOverrides
from tests.builders.plans import (
    BOARD_FILM,
    FREE,
    actions,
    after,
    clip,
    last_frame,
    made,
    make,
    pick,
    plan,
    renamed,
    shot,
)

PROMPTS = ("tulips", "a castle", "the sea")
ENTER = shot("enter", materials=[last_frame("quay")])


def world(*shots: Shot) -> tuple[History, dict[tuple[str, int], Step]]:
    """A history in which all takes of the shots are made."""
    history = History()
    make(history, decided := plan(*shots))
    return history, {(step.shot.id, step.take): step for step in decided.steps}


def picked(*shots: Shot, history: History) -> dict[str, int]:
    return {name: pick.take for (_, name), pick in plan(*shots, history=history).picks.items()}


@given(st.lists(st.tuples(st.sampled_from(PROMPTS), st.integers(1, 4), st.sampled_from(["quay", "pier"])), min_size=1))
def test_whatever_is_edited_the_pick_counts_exactly_where_its_clip_is_asked_for(
    edits: list[tuple[str, int, str]],
) -> None:
    history, steps = world(shot("quay", PROMPTS[0], takes=3))
    pick(history, steps["quay", 2])
    for prompt, takes, name in edits:
        edited = shot(name, prompt, takes=takes)
        assert picked(edited, history=history) == ({name: 2} if prompt == PROMPTS[0] else {})
        decided = plan(edited, shot("enter", materials=[last_frame(name)]), history=history)
        below = decided.steps[-1]
        if prompt == PROMPTS[0]:
            assert [upstream.take for upstream in below.upstream] == [2]
        elif takes > 1:
            assert below.waits_for == "pick"
        make(history, plan(edited, history=history))
        history.picks = dict(plan(edited, history=history).stored_picks)
        assert len(history.picks) == 1


@pytest.mark.parametrize("names", list(permutations("abc")))
def test_shots_that_exchange_names_keep_their_own_picks(names: tuple[str, ...]) -> None:
    before = [shot(name, prompt, takes=3) for name, prompt in zip("abc", PROMPTS, strict=True)]
    history, steps = world(*before)
    for number, own in enumerate(before, 1):
        pick(history, steps[own.id, number])
    now = [renamed(own, name) for own, name in zip(before, names, strict=True)]
    assert picked(*now, history=history) == {name: number for number, name in enumerate(names, 1)}
    history.picks = dict(plan(*now, history=history).stored_picks)
    assert picked(*before, history=history) == {"a": 1, "b": 2, "c": 3}


def test_a_name_that_goes_to_another_prompt_brings_no_pick_along() -> None:
    quay = shot("quay", "tulips", takes=2)
    history, steps = world(quay)
    pick(history, steps["quay", 2])
    assert picked(renamed(quay, "old"), shot("quay", "the sea", takes=2), history=history) == {"old": 2}


def test_of_two_shots_with_one_request_only_the_picked_one_is_picked() -> None:
    quay, pier = shot("quay", "tulips", takes=2), shot("pier", "tulips", takes=2)
    history, steps = world(quay, pier)
    pick(history, steps["quay", 2])
    assert picked(quay, pier, history=history) == {"quay": 2}


def test_a_clip_that_was_made_anew_is_to_be_picked_again() -> None:
    quay = shot("quay", takes=2)
    history, steps = world(quay)
    pick(history, steps["quay", 2])
    lost = history.current_attempt(steps["quay", 2].fingerprint or "")
    assert lost is not None
    history.attempts[lost.id] = replace(lost, state=lost.state.__class__.GONE)
    again = PlanOverrides(again=frozenset({lost.id}))
    assert plan(quay, ENTER, history=history, overrides=again).picks == {}
    (step,) = plan(quay, history=history, overrides=again).steps
    after(history, step, SendStarted(), Created("task_other"), Succeeded((), Decimal(200)), Stored(clip("quay", 2)))
    below = plan(quay, ENTER, history=history).steps[-1]
    assert (below.waits_for, below.reason.text) == ("pick", "pick again: take 2 was made anew")


def test_a_picked_clip_that_is_gone_keeps_what_was_made_from_it_and_blocks_the_rest() -> None:
    quay, late = shot("quay", takes=2), shot("late", materials=[last_frame("quay")])
    history, steps = world(quay)
    pick(history, steps["quay", 2])
    make(history, plan(quay, ENTER, history=history))
    attempt = history.current_attempt(steps["quay", 2].fingerprint or "")
    assert attempt is not None
    history.attempts[attempt.id] = replace(attempt, state=attempt.state.__class__.GONE, message=Lost("gone").message)
    decided = plan(quay, ENTER, late, history=history)
    assert actions(decided) == ["keep", "gone", "keep", "blocked"]
    assert "pick another take, or --again quay" in decided.steps[-1].reason.text


def test_at_a_free_account_the_request_alone_counts() -> None:
    quay, history = shot("quay", takes=2), History()
    first, second = plan(quay, account=FREE).steps
    after(history, first, *made(first))
    after(history, second, *made(second))
    pick(history, second)
    history.picks[BOARD_FILM, "quay"] = replace(history.picks[BOARD_FILM, "quay"], task_id="task_of_another_machine")
    assert plan(quay, history=history, account=FREE).picks
    assert not plan(quay, history=history).picks


def test_a_shot_with_a_single_take_needs_a_pick_once_it_has_a_retake() -> None:
    quay = shot("quay")
    history, _ = world(quay)
    assert plan(quay, ENTER, history=history).steps[-1].action is Action.MAKE
    make(history, plan(quay, history=history, overrides=PlanOverrides(retakes=frozenset({(BOARD_FILM, "quay")}))))
    assert [step.is_retake for step in plan(quay, history=history).steps] == [False, True]
    assert plan(quay, ENTER, history=history).steps[-1].waits_for == "pick"


def test_a_take_of_another_shot_with_the_same_request_is_no_retake() -> None:
    history, _ = world(shot("pier", "tulips", takes=3))
    decided = plan(shot("quay", "tulips"), shot("pier", "tulips", takes=3), history=history)
    assert [step.key[1:] for step in decided.steps] == [("quay", 1), ("pier", 1), ("pier", 2), ("pier", 3)]


def test_a_retake_goes_with_its_shot_to_a_new_name() -> None:
    quay = shot("quay")
    history, _ = world(quay)
    make(history, plan(quay, history=history, overrides=PlanOverrides(retakes=frozenset({(BOARD_FILM, "quay")}))))
    assert [step.key[1:] for step in plan(renamed(quay, "pier"), history=history).steps] == [("pier", 1), ("pier", 2)]
