"""The screen of `spend`: credits by day, storyboard, scene, tag, shot, model or profile; as table, CSV and JSON."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

from runner.attempts.attempt import CHARGED, Attempt
from runner.lazy_dataclass import dataclass, field
from runner.planning.selection import storyboard_slug
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import credits_text, dollars
from runner.show.text.layout import labelled
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

VERSION = 1
By = Literal["day", "storyboard", "scene", "tag", "shot", "model", "profile"]
_NOTHING = "–"
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
    billed: Decimal = Decimal(0)
    """Credits billed by the provider, or settled by the user as charged."""
    unsettled: Decimal = Decimal(0)
    """Quotes of running, unsettled and maybe charged attempts."""
    sources: frozenset[str] = field(default_factory=frozenset)

    def with_item(self, item: BillItem) -> "BillLine":
        """The line with one more attempt."""
        attempt = item.attempt
        paid = attempt.state in CHARGED
        declared = attempt.credits if attempt.charged and not paid else Decimal(0)
        return BillLine(
            self.name,
            self.clips + paid,
            self.quoted + (attempt.intent.quoted if paid or declared else 0),
            self.billed + attempt.billed + declared,
            self.unsettled + (0 if paid or declared else attempt.credits),
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


def build_bill(
    items: Iterable[BillItem], by: By, usd_per_credit: Decimal, period: str = "", zone: tzinfo | None = None
) -> Bill:
    """Sums the attempts that cost or may have cost credits; days are those of `zone`."""
    lines: dict[str, BillLine] = {}
    total = BillLine("sum")
    for item in items:
        if not item.attempt.credits and not item.attempt.billed:
            continue
        total = total.with_item(item)
        for name in _KEYS[by](item, zone):
            lines[name] = lines.get(name, BillLine(name)).with_item(item)
    order = sorted(lines.values(), key=(lambda line: line.name) if by == "day" else _by_cost)
    return Bill(by, tuple(order), total, usd_per_credit, period)


def _by_cost(line: BillLine) -> tuple[Decimal, str]:
    return (-line.billed - line.unsettled, line.name)


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
    return attempt.accepted_at or attempt.intended_at


def _shot(attempt: Attempt) -> str:
    return f"{storyboard_slug(attempt.intent.storyboard)}:{attempt.intent.shot}"


def _model(attempt: Attempt) -> str:
    request = attempt.intent.request
    return f"{request.get('model', _NOTHING)} · {request.get('resolution', _NOTHING)}"


# -- for people -------------------------------------------------------------------------------------------


def spend(bill: Bill, width: int, color: bool) -> str:
    """The screen of `storyboard spend`."""
    style = Style(color)
    title = style("Spent", "strong") + (f"   {escape_terminal(bill.period)}" if bill.period else "")
    if not bill.lines:
        return f"{title}\n\n  Nothing was spent.\n"
    rows: list[TableRow | str] = [_row(line, bill) for line in bill.lines]
    columns = _columns(bill.by)
    all_rows = [*rows, row("", "", "", Cell("-" * 7, "quiet")), _row(bill.total, bill, "strong")]
    lines = [title, "", *table(columns, all_rows, width, style)]
    if bill.total.unsettled:
        text = f"{credits_text(bill.total.unsettled)} credits are running or may have been charged"
        text += ": storyboard settle"
        lines += ["", *labelled("unsettled", text, width, style, "warn")]
    return "\n".join(lines) + "\n"


def _columns(by: By) -> tuple[Column, ...]:
    return (
        Column(least=12, most=60, head=by),
        Column("right", head="clips"),
        Column("right", head="quoted"),
        Column("right", head="billed"),
        Column("right", head="dollars"),
        Column("right", head="unsettled"),
        Column(least=8, head="known from"),
    )


def _row(line: BillLine, bill: Bill, style: str = "plain") -> TableRow:
    differs = "strong warn" if line.billed != line.quoted else style
    return row(
        Cell(one_line(line.name, 200), style),
        f"{line.clips:,}",
        credits_text(line.quoted),
        Cell(credits_text(line.billed), differs),
        dollars(line.billed * bill.usd_per_credit),
        credits_text(line.unsettled) if line.unsettled else "",
        Cell(", ".join(sorted(line.sources)), "quiet"),
    )


# -- for programs -----------------------------------------------------------------------------------------


def spend_csv(bill: Bill) -> str:
    """The bill as CSV with a header; a `'` before a name that a spreadsheet would calculate."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([bill.by, "clips", "quoted", "billed", "usd", "doubt", "known_from"])
    for line in bill.lines:
        usd = usd_text(line.billed * bill.usd_per_credit)
        amounts = (credits_json(line.quoted), credits_json(line.billed), usd, credits_json(line.unsettled))
        writer.writerow([_safe(line.name), line.clips, *amounts, " ".join(sorted(line.sources))])
    return out.getvalue()


def _safe(name: str) -> str:
    name = escape_terminal(name)
    return f"'{name}" if name.startswith(_FORMULA) else name


def spend_json(bill: Bill) -> dict[str, object]:
    """The document `{"spend": 1, "by", "period", "lines": […], "total": {…}}`."""
    return {
        "spend": VERSION,
        "by": bill.by,
        "period": bill.period,
        "lines": [{"name": line.name, **_line_json(line, bill)} for line in bill.lines],
        "total": _line_json(bill.total, bill),
    }


def _line_json(line: BillLine, bill: Bill) -> dict[str, object]:
    return {
        "clips": line.clips,
        "quoted": credits_json(line.quoted),
        "billed": credits_json(line.billed),
        "usd": usd_text(line.billed * bill.usd_per_credit),
        "doubt": credits_json(line.unsettled),
        "known_from": sorted(line.sources),
    }
