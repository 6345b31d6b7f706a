"""The words of the question before money is spent, and of the refusals around it."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from runner.planning.alternatives import Alternative
from runner.planning.plan import Plan
from runner.show.screens.plan import Destination
from runner.show.text.cells import width
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, credits_text, dollars, money

NOTHING_SPENT = "nothing was sent, nothing was spent"
_MOST_WAYS = 3


def question(plan: Plan, goes: Sequence[Destination] = ()) -> str:
    """`Make 28 clips for at most 4,480 credits ($22.40)?`, with where things go."""
    where = "".join(f", {each}" for each in goes)
    return f"Make {_clips(plan)} for at most {money(plan.totals.credits, plan.usd_per_credit)}{where}?"


def _clips(plan: Plan) -> str:
    return count(sum(1 for step in plan.steps if step.is_billable), "clip")


def ceiling_of(plan: Plan) -> str:
    """The price as `--max-credits` takes it, rounded up to a whole credit."""
    return f"{(plan.totals.credits or Decimal(0)).to_integral_value(ROUND_CEILING):f}"


def no_terminal(plan: Plan, typed: str, goes: Sequence[Destination] = ()) -> str:
    """Without a terminal: what it would cost, and the smallest command line that would pass."""
    return "\n".join(
        (
            f"this makes {_clips(plan)} for {money(plan.totals.credits, plan.usd_per_credit)}, "
            f"and there is no terminal to ask at: {NOTHING_SPENT}",
            *(f"  {each}" for each in goes),
            "  say yes in advance, with a ceiling:",
            f"    storyboard run {escape_terminal(typed)} --max-credits {ceiling_of(plan)}",
        )
    )


def declined() -> str:
    """After a no."""
    return f"declined: {NOTHING_SPENT}"


def unknown_price(plan: Plan) -> str:
    """A paid run of something that the price book does not know."""
    rows = dict.fromkeys(step.price.row for step in plan.steps if step.price.credits is None)
    shots = dict.fromkeys(step.shot.id for step in plan.steps if step.price.credits is None)
    named = ", ".join(escape_terminal(shot) for shot in list(shots)[:5]) + (" …" if len(shots) > 5 else "")
    return (
        f"the price book does not know {', '.join(escape_terminal(row) for row in rows)} ({named}): {NOTHING_SPENT}\n"
        "  choose a model and resolution of the book, or set your own price in storyboard.toml"
    )


def over_limit(plan: Plan, ceiling: str, limit: Decimal, would_be: Decimal, ways: Sequence[Alternative]) -> str:
    """Above a ceiling: by how much, and the cheaper ways that would pass, each with its price."""
    lines = [
        f"{credits_text(would_be)} credits are {credits_text(would_be - limit)} over "
        f"{escape_terminal(ceiling)} {credits_text(limit)}: {NOTHING_SPENT}"
    ]
    found = list(ways)[:_MOST_WAYS]
    if found:
        lines.append("  cheaper ways that pass:")
        room = max(width(_said(way)) for way in found)
        price = max(len(credits_text(way.credits)) for way in found)
        lines += [
            f"    {_said(way)}{' ' * (room - width(_said(way)))}  {credits_text(way.credits):>{price}} credits  "
            f"{dollars(plan.usd(way.credits))}"
            for way in found
        ]
    return "\n".join(lines)


def _said(way: Alternative) -> str:
    return (
        escape_terminal(way.description) if way.command else f"{escape_terminal(way.description)} (in the storyboard)"
    )
