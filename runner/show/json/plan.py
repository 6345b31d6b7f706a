"""The plan as one JSON document, in the shape that other programs rely on."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from runner.diagnostics.problem import Problem
from runner.language.model import Shot, Storyboard
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import JsonValue, credits_json, usd_text
from runner.show.screens.plan import Destination
from runner.show.screens.problems import entry

VERSION = 1
BodyOf = Callable[[Step], Mapping[str, JsonValue]]
"""The body of a take's request as it will be sent, with what will stand where no address is known yet."""

Told = Mapping[Decimal | None, tuple[int | float | None, str | None]]
"""Credits and dollars as they are written, by credits."""


def plan_json(
    plan: Plan, body_of: BodyOf, warnings: Sequence[Problem] = (), goes: Sequence[Destination] = ()
) -> dict[str, object]:
    """`{"plan": 1, …}`; credits are integers when whole, dollars exact texts, unknown prices null.

    For `json_document`: the shots of a storyboard are an iterator, so that ten thousand do not stand in memory at once.
    """
    shape: dict[str, object] = {
        "plan": VERSION,
        "provider": plan.account.provider,
        "edition": plan.edition.name,
        "play": plan.is_free,
        "storyboards": [_storyboard(plan, board, body_of) for board in plan.batch.storyboards],
        "totals": _totals(plan),
        "warnings": [entry(problem) for problem in warnings],
    }
    told = [{"what": each.what, "where": each.where, "changed": each.before is not None} for each in goes]
    return shape | ({"goes": told} if told else {})


def _storyboard(plan: Plan, board: Storyboard, body_of: BodyOf) -> dict[str, object]:
    shots = (shot for shot in plan.shots if shot.storyboard == board.path)
    # Few prices for many takes: each is written out once.
    prices = {step.price.credits for step in plan.steps}
    told = {credits: (credits_json(credits), usd_text(plan.usd(credits))) for credits in prices}
    return {
        "path": board.path,
        "title": board.title,
        "shots": (_shot(shot, plan.steps_of(board.path, shot.id), body_of, told) for shot in shots),
    }


def _shot(shot: Shot, steps: Sequence[Step], body_of: BodyOf, told: Told) -> dict[str, object]:
    return {"id": shot.id, "needs": list(shot.needs), "takes": [_take(step, body_of, told) for step in steps]}


def _take(step: Step, body_of: BodyOf, told: Told) -> dict[str, object]:
    credits, usd = told[step.price.credits]
    return {
        "take": step.take,
        "fingerprint": step.fingerprint,
        "action": step.action.value,
        "reason": step.reason,
        "waits_for": step.waits_for,
        "request": body_of(step),
        "credits": credits,
        "usd": usd,
    }


def _totals(plan: Plan) -> dict[str, object]:
    sums = plan.totals
    return {
        "shots": sums.shots,
        "takes": sums.takes,
        **{action.value: sums.actions[action] for action in Action},
        "seconds": sums.seconds,
        "credits": credits_json(sums.credits),
        "usd": usd_text(plan.usd(sums.credits)),
        "later": {"credits": credits_json(sums.later_credits), "usd": usd_text(plan.usd(sums.later_credits))},
    }
