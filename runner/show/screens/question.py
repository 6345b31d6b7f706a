"""Messages around the approval of a price: the question, and the refusals."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from runner.planning.alternatives import Alternative
from runner.planning.plan import Plan
from runner.show.screens.blocked import WaysOn, publishing, unpublished_materials
from runner.show.screens.plan import Destination
from runner.show.text.cells import left, width
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, credits_text, dollars, money

NOTHING_SPENT = "nothing was sent, nothing was spent"
# Cheaper ways that a refusal names: three can be compared at a glance.
_MOST_ALTERNATIVES = 3


def question(plan: Plan, destinations: Sequence[Destination] = ()) -> str:
    """The question `Make 28 clips for at most 4,480 credits ($22.40)?`, with the destinations of data."""
    where = "".join(f", {destination}" for destination in destinations)
    return f"Make {_clips(plan)} for at most {money(plan.totals.credits, plan.usd_per_credit)}{where}?"


def first_question(first: Plan, plan: Plan, destinations: Sequence[Destination] = ()) -> str:
    """The question `Make 2 of 28 clips first, for at most 320 credits ($1.60)? …`, before the rest is asked for."""
    where = "".join(f", {destination}" for destination in destinations)
    price = money(first.totals.credits, plan.usd_per_credit)
    return (
        f"Make {_order_count(first)} of {_clips(plan)} first, for at most {price}{where}? The rest is asked for then."
    )


def _clips(plan: Plan) -> str:
    return count(_order_count(plan), "clip")


def _order_count(plan: Plan) -> int:
    return sum(1 for step in plan.steps if step.is_billable)


def ceiling_of(plan: Plan) -> str:
    """The price as the value of `--max-credits`, rounded up to a whole credit."""
    # `f`, since a whole Decimal may print as 4E+3; rounded up, or the ceiling would be below the price.
    return f"{(plan.totals.credits or Decimal(0)).to_integral_value(ROUND_CEILING):f}"


def no_terminal(plan: Plan, line: CommandLine, destinations: Sequence[Destination] = ()) -> str:
    """Refusal without a terminal: the price, and the smallest command line that would pass."""
    return "\n".join(
        (
            f"this makes {_clips(plan)} for {money(plan.totals.credits, plan.usd_per_credit)}, "
            f"and there is no terminal to ask on: {NOTHING_SPENT}",
            *(f"  {destination}" for destination in destinations),
            "  to approve in advance, set a limit:",
            f"    {line.run('--max-credits', ceiling_of(plan))}",
        )
    )


def plan_of_another_ledger(line: CommandLine, ceiling: Decimal) -> str:
    """Refusal of a saved plan that this machine's ledger did not write, where nobody can be asked."""
    return (
        f"this machine's ledger did not write the saved plan: here it is a ceiling of {credits_text(ceiling)} credits "
        f"and no consent: {NOTHING_SPENT}\n  to consent:\n    {line.run('--yes')}"
    )


def rest_left(command: str) -> str:
    """The message after `--canary` whose rest was not ordered, with the command that orders it."""
    return f"the rest was not ordered (--canary); look at the first takes, then go on with\n  {command}"


def declined() -> str:
    """Message after the user declined."""
    return f"declined: {NOTHING_SPENT}"


def unknown_price(plan: Plan) -> str:
    """Refusal of a paid run whose price is unknown."""
    rows = dict.fromkeys(step.price.row for step in plan.steps if step.price.credits is None)
    shots = dict.fromkeys(step.shot.id for step in plan.steps if step.price.credits is None)
    shot_list = ", ".join(escape_terminal(shot) for shot in list(shots)[:5]) + (" …" if len(shots) > 5 else "")
    row_list = ", ".join(escape_terminal(row) for row in rows)
    return (
        f"the price book has no price for {row_list} ({shot_list}): {NOTHING_SPENT}\n"
        "  choose a model and resolution from `storyboard prices`, or set your own price in storyboard.toml"
    )


def nothing_public(plan: Plan, ways: WaysOn) -> str:
    """Refusal of a run whose shots all wait for public addresses: each material once, with its shots."""
    lines = [
        f"{escape_terminal(plan.account.provider)} takes public https addresses only, and no shot is left without a "
        f"material that has none: {NOTHING_SPENT}"
    ]
    for name, shots in unpublished_materials(plan.steps):
        lines.append(f"  {name}  {', '.join(shots)}")
        lines += [f"    {note}"] if (note := ways.git_notes.get(name)) else []
    advice = publishing(plan.edition, bool(ways.not_git))
    lines.append(f"  {advice}, give them https addresses, or draw the shots free:")
    return "\n".join([*lines, f"    {escape_terminal(ways.free_run)}"])


def over_limit(
    plan: Plan, ceiling: str, limit: Decimal, total: Decimal, alternatives: Sequence[Alternative], command: str = ""
) -> str:
    """Refusal above a limit: the excess, cheaper alternatives that would pass, and the `command` of the best one."""
    lines = [
        f"{credits_text(total)} credits are {credits_text(total - limit)} over "
        f"{escape_terminal(ceiling)} {credits_text(limit)}: {NOTHING_SPENT}"
    ]
    cheapest = list(alternatives)[:_MOST_ALTERNATIVES]
    if cheapest:
        lines.append("  cheaper alternatives:")
        descriptions = [_description(alternative) for alternative in cheapest]
        prices = [credits_text(alternative.credits) for alternative in cheapest]
        room, price_cells = max(map(width, descriptions)), max(map(len, prices))
        lines += [
            f"    {left(description, room)}  {price:>{price_cells}} credits  {dollars(plan.usd(alternative.credits))}"
            for alternative, description, price in zip(cheapest, descriptions, prices, strict=True)
        ]
    if command:
        lines += ["  below the limit:", f"    {escape_terminal(command)}"]
    return "\n".join(lines)


def _description(alternative: Alternative) -> str:
    description = escape_terminal(alternative.description)
    return description if alternative.command else f"{description} (in the storyboard)"
