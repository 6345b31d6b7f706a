"""Sums of credits one below the other, in credits and dollars, each with a word about it."""

from collections.abc import Sequence
from decimal import Decimal

from runner.planning.plan import Plan
from runner.show.text.cells import left, right, wrap
from runner.show.text.format import credits_text, dollars
from runner.show.text.style import Style

_LABEL = 9


def money_rows(rows: Sequence[tuple[str, Decimal, str]], plan: Plan, width: int, ink: Style) -> list[str]:
    """`  billed      4,000 credits  $20.00   as quoted`, aligned; no dollars beside nothing."""
    room = max([6, *(len(credits_text(amount)) for _, amount, _ in rows)])
    prices = [dollars(plan.usd(amount)) if amount else "" for _, amount, _ in rows]
    beside = max([0, *(len(price) for price in prices)])
    margin = 2 + _LABEL + 2 + room + 10 + beside + 3
    lines: list[str] = []
    for (label, amount, text), price in zip(rows, prices, strict=True):
        lead = f"  {left(label, _LABEL)}  {ink(right(credits_text(amount), room), 'money')} credits  "
        first, *rest = wrap(text, max(20, width - margin))
        lines.append(f"{lead}{right(price, beside)}   {first}".rstrip())
        lines += [" " * margin + line for line in rest]
    return lines
