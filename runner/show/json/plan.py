"""The plan as one JSON document; its shape is a public interface."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from runner.diagnostics.problem import Problem
from runner.language.model import Storyboard
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import JsonValue, credits_json, usd_text
from runner.show.json.picks import pick_json
from runner.show.screens.plan import Destination
from runner.show.screens.problems import problem_json

VERSION = 1
BodyOf = Callable[[Step], Mapping[str, JsonValue]]
"""The request body of a take as it will be sent, with placeholders for addresses that are not known yet."""

PriceTexts = Mapping[Decimal | None, tuple[int | float | None, str | None]]
"""The JSON forms of a price in credits and in dollars, by credits."""


def plan_json(
    plan: Plan, body_of: BodyOf, warnings: Sequence[Problem] = (), destinations: Sequence[Destination] = ()
) -> dict[str, object]:
    """The document `{"plan": 1, …}`; whole credits are integers, dollars exact texts, unknown prices null.

    To be written by `json_document`: the shots of a storyboard are an iterator, so that ten thousand shots are never
    in memory at once.
    """
    shape: dict[str, object] = {
        "plan": VERSION,
        "provider": plan.account.provider,
        "edition": plan.edition.name,
        "play": plan.is_free,
        "storyboards": [_storyboard(plan, board, body_of) for board in plan.batch.storyboards],
        "totals": _totals(plan),
        "warnings": [problem_json(problem) for problem in warnings],
    }
    destination_entries = [
        {"what": destination.what, "where": destination.where, "changed": destination.previous_address is not None}
        for destination in destinations
    ]
    return shape | ({"goes": destination_entries} if destination_entries else {})


def _storyboard(plan: Plan, board: Storyboard, body_of: BodyOf) -> dict[str, object]:
    shots = (shot for shot in plan.shots if shot.storyboard == board.path)
    # Many takes share few prices: each price is formatted once.
    prices = {step.price.credits for step in plan.steps}
    price_texts = {credits: (credits_json(credits), usd_text(plan.usd(credits))) for credits in prices}
    return {
        "path": board.path,
        "title": board.title,
        "shots": (
            {
                "id": shot.id,
                "needs": list(shot.needs),
                "picked": pick_json(plan.picks.get((board.path, shot.id))),
                "takes": [_take(step, body_of, price_texts) for step in plan.steps_of(board.path, shot.id)],
            }
            for shot in shots
        ),
    }


def _take(step: Step, body_of: BodyOf, price_texts: PriceTexts) -> dict[str, object]:
    credits, usd = price_texts[step.price.credits]
    return {
        "take": step.take,
        "fingerprint": step.fingerprint,
        "action": step.action.value,
        "reason": step.reason.text,
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
