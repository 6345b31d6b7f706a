"""Sums of credits one below the other, in credits and dollars, each with a word about it."""

from collections.abc import Sequence
from decimal import Decimal

from runner.plan import Plan
from runner.show.amounts import credits_text, dollars
from runner.show.cells import left, right
from runner.show.ink import Ink

_LABEL = 9


def amounts(rows: Sequence[tuple[str, Decimal, str]], plan: Plan, ink: Ink) -> list[str]:
    """`  billed      4,000 credits  $20.00   as quoted`, aligned; no dollars beside nothing."""
    room = max((len(credits_text(amount)) for _, amount, _ in rows), default=0)
    prices = [dollars(plan.usd(amount)) if amount else "" for _, amount, _ in rows]
    beside = max((len(price) for price in prices), default=0)
    return [
        f"  {left(label, _LABEL)}  {ink(right(credits_text(amount), max(6, room)), 'money')} credits  "
        f"{right(price, beside)}   {text}".rstrip()
        for (label, amount, text), price in zip(rows, prices, strict=True)
    ]
