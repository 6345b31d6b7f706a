"""The screen of `spend`: credits by day, storyboard, scene, tag, shot, model or profile; as table and CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

from runner.attempts.attempt import Attempt
from runner.attempts.film import storyboard_slug
from runner.attempts.sums import CreditSums, sums_of
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import credits_text, dollars
from runner.show.text.layout import labelled
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

By = Literal["day", "storyboard", "scene", "tag", "shot", "model", "profile"]
# For orders without a scene, tag or profile, which a bill must not leave out.
_NOTHING = "–"
# Heads of the columns beside the bill; a column without an amount is left out.
_OPEN = ("in flight", "unsettled", "maybe")
# Characters at which a spreadsheet begins to calculate: a shot's id comes from a stranger's file.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class BillItem:
    """One attempt that cost or may have cost credits, with scene and tags of its shot."""

    attempt: Attempt
    scene: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The record that contains the attempt."""
        return "manifest" if self.attempt.from_manifest else "ledger"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill: the sums of the attempts under one name."""

    name: str
    clips: int = 0
    quoted: Decimal = Decimal(0)
    """Quotes of the billed attempts."""
    sums: CreditSums = CreditSums()
    sources: frozenset[str] = field(default_factory=frozenset)

    def with_item(self, item: BillItem) -> "BillLine":
        """The line with one more attempt."""
        attempt = item.attempt
        paid = attempt.state.is_charged
        return BillLine(
            self.name,
            self.clips + paid,
            self.quoted + (attempt.intent.quoted if paid or attempt.charged else 0),
            self.sums.plus(sums_of(attempt)),
            self.sources | {item.source},
        )


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and total; the total counts every attempt once, although a shot with two tags is in two lines."""

    by: By
    lines: tuple[BillLine, ...]
    total: BillLine
    usd_per_credit: Decimal
    period: str = ""
    """The period as text: `November 2026`."""
    storyboards: tuple[str, ...] | None = None
    """The storyboards whose orders are summed; None means everything that this repository ordered."""


def build_bill(
    items: Iterable[BillItem],
    by: By,
    usd_per_credit: Decimal,
    period: str = "",
    zone: tzinfo | None = None,
    storyboards: tuple[str, ...] | None = None,
) -> Bill:
    """Sum the attempts that cost or may have cost credits; days are those of `zone`."""
    lines: dict[str, BillLine] = {}
    total = BillLine("sum")
    for item in items:
        # Refused and failed attempts cost nothing, and would only lengthen the bill.
        if not item.attempt.credits and not item.attempt.billed:
            continue
        total = total.with_item(item)
        for name in _KEYS[by](item, zone):
            lines[name] = lines.get(name, BillLine(name)).with_item(item)
    # Days run on; for all else the dearest stands first.
    order = sorted(lines.values(), key=(lambda line: line.name) if by == "day" else _by_cost)
    return Bill(by, tuple(order), total, usd_per_credit, period, storyboards)


def _by_cost(line: BillLine) -> tuple[Decimal, str]:
    return (-sum(line.sums, Decimal(0)), line.name)


_KEYS: dict[By, Callable[[BillItem, tzinfo | None], Sequence[str]]] = {
    "day": lambda item, zone: (_when(item.attempt).astimezone(zone).strftime("%Y-%m-%d"),),
    "storyboard": lambda item, zone: (item.attempt.intent.storyboard,),
    "scene": lambda item, zone: (item.scene or _NOTHING,),
    "tag": lambda item, zone: item.tags or (_NOTHING,),
    "shot": lambda item, zone: (_shot(item.attempt),),
    "model": lambda item, zone: (_model(item.attempt),),
    "profile": lambda item, zone: (item.attempt.intent.profile or _NOTHING,),
}


def _when(attempt: Attempt) -> datetime:
    # The day on which the provider reserved the credits; without an answer the day of the order.
    return attempt.accepted_at or attempt.intended_at


def _shot(attempt: Attempt) -> str:
    return f"{storyboard_slug(attempt.intent.storyboard)}:{attempt.intent.shot}"


def _model(attempt: Attempt) -> str:
    request = attempt.intent.request
    return f"{request.get('model', _NOTHING)} · {request.get('resolution', _NOTHING)}"


def spend(bill: Bill, width: int, color: bool) -> str:
    """The screen of `storyboard spend`."""
    style = Style(color)
    scope = "everything ordered from this repository" if bill.storyboards is None else ", ".join(bill.storyboards)
    title = "   ".join([style("Spent", "strong"), *map(escape_terminal, filter(None, (bill.period, scope)))])
    if not bill.lines:
        return f"{title}\n\n  Nothing was spent.\n"
    rows: list[TableRow | str] = [_row(line, bill) for line in bill.lines]
    all_rows = [*rows, row("", "", "", Cell("-" * 7, "quiet")), _row(bill.total, bill, "strong")]
    lines = [title, "", *table(_columns(bill), all_rows, width, style)]
    if bill.total.sums.unsettled or bill.total.sums.maybe_charged:
        text = "storyboard settle lists what may have been charged"
        lines += ["", *labelled("unsettled", text, width, style, "warn")]
    return "\n".join(lines) + "\n"


def _columns(bill: Bill) -> tuple[Column, ...]:
    return (
        Column(least=12, most=60, head=bill.by),
        Column("right", head="clips"),
        Column("right", head="quoted"),
        Column("right", head="billed"),
        Column("right", head="dollars"),
        *(Column("right", head=head) for head, amount in zip(_OPEN, bill.total.sums[1:], strict=True) if amount),
        Column(least=8, head="known from"),
    )


def _row(line: BillLine, bill: Bill, style: str = "plain") -> TableRow:
    differs = "strong warn" if line.sums.billed != line.quoted else style
    pairs = zip(line.sums[1:], bill.total.sums[1:], strict=True)
    return row(
        Cell(one_line(line.name, 200), style),
        f"{line.clips:,}",
        credits_text(line.quoted),
        Cell(credits_text(line.sums.billed), differs),
        dollars(line.sums.billed * bill.usd_per_credit),
        *(credits_text(amount) if amount else "" for amount, total in pairs if total),
        Cell("both" if len(line.sources) > 1 else "".join(line.sources), "quiet"),
    )


def spend_csv(bill: Bill) -> str:
    """The bill as CSV with a header; a `'` before a name that a spreadsheet would calculate."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([bill.by, "clips", "quoted", "billed", "usd", *CreditSums._fields[1:], "known_from"])
    for line in bill.lines:
        billed, *uncertain = map(credits_json, line.sums)
        usd = usd_text(line.sums.billed * bill.usd_per_credit)
        amounts = (credits_json(line.quoted), billed, usd, *uncertain)
        writer.writerow([_safe(line.name), line.clips, *amounts, " ".join(sorted(line.sources))])
    return out.getvalue()


def _safe(name: str) -> str:
    name = escape_terminal(name)
    return f"'{name}" if name.startswith(_FORMULA) else name
