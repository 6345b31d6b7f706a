"""Parts that several documents share: prices, sums, reasons, places."""

from runner.attempts.film import FilmName
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import Place
from runner.planning.plan import Action, Plan, Totals
from runner.planning.reason import Reason
from runner.requests.request import credits_json, usd_text


def reason_json(reason: Reason) -> dict[str, object]:
    return {"code": reason.code.value, "text": reason.text, "changed": list(reason.changed)}


def place_json(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line}


def sums_json(sums: CreditSums) -> dict[str, object]:
    """The four sums in credits."""
    return {
        "billed": credits_json(sums.billed),
        "in_flight": credits_json(sums.in_flight),
        "unsettled": credits_json(sums.unsettled),
        "maybe_charged": credits_json(sums.maybe_charged),
    }


def sums_usd(sums: CreditSums, plan: Plan) -> dict[str, object]:
    """The four sums in dollars."""
    return {
        "billed": usd_text(plan.usd(sums.billed)),
        "in_flight": usd_text(plan.usd(sums.in_flight)),
        "unsettled": usd_text(plan.usd(sums.unsettled)),
        "maybe_charged": usd_text(plan.usd(sums.maybe_charged)),
    }


def counts_json(sums: Totals) -> dict[str, object]:
    """Shots, takes, and the takes of each action."""
    return {"shots": sums.shots, "takes": sums.takes, **{action.value: sums.actions[action] for action in Action}}


def film_json(film: FilmName) -> dict[str, object]:
    """The fields that name the film of a take; `profile` is left out without one."""
    profile: dict[str, object] = {} if film.profile is None else {"profile": film.profile}
    return {"storyboard": film.storyboard, **profile}


def plan_totals_json(plan: Plan, sums: Totals) -> dict[str, object]:
    """The totals of a plan, or of one of its films: counts, and what a run would order now and after the picks."""
    return {
        **counts_json(sums),
        "seconds": sums.seconds,
        "credits": credits_json(sums.credits),
        "usd": usd_text(plan.usd(sums.credits)),
        "blocked_credits": credits_json(sums.blocked_credits),
        "later": {"credits": credits_json(sums.later_credits), "usd": usd_text(plan.usd(sums.later_credits))},
    }
