"""Film time and clips that are made: a longer clip of the same request is kept, a shorter one is not enough."""

from decimal import Decimal
from typing import Any

from runner.attempts.attempt import Attempt
from runner.attempts.events import Created, Stored, Succeeded
from runner.attempts.history import History
from runner.language.model import Shot
from runner.planning.plan import Step
from tests.builders.plans import actions, after, clip, last_frame, pick, plan, shot, summary


def timed(id: str, seconds: int, film: str, **fields: Any) -> Shot:
    """A shot whose clip of so many seconds follows from its film time."""
    return shot(id, seconds=seconds, film_seconds=Decimal(film), duration_follows=True, **fields)


def made(history: History, step: Step) -> Attempt:
    return after(
        history, step, Created(f"task-{step.shot.id}-{step.take}"), Succeeded((), None), Stored(clip(step.shot.id))
    )


def history_of(*shots: Shot) -> History:
    history = History()
    for step in plan(*shots).steps:
        made(history, step)
    return history


def test_a_longer_clip_of_the_same_request_is_kept_and_says_so() -> None:
    history = history_of(timed("quay", 6, "5.4"))
    decided = plan(timed("quay", 5, "4.8"), history=history)
    assert summary(decided) == [("quay", 1, "keep", "6 s made, 5 s needed")]
    assert decided.totals.credits == 0
    assert decided.film_seconds(decided.steps[0].shot) == Decimal("4.8")


def test_growing_film_time_is_a_new_clip() -> None:
    history = history_of(timed("quay", 5, "4.8"))
    decided = plan(timed("quay", 6, "5.4"), history=history)
    assert summary(decided) == [("quay", 1, "make", "film time needs 6 s, the clip has 5")]


def test_a_duration_that_the_storyboard_says_is_made_as_said() -> None:
    history = history_of(timed("quay", 6, "5.4"))
    assert actions(plan(shot("quay", seconds=5), history=history)) == ["make"]


def test_a_clip_of_another_request_or_of_another_shot_does_not_serve() -> None:
    history = history_of(timed("quay", 6, "5.4"), timed("boat", 6, "5.4"))
    other = timed("quay", 5, "4.8", prompt="the quay at dusk")
    assert actions(plan(other, history=history)) == ["make"]
    twin = timed("gull", 5, "4.8", prompt="boat at dawn")
    assert actions(plan(timed("boat", 6, "5.4"), twin, history=history)) == ["keep", "make"]


def test_a_renamed_shot_keeps_its_longer_clip() -> None:
    history = history_of(timed("quay", 6, "5.4"))
    assert actions(plan(timed("pier", 5, "4.8", prompt="quay at dawn"), history=history)) == ["keep"]


def test_what_is_made_from_a_longer_clip_stays_as_it_is() -> None:
    def film(quay: Shot) -> tuple[Shot, Shot]:
        return quay, shot("enter", "enter", [last_frame("quay")])

    history = history_of(*film(timed("quay", 6, "5.4")))
    assert actions(plan(*film(timed("quay", 5, "4.8")), history=history)) == ["keep", "keep"]


def test_the_pick_of_a_longer_clip_stays() -> None:
    history = history_of(timed("quay", 6, "5.4", takes=2))
    pick(history, plan(timed("quay", 6, "5.4", takes=2), history=history).steps[1])
    decided = plan(timed("quay", 5, "4.8", takes=2), history=history)
    assert decided.is_picked(decided.steps[1])


def test_once_the_shorter_request_is_made_its_own_clip_counts() -> None:
    history = history_of(timed("quay", 6, "5.4"))
    made(history, plan(shot("quay", seconds=5), history=history).steps[0])
    assert plan(timed("quay", 5, "4.8"), history=history).steps[0].keep is None
