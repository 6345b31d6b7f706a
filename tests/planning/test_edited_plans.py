"""A thousand single edits of a saved plan: the pure checks let none order more than was approved."""

import functools
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from runner.attempts.events import Refused, SendStarted
from runner.attempts.history import History
from runner.diagnostics.failures import SelectionError
from runner.planning.plan import Plan, Step
from runner.planning.plan_differences import compare
from runner.planning.plan_inputs import NO_OVERRIDES, PlanOverrides
from runner.planning.saved_plan import NotASavedPlan, SavedPlan, read_saved_plan
from runner.providers.transport.strict_json import NotJsonError, parse
from tests.builders.edited_plans import edited_text
from tests.builders.plans import BOARD_FILM, after, batch, last_frame, made, plan_of, shot
from tests.planning.test_saved_plan import body_of, saved, text_of

EDITS = 1000
FILM = batch(
    shot("quay", scene="harbour"),
    shot("boats", takes=2, scene="harbour"),
    shot("door", materials=[last_frame("quay")]),
    shot("crowd"),
    shot("sea"),
)
CHOICES = (("exclude", ("sea",)), ("retake", ("quay",)), ("again", ("crowd",)))
"""What a saved plan is about: a flag with its expressions."""


def history() -> History:
    """The quay is made, the crowd was refused, the other takes are still to come."""
    entries = History()
    steps = {step.shot.id: step for step in plan_of(FILM).steps}
    after(entries, steps["quay"], *made(steps["quay"]))
    after(entries, steps["crowd"], SendStarted(), Refused(400, "not allowed"))
    return entries


HISTORY = history()


def carried_out(value: SavedPlan) -> Plan:
    """The plan of a run that carries out a saved plan, as its session asks for it; raise `SelectionError`."""
    named = value.named(FILM, value.again or value.retake)
    repeated = [attempt for attempt in HISTORY.attempts.values() if value.may_repeat(attempt)]
    again = frozenset(attempt.id for attempt in repeated if (BOARD_FILM, attempt.intent.shot) in named)
    retakes = value.open_retakes(HISTORY, named)
    overrides = PlanOverrides(value.first_take, again if value.again else None, retakes if value.retake else None)
    return plan_of(FILM, HISTORY, selected=value.selected(FILM), overrides=overrides)


def orders(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.is_billable]


@functools.cache
def approved(flag: str, expressions: tuple[str, ...]) -> tuple[SavedPlan, str, Plan]:
    """A saved plan, its text, and the plan that it was saved of."""
    fields: dict[str, Any] = {flag: expressions}
    crowd = next(attempt.id for attempt in HISTORY.attempts.values() if attempt.intent.shot == "crowd")
    overrides = {
        "exclude": NO_OVERRIDES,
        "retake": PlanOverrides(retakes=frozenset({(BOARD_FILM, "quay")})),
        "again": PlanOverrides(again=frozenset({crowd})),
    }
    selected = saved(plan_of(FILM), **fields).selected(FILM)
    plan = plan_of(FILM, HISTORY, selected=selected, overrides=overrides[flag])
    value = saved(plan, **fields)
    return value, text_of(plan, value), plan


def violations(seed: int) -> Iterator[str]:
    """The orders of an edited plan that nobody approved."""
    dice = random.Random(seed)
    value, text, plan = approved(*CHOICES[seed % len(CHOICES)])
    is_signed = dice.random() < 0.5
    try:
        new = read_saved_plan(parse(edited_text(text, dice, is_signed=is_signed).encode()))
        present = carried_out(new)
    except (NotASavedPlan, NotJsonError, SelectionError):
        return
    if new.digest != new.stated_digest or new.films != value.films or compare(new, present, HISTORY, body_of)[0]:
        return
    bought = orders(present)
    listed = {(order.fingerprint, order.take): order.credits for order in new.orders}
    for step in bought:
        if (step.fingerprint, step.take) not in listed:
            yield f"{step.key} is not listed"
        elif (step.price.credits or Decimal(0)) > listed[step.fingerprint, step.take]:
            yield f"{step.key} is dearer than listed"
    if new.digest == value.digest:
        approved_steps = {(step.fingerprint, step.take) for step in orders(plan)}
        yield from (f"{s.key} was not approved" for s in bought if (s.fingerprint, s.take) not in approved_steps)
        if sum(step.price.credits or 0 for step in bought) > value.ceiling:
            yield "the orders are above the ceiling"


def test_a_saved_plan_without_an_edit_orders_what_it_lists() -> None:
    for choices in CHOICES:
        value, text, plan = approved(*choices)
        again = read_saved_plan(parse(text.encode()))
        assert again.digest == again.stated_digest == value.digest
        assert compare(again, carried_out(again), HISTORY, body_of).differences == ()
        assert [step.key for step in orders(carried_out(again))] == [step.key for step in orders(plan)] != []


def test_some_edits_are_carried_out_and_some_are_refused() -> None:
    """The generator reaches both sides of the check."""
    value, text, _ = approved(*CHOICES[0])
    fates = set()
    for seed in range(60):
        dice = random.Random(seed)
        try:
            new = read_saved_plan(parse(edited_text(text, dice, is_signed=True).encode()))
            fates.add("other digest" if new.digest != value.digest else "same digest")
        except (NotASavedPlan, NotJsonError):
            fates.add("no saved plan")
    assert fates == {"other digest", "same digest", "no saved plan"}


def test_no_single_edit_orders_more_than_was_approved() -> None:
    assert {seed: wrong for seed in range(EDITS) if (wrong := list(violations(seed)))} == {}
