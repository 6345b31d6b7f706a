"""Several films of a storyboard in one plan: the sum of the films, and no request twice."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.history import History
from runner.language.model import Shot
from runner.planning.plan import Action, Plan, Step, totals
from runner.planning.plan_inputs import PlanOverrides
from tests.builders.plans import BOARD, last_frame, make, plan, shot

PROFILES = (None, "tall", "wide")
PROMPTS = st.sampled_from(["a quay", "boats", "the open sea"])
"""Few prompts, so that films share requests."""


@st.composite
def films(draw: st.DrawFn) -> tuple[list[Shot], ...]:
    """The films of one storyboard: the same ids, each with its own prompts, takes and chains."""
    ids = ["quay", "pier", "walk"][: draw(st.integers(1, 3))]

    def film(profile: str | None) -> list[Shot]:
        shots: list[Shot] = []
        for number, id in enumerate(ids):
            materials = [last_frame(ids[number - 1], 1)] if number and draw(st.booleans()) else []
            fields: dict[str, Any] = {"takes": draw(st.integers(1, 2)), "skip": draw(st.integers(0, 5)) == 0}
            shots.append(shot(id, draw(PROMPTS), materials, profile=profile, **fields))
        return shots

    return tuple(film(profile) for profile in PROFILES[: draw(st.integers(1, 3))])


def wants(steps: list[Step] | tuple[Step, ...]) -> list[tuple[object, ...]]:
    """What takes ask for, whoever pays it."""
    return [(step.key, step.fingerprint, step.price, step.upstream) for step in steps]


def part(decided: Plan, number: int) -> tuple[Step, ...]:
    return decided.steps_for(decided.batch.storyboards[number])


@given(made=films(), wanted=films())
@settings(max_examples=300, derandomize=True)
def test_a_batch_is_the_sum_of_its_films_and_orders_no_request_twice(
    made: tuple[list[Shot], ...], wanted: tuple[list[Shot], ...]
) -> None:
    history = History()
    for own in made:
        make(history, plan(*own, history=history))
    batch = plan(*(each for own in wanted for each in own), history=history)
    ordered = [step.fingerprint for step in batch.steps if step.is_billable]
    assert len(ordered) == len(set(ordered))
    sums = [totals(part(batch, number), shots=0).credits or Decimal(0) for number in range(len(wanted))]
    assert batch.totals.credits == sum(sums)
    alone = [plan(*own, history=history) for own in wanted]
    assert part(batch, 0) == alone[0].steps
    for number, single in enumerate(alone):
        steps = part(batch, number)
        assert wants(steps) == wants(single.steps)
        shared = [step for step in steps if step.duplicate_of is not None]
        paying = {other.fingerprint for other in batch.steps if other.duplicate_of is None}
        assert paying.issuperset(step.fingerprint for step in shared)
        assert [step.action for step in steps if step.action is Action.KEEP] == [
            step.action for step in single.steps if step.action is Action.KEEP
        ]


def test_a_take_is_compared_with_the_last_order_of_its_own_film() -> None:
    history = History()
    make(history, plan(shot("quay", "dawn", profile="tall"), history=history))
    assert plan(shot("quay", "noon", profile="tall"), history=history).steps[0].reason.code == "prompt-changed"
    assert plan(shot("quay", "noon", profile="wide"), history=history).steps[0].reason.code == "new"


def test_a_retake_for_two_films_is_ordered_once() -> None:
    history = History()
    both = [shot("boats", profile=profile) for profile in ("tall", "wide")]
    make(history, plan(*both, history=history))
    overrides = PlanOverrides(retakes=frozenset(each.key for each in both))
    first, second = plan(*both, history=history, overrides=overrides).steps
    assert (first.take, first.is_billable) == (2, True)
    assert (second.take, second.is_billable, second.duplicate_of) == (2, False, "boats of --profile tall")


def test_a_film_of_the_storyboard_without_a_profile_is_another_film() -> None:
    decided = plan(shot("quay", "dawn"), shot("quay", "dawn", profile="tall"))
    assert [step.key for step in decided.steps] == [((BOARD, None), "quay", 1), ((BOARD, "tall"), "quay", 1)]
    assert sorted(step.key for step in reversed(decided.steps)) == [step.key for step in decided.steps]
