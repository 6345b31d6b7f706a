"""Sums in credits: aligned rows with dollars and notes, or one line."""

from collections.abc import Sequence
from decimal import Decimal

from runner.attempts.sums import CreditSums
from runner.planning.plan import Plan
from runner.show.text.cells import left, right, wrap
from runner.show.text.format import credits_text, dollars
from runner.show.text.layout import LABEL
from runner.show.text.style import Style


def money_rows(rows: Sequence[tuple[str, Decimal, str]], plan: Plan, width: int, style: Style) -> list[str]:
    """Rows such as `  billed      4,000 credits  $20.00   as quoted`; a zero has no dollars."""
    label_cells = max([LABEL, *(len(label) for label, _, _ in rows)])
    # Six cells hold `12,345`: the columns of a block stand still from run to run.
    room = max([6, *(len(credits_text(amount)) for _, amount, _ in rows)])
    # `$0.00` would look like a price.
    prices = [dollars(plan.usd(amount)) if amount else "" for _, amount, _ in rows]
    price_cells = max([0, *(len(price) for price in prices)])
    # Where the notes begin; ten cells are ` credits  `.
    margin = 2 + label_cells + 2 + room + 10 + price_cells + 3
    lines: list[str] = []
    for (label, amount, text), price in zip(rows, prices, strict=True):
        lead = f"  {left(label, label_cells)}  {style(right(credits_text(amount), room), 'money')} credits  "
        first, *rest = wrap(text, max(20, width - margin))
        lines.append(f"{lead}{right(price, price_cells)}   {first}".rstrip())
        lines += [" " * margin + line for line in rest]
    return lines


def sums_text(sums: CreditSums) -> str:
    """The sums on one line: `4,000 billed · 160 unsettled`; what is zero is left out, except the bill."""
    labels = ("billed", "in flight", "unsettled", "maybe charged")
    return " · ".join(
        f"{credits_text(amount)} {label}"
        for amount, label in zip(sums, labels, strict=True)
        if amount or label == "billed"
    )
