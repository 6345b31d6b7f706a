"""The document of `diff --json`."""

from decimal import Decimal

from runner.clock import format_utc
from runner.planning.difference import Difference, ShotChange, Side
from runner.planning.plan import Plan
from runner.planning.saved_plan import SavedPlan
from runner.requests.request import credits_json, usd_text
from runner.show.json.plan import header
from runner.show.json.shapes import reason_json

VERSION = 1


def diff_json(difference: Difference, plan: Plan, base: str, saved: SavedPlan | None = None) -> dict[str, object]:
    """The document `{"diff": 1, …}`; `plan` is that of the working tree, `base` the full name of the commit."""
    return {
        "diff": VERSION,
        "base": base,
        **header(plan),
        "shots": [_shot(shot, plan) for shot in difference.shots],
        "before": _side(difference.before, plan),
        "after": _side(difference.after, plan),
        "totals": _price(difference.credits, plan),
        **({} if saved is None else {"plan": _saved(saved)}),
    }


def _saved(saved: SavedPlan) -> dict[str, object]:
    expires_at, ceiling = format_utc(saved.expires_at), credits_json(saved.ceiling)
    return {"id": saved.id, "digest": saved.digest, "expires_at": expires_at, "ceiling": ceiling}


def _shot(shot: ShotChange, plan: Plan) -> dict[str, object]:
    return {
        "storyboard": shot.storyboard,
        "profile": shot.profile,
        "id": shot.shot,
        "was": shot.was,
        "change": shot.change,
        "reason": None if shot.reason is None else reason_json(shot.reason),
        "gives_up_pick": shot.gives_up_pick,
        **_price(shot.credits, plan),
    }


def _side(side: Side, plan: Plan) -> dict[str, object]:
    return {"shots": side.shots, "film_seconds": credits_json(side.film_seconds), **_price(side.credits, plan)}


def _price(credits: Decimal | None, plan: Plan) -> dict[str, object]:
    return {"credits": credits_json(credits), "usd": usd_text(plan.usd(credits))}
