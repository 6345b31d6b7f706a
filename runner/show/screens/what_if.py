"""The screen of `plan --what-if`: the film by model and resolution, cheapest first, and what keeps shots out."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.planning.what_if import Obstacle, WhatIfRow
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import credits_text, dollars
from runner.show.text.layout import wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, table
from runner.show.text.table import row as table_row

# Shots that are named for a model that cannot make them.
_MOST_SHOTS = 4
_COLUMNS = (
    Column(head="model"),
    Column(head="resolution"),
    Column("right", head="credits"),
    Column("right", head="dollars"),
)


def what_if_screen(rows: Sequence[WhatIfRow], usd_per_credit: Decimal, width: int, color: bool) -> str:
    """The screen of the rows in their order."""
    style = Style(color)
    whole = [row for row in rows if not row.cannot]
    others = [row for row in rows if row.cannot]
    lines = [style("The price of the whole film with one model and one resolution", "strong")]
    lines += wrapped(
        "counts every take that is not made with those settings yet, also those that wait for a pick", width, 0
    )
    if whole:
        lines += ["", *table(_COLUMNS, [_priced(row, usd_per_credit) for row in whole], width, style)]
    else:
        lines += ["", *wrapped("No model and resolution can make all of it.", width)]
    if others:
        lines += ["", *wrapped("These cannot make all of it:", width, 0)]
    for title, reason in _others(others):
        lines += wrapped(f"{title}: {reason}", width)
    return "\n".join(lines) + "\n"


def _priced(row: WhatIfRow, usd_per_credit: Decimal) -> TableRow:
    credits = row.credits or Decimal(0)
    return table_row(
        escape_terminal(row.model),
        escape_terminal(row.resolution),
        Cell(credits_text(credits), "money"),
        dollars(credits * usd_per_credit),
    )


def _others(rows: Sequence[WhatIfRow]) -> Iterator[tuple[str, str]]:
    """Each model with the resolutions that share a reason, and the reason: `seedance-20 480p, 720p`."""
    resolutions: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for reason in _reasons(row.cannot):
            resolutions.setdefault((row.model, reason), []).append(row.resolution)
    for (model, reason), names in resolutions.items():
        yield f"{escape_terminal(model)} {escape_terminal(', '.join(names))}", reason


def _reasons(obstacles: Sequence[Obstacle]) -> list[str]:
    """Each reason once, after the shots that it keeps out: `SH010, SH020: clips have 4 to 15 seconds`."""
    shots: dict[str, list[str]] = {}
    for obstacle in obstacles:
        shots.setdefault(obstacle.why, []).append(escape_terminal(obstacle.shot))
    return [f"{_listed(names)}{one_line(why, 300)}" for why, names in shots.items()]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOTS} more" if len(names) > _MOST_SHOTS else ""
    listed = ", ".join(names[:_MOST_SHOTS])
    return f"{listed}{more}: " if listed else ""
