"""The screen of `prices`: models with limits, and credits and dollars per second, for people."""

from collections.abc import Sequence
from decimal import Decimal

from runner.editions.edition import Edition
from runner.editions.model import Model
from runner.editions.price_book import PriceRow
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, credits_text, dollars
from runner.show.text.layout import wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, table
from runner.show.text.table import row as table_row


def prices(edition: Edition, others: Sequence[Edition], usd_per_credit: Decimal, width: int, color: bool) -> str:
    """The screen of `storyboard prices`; prices set by the user are marked."""
    style = Style(color)
    title = f"{style('Prices', 'strong')}   edition {escape_terminal(edition.name)}, {escape_terminal(edition.dated)}"
    rate = f"1 credit {dollars(usd_per_credit)}"
    facts = f"{rate} · failed tasks cost nothing · a model without a price is refused, never free"
    seconds = edition.default_model.default_seconds
    rows = [_price_row(row, seconds, usd_per_credit) for row in edition.book]
    lines = table(_columns(seconds), rows, width, style)
    models = [line for model in edition.model_rows.values() for line in wrapped(_model_line(model), width)]
    late = [line for note in _billing_notes(edition) for line in wrapped(note, width)]
    source = wrapped(f"source: {escape_terminal(edition.source)}", width)
    named = ", ".join(f"{escape_terminal(other.name)} ({escape_terminal(other.dated)})" for other in others)
    editions = wrapped(f"other editions: {named}; --edition shows one", width) if others else []
    parts = [title, *wrapped(facts, width, 0), "", *lines, *(["", *late] if late else []), "", *models, ""]
    return "\n".join([*parts, *source, *editions]) + "\n"


def _columns(seconds: int) -> tuple[Column, ...]:
    return (
        Column(head="model"),
        Column(head="output"),
        Column(head="with"),
        Column("right", head="credits a second"),
        Column("right", head=f"{seconds} s"),
        Column("right", head="dollars"),
        Column(least=8),
    )


def _price_row(row: PriceRow, seconds: int, usd_per_credit: Decimal) -> TableRow:
    output, extra = (
        (row.resolution or "any", "") if row.upscale is None else ("any", f"upscale to {row.upscale}, added")
    )
    if row.with_video:
        extra = "a reference video"
    clip = row.rate * seconds
    note = Cell("your own", "warn") if row.own else Cell(_days(row))
    rate = Cell(credits_text(row.rate), "money")
    more = " + video" if row.reference_seconds is not None else ""
    return table_row(
        escape_terminal(row.model),
        escape_terminal(output),
        escape_terminal(extra),
        rate,
        credits_text(clip) + more,
        dollars(clip * usd_per_credit) + more,
        note,
    )


def _days(row: PriceRow) -> str:
    """The days of a dated price: `from 2026-10-01 until 2026-10-31`."""
    first = f"from {row.valid_from}" if row.valid_from is not None else ""
    last = f"until {row.valid_until}" if row.valid_until is not None else ""
    return " ".join(part for part in (first, last) if part)


def _billing_notes(edition: Edition) -> list[str]:
    """The notes on items that are billed beside the seconds of a clip, once for each model."""
    notes = {
        row.model: f"{escape_terminal(row.model)}: the seconds of reference videos are billed as well, "
        f"{row.reference_seconds} at most"
        + ("; the whole bill comes some minutes after the clip" if row.bills == "settled" else "")
        for row in edition.book
        if row.reference_seconds is not None
    }
    return list(notes.values())


def _model_line(model: Model) -> str:
    limits = model.limits
    low, high = limits.seconds
    counts = {"image": limits.images, "video": limits.videos, "sound": limits.audio}
    references = [count(number, noun) for noun, number in counts.items() if number]
    return f"{escape_terminal(model.name)}: {low} to {high} s, prompts of {limits.prompt:,} characters, " + (
        ", ".join(references) or "no references"
    )
