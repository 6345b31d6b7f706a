"""The screen of `prices`: credits and dollars per second of output, for people and as JSON."""

from decimal import Decimal

from runner.editions.edition import Edition, PriceRow, price_table
from runner.show.text.escape import escape_terminal
from runner.show.text.format import credits_text, dollars
from runner.show.text.layout import wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, table
from runner.show.text.table import row as table_row

_TYPICAL = 5
"""Seconds of the example clip: the default duration of a shot."""


def prices(edition: Edition, usd_per_credit: Decimal, width: int, color: bool) -> str:
    """The screen of `storyboard prices`; prices set by the user are marked."""
    style = Style(color)
    title = f"{style('Prices', 'strong')}   edition {escape_terminal(edition.name)}, {escape_terminal(edition.dated)}"
    rate = f"1 credit {dollars(usd_per_credit)}"
    facts = f"{rate} · failed tasks cost nothing · a model without a price is refused, never free"
    lines = table(_COLUMNS, [_price_row(row, usd_per_credit) for row in price_table(edition)], width, style)
    source = wrapped(f"source: {escape_terminal(edition.source)}", width)
    return "\n".join([title, *wrapped(facts, width, 0), "", *lines, "", *source]) + "\n"


_COLUMNS = (
    Column(head="model"),
    Column(head="output"),
    Column(head="with"),
    Column("right", head="credits a second"),
    Column("right", head=f"{_TYPICAL} s"),
    Column("right", head="dollars"),
    Column(least=8),
)


def _price_row(row: PriceRow, usd_per_credit: Decimal) -> TableRow:
    output, extra = (
        (row.resolution or "any", "") if row.upscale is None else ("any", f"upscale to {row.upscale}, added")
    )
    if row.with_video:
        extra = "a reference video"
    clip = row.rate * _TYPICAL
    own = Cell("your own", "warn") if row.own else Cell("")
    rate = Cell(credits_text(row.rate), "money")
    return table_row(
        escape_terminal(row.model),
        escape_terminal(output),
        escape_terminal(extra),
        rate,
        credits_text(clip),
        dollars(clip * usd_per_credit),
        own,
    )
