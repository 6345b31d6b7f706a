"""The document of `plan --json`."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from runner.attempts.film import FilmName
from runner.attempts.pick import Pick
from runner.diagnostics.problem import Problem
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.outgoing import OutgoingMaterial
from runner.planning.plan import Plan, Step, totals
from runner.requests.request import JsonValue, credits_json, usd_text
from runner.show.json.problems import problem_json
from runner.show.json.shapes import place_json, plan_totals_json, reason_json
from runner.show.screens.plan import Destination
from runner.store.manifest.picks import pick_json

VERSION = 1
BodyOf = Callable[[Step], Mapping[str, JsonValue]]
"""The request body of a take as it will be sent, with placeholders for addresses that are not known yet."""
OutputOf = Callable[[FilmName], str]
"""The output folder of a film, from the repository's top."""
Prices = Mapping[Decimal | None, tuple[int | float | None, str | None]]
"""The JSON forms of a price in credits and in dollars, by credits."""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The facts that stand in the document beside the plan."""

    output_of: OutputOf
    warnings: Sequence[Problem] = ()
    outgoing: Sequence[OutgoingMaterial] = ()
    """The materials that a run would publish for its orders, and those that it cannot."""
    destinations: Sequence[Destination] = ()


def plan_json(plan: Plan, body_of: BodyOf, facts: PlanFacts) -> dict[str, object]:
    """The document `{"plan": 1, …}`.

    To be written by `json_document`: the shots of a storyboard are an iterator, so that ten thousand shots are never
    in memory at once.
    """
    prices = price_forms(plan)
    shape: dict[str, object] = {
        "plan": VERSION,
        **header(plan),
        "storyboards": [_storyboard(plan, storyboard, body_of, facts, prices) for storyboard in plan.batch.storyboards],
        "materials": [_material(file) for file in facts.outgoing],
        "totals": plan_totals_json(plan, plan.totals),
        "warnings": [problem_json(problem) for problem in facts.warnings],
    }
    destinations = [
        {"what": destination.what, "where": destination.where, "changed": destination.previous_address is not None}
        for destination in facts.destinations
    ]
    return shape | ({"destinations": destinations} if destinations else {})


def header(plan: Plan) -> dict[str, object]:
    """The fields with which plan and status begin."""
    return {
        "provider": plan.account.provider,
        "account": {"provider": plan.account.provider, "host": plan.account.host},
        "edition": plan.edition.name,
        "play": plan.is_free,
    }


def storyboard_header(storyboard: Storyboard, output_of: OutputOf) -> dict[str, object]:
    """The fields with which a storyboard begins."""
    return {
        "path": storyboard.path,
        "title": storyboard.title,
        "profile": storyboard.profile,
        "output": output_of(storyboard.film),
    }


def shot_header(shot: Shot, pick: Pick | None) -> dict[str, object]:
    """The fields with which a shot begins."""
    return {
        "id": shot.id,
        "scene": shot.scene,
        "tags": list(shot.tags),
        "place": place_json(shot.place),
        "needs": list(shot.needs),
        "picked": None if pick is None else pick_json(pick),
    }


def take_header(step: Step, prices: Prices) -> dict[str, object]:
    """The fields that a take has in plan and status; `credits` is its price, whatever the action."""
    credits, usd = prices[step.price.credits]
    return {
        "take": step.take,
        "fingerprint": step.fingerprint,
        "action": step.action.value,
        "reason": reason_json(step.reason),
        "waits_for": step.waits_for,
        "credits": credits,
        "usd": usd,
    }


def price_forms(plan: Plan) -> Prices:
    """The forms of the prices, each made once: many takes share few prices."""
    prices = {step.price.credits for step in plan.steps}
    return {credits: (credits_json(credits), usd_text(plan.usd(credits))) for credits in prices}


def _storyboard(
    plan: Plan, storyboard: Storyboard, body_of: BodyOf, facts: PlanFacts, prices: Prices
) -> dict[str, object]:
    film = storyboard.film
    shots = [shot for shot in plan.shots if shot.is_of(film)]
    return {
        **storyboard_header(storyboard, facts.output_of),
        "totals": plan_totals_json(plan, totals(plan.steps_for(storyboard), shots=len(shots))),
        "shots": (_shot(plan, shot, body_of, prices) for shot in shots),
    }


def _shot(plan: Plan, shot: Shot, body_of: BodyOf, prices: Prices) -> dict[str, object]:
    key = shot.key
    return {
        **shot_header(shot, plan.picks.get(key)),
        "takes": [{**take_header(step, prices), "request": body_of(step)} for step in plan.steps_of(key)],
    }


def _material(material: OutgoingMaterial) -> dict[str, object]:
    return {
        "name": material.name,
        "way": material.way,
        "host": material.host or None,
        "bytes": material.bytes,
        "sha256": material.sha256,
        "sent": material.sent,
    }
