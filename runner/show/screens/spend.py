"""The bill: what was quoted and billed by day, storyboard, scene, tag, shot, model or profile; table, CSV, JSON."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

from runner.attempts.history import CHARGED, Attempt
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
    """One attempt that cost something or may have, with what the storyboard says of its shot."""

    attempt: Attempt
    scene: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where it is known from."""
        return "manifest" if self.attempt.from_manifest else "ledger"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill."""

    name: str
    clips: int = 0
    quoted: Decimal = Decimal(0)
    """Of what was billed."""
    billed: Decimal = Decimal(0)
    """By the provider, and by the word of `settle --charged`."""
    doubt: Decimal = Decimal(0)
    """Running, unsettled, or perhaps charged, by quote."""
    sources: frozenset[str] = field(default_factory=frozenset)

    def with_item(self, item: BillItem) -> "BillLine":
        """The line with one attempt more."""
        attempt = item.attempt
        paid = attempt.state in CHARGED
        by_word = attempt.credits if attempt.charged and not paid else Decimal(0)
        return BillLine(
            self.name,
            self.clips + paid,
            self.quoted + (attempt.intent.quoted if paid or by_word else 0),
            self.billed + attempt.billed + by_word,
            self.doubt + (0 if paid or by_word else attempt.credits),
            self.sources | {item.source},
        )


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines, and the sum in which every attempt counts once (a shot with two tags stands in two lines)."""

    by: By
    lines: tuple[BillLine, ...]
    total: BillLine
    usd_per_credit: Decimal
    period: str = ""
    """In words: `November 2026`."""


def bill(
    items: Iterable[BillItem], by: By, usd_per_credit: Decimal, period: str = "", zone: tzinfo | None = None
) -> Bill:
    """Sums of all that cost something or may have; days are the reader's."""
    lines: dict[str, BillLine] = {}
    total = BillLine("sum")
    for item in items:
        if not item.attempt.credits and not item.attempt.billed:
            continue
        total = total.with_item(item)
        for name in _KEYS[by](item, zone):
            lines[name] = lines.get(name, BillLine(name)).with_item(item)
    order = sorted(lines.values(), key=(lambda line: line.name) if by == "day" else _dearest)
    return Bill(by, tuple(order), total, usd_per_credit, period)


def _dearest(line: BillLine) -> tuple[Decimal, str]:
    return (-line.billed - line.doubt, line.name)


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


def spend(found: Bill, width: int, color: bool) -> str:
    """The screen of `storyboard spend`."""
    ink = Style(color)
    title = ink("Spent", "strong") + (f"   {escape_terminal(found.period)}" if found.period else "")
    if not found.lines:
        return f"{title}\n\n  Nothing was spent.\n"
    rows: list[TableRow | str] = [_row(line, found) for line in found.lines]
    columns = _columns(found.by)
    ruled = [*rows, row("", "", "", Cell("-" * 7, "quiet")), _row(found.total, found, "strong")]
    lines = [title, "", *table(columns, ruled, width, ink)]
    if found.total.doubt:
        text = f"{credits_text(found.total.doubt)} credits run, or nobody knows whether they were charged"
        text += ": storyboard settle"
        lines += ["", *labelled("doubt", text, width, ink, "warn")]
    return "\n".join(lines) + "\n"


def _columns(by: By) -> tuple[Column, ...]:
    return (
        Column(least=12, most=60, head=by),
        Column("right", head="clips"),
        Column("right", head="quoted"),
        Column("right", head="billed"),
        Column("right", head="dollars"),
        Column("right", head="doubt"),
        Column(least=8, head="known from"),
    )


def _row(line: BillLine, found: Bill, ink: str = "plain") -> TableRow:
    differs = "strong warn" if line.billed != line.quoted else ink
    return row(
        Cell(one_line(line.name, 200), ink),
        f"{line.clips:,}",
        credits_text(line.quoted),
        Cell(credits_text(line.billed), differs),
        dollars(line.billed * found.usd_per_credit),
        credits_text(line.doubt) if line.doubt else "",
        Cell(", ".join(sorted(line.sources)), "quiet"),
    )


# -- for programs -----------------------------------------------------------------------------------------


def spend_csv(found: Bill) -> str:
    """Comma-separated, a head and a line each; a name that a spreadsheet would calculate is quoted by `'`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([found.by, "clips", "quoted", "billed", "usd", "doubt", "known_from"])
    for line in found.lines:
        usd = usd_text(line.billed * found.usd_per_credit)
        amounts = (credits_json(line.quoted), credits_json(line.billed), usd, credits_json(line.doubt))
        writer.writerow([_safe(line.name), line.clips, *amounts, " ".join(sorted(line.sources))])
    return out.getvalue()


def _safe(name: str) -> str:
    name = escape_terminal(name)
    return f"'{name}" if name.startswith(_FORMULA) else name


def spend_json(found: Bill) -> dict[str, object]:
    """`{"spend": 1, "by", "period", "lines": […], "total": {…}}`."""
    return {
        "spend": VERSION,
        "by": found.by,
        "period": found.period,
        "lines": [{"name": line.name, **_line_json(line, found)} for line in found.lines],
        "total": _line_json(found.total, found),
    }


def _line_json(line: BillLine, found: Bill) -> dict[str, object]:
    return {
        "clips": line.clips,
        "quoted": credits_json(line.quoted),
        "billed": credits_json(line.billed),
        "usd": usd_text(line.billed * found.usd_per_credit),
        "doubt": credits_json(line.doubt),
        "known_from": sorted(line.sources),
    }
