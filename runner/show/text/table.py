"""Columns that align by cells: what fits is shown whole, the patient columns give way."""

from collections.abc import Sequence
from typing import Literal

from runner.lazy_dataclass import dataclass, replace
from runner.show.text.cells import left, right, width, wrap
from runner.show.text.style import Style

GAP = 2
BELOW = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One text of a table and its ink."""

    text: str
    ink: str = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """How a column stands: its side, and how few cells it can live with when the screen is narrow."""

    side: Literal["left", "right"] = "left"
    least: int = 1_000
    """Cells below which it is never cut; the default is never cut at all."""
    bare: int = 1_000
    """Cells that it can do with when every other column is at its least already; the default is not below that."""
    most: int = 1_000
    head: str = ""
    keep: bool = True
    """False: the column is left out when nothing stands in it."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells of one line; a missing cell is empty."""

    cells: tuple[Cell, ...]
    indent: int = 0
    short: str = ""
    """What stands in the last column instead when its text would be cut; `below` follows then."""
    below: str = ""
    """The rest, on lines of its own."""


def row(*cells: Cell | str, indent: int = 0, short: str = "", below: str = "") -> TableRow:
    """A line of a table; bare text is in plain ink."""
    return TableRow(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells), indent, short, below)


def table(
    columns: Sequence[Column], rows: Sequence[TableRow | str], room: int, ink: Style, indent: int = 2
) -> list[str]:
    """The lines of a table within `room` cells; a string among the rows is a line of its own, as it is."""
    cells = [row for row in rows if isinstance(row, TableRow)]
    heads = any(column.head for column in columns)
    head = TableRow(tuple(Cell(column.head, "quiet") for column in columns))
    widths = _widths(columns, [head, *cells] if heads else cells, room - indent)
    lines = [_line(columns, head, widths, ink, indent)] if heads else []
    for entry in rows:
        lines += [entry] if isinstance(entry, str) else _lines(columns, entry, widths, room, ink, indent)
    return lines


def _lines(
    columns: Sequence[Column], row: TableRow, widths: Sequence[int], room: int, ink: Style, indent: int
) -> list[str]:
    """The line of a row; what its last column cannot hold stands below it."""
    last = row.cells[-1]
    if not row.below or len(row.cells) < len(widths) or width(last.text) <= widths[len(row.cells) - 1]:
        return [_line(columns, row, widths, ink, indent)]
    above = replace(row, cells=(*row.cells[:-1], replace(last, text=row.short)))
    margin = " " * (indent + row.indent + BELOW)
    below = [margin + ink(line, last.ink) for line in wrap(row.below, room - len(margin))]
    return [_line(columns, above, widths, ink, indent), *below]


def _widths(columns: Sequence[Column], rows: Sequence[TableRow], room: int) -> list[int]:
    """Every column as wide as its widest text, then the patient ones cut, the widest first, until all fit."""
    widths = [
        min(column.most, max((_natural(row, index) for row in rows), default=0)) for index, column in enumerate(columns)
    ]
    while _over(widths, room) > 0:
        patient = [index for index, column in enumerate(columns) if widths[index] > column.least]
        if not patient:
            break
        widths[max(patient, key=lambda index: widths[index])] -= 1
    last = len(columns) - 1  # what it cannot hold may stand below: it gives way after all others
    for index, column in sorted(enumerate(columns), key=lambda each: (each[0] == last, -each[0])):
        widths[index] -= max(0, min(_over(widths, room), widths[index] - column.bare))
    return widths


def _over(widths: Sequence[int], room: int) -> int:
    """Cells by which the columns with their gaps are wider than the room."""
    return sum(widths) + GAP * (sum(1 for cells in widths if cells) - 1) - room


def _natural(row: TableRow, index: int) -> int:
    if index >= len(row.cells):
        return 0
    return width(row.cells[index].text) + (row.indent if index == 0 else 0)


def _line(columns: Sequence[Column], row: TableRow, widths: Sequence[int], ink: Style, indent: int) -> str:
    parts = []
    for index, (column, cells) in enumerate(zip(columns, widths, strict=True)):
        if not cells:
            continue
        cell = row.cells[index] if index < len(row.cells) else Cell("")
        if index == 0 and row.indent:
            cell = replace(cell, text=" " * row.indent + cell.text)
        text = right(cell.text, cells) if column.side == "right" else left(cell.text, cells)
        parts.append((text, cell))
    return " " * indent + _painted(parts, ink)


def _painted(parts: Sequence[tuple[str, Cell]], ink: Style) -> str:
    """The cells side by side, without white space at the end."""
    last = max((index for index, (text, _) in enumerate(parts) if text.strip()), default=-1)
    shown = [(text.rstrip() if index == last else text, cell) for index, (text, cell) in enumerate(parts[: last + 1])]
    return (" " * GAP).join(ink(text, cell.ink) for text, cell in shown)
