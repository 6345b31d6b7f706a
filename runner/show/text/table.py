"""Tables aligned by cells: on a narrow screen the columns that may shrink are cut."""

from collections.abc import Sequence
from typing import Literal

from runner.lazy_dataclass import dataclass, replace
from runner.show.text.cells import left, right, width, wrap
from runner.show.text.style import Style

GAP = 2
BELOW = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One text of a table and its style."""

    text: str
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """Alignment and width limits of a column."""

    side: Literal["left", "right"] = "left"
    least: int = 1_000
    """Width down to which the column shrinks; by default never."""
    narrow_least: int = 1_000
    """Width down to which it shrinks once every column is at its `least`; by default not further."""
    most: int = 1_000
    head: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """The cells of one line; missing cells are empty."""

    cells: tuple[Cell, ...]
    indent: int = 0
    short: str = ""
    """Text of the last column if its own text does not fit; `below` follows then."""
    below: str = ""
    """The long text, on lines of its own."""


def row(*cells: Cell | str, indent: int = 0, short: str = "", below: str = "") -> TableRow:
    """A line of a table; strings become cells in plain style."""
    return TableRow(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells), indent, short, below)


def table(
    columns: Sequence[Column], rows: Sequence[TableRow | str], room: int, style: Style, indent: int = 2
) -> list[str]:
    """The lines of a table within `room` cells; a string among the rows is printed as a line of its own."""
    table_rows = [row for row in rows if isinstance(row, TableRow)]
    heads = any(column.head for column in columns)
    head = TableRow(tuple(Cell(column.head, "quiet") for column in columns))
    widths = _widths(columns, [head, *table_rows] if heads else table_rows, room - indent)
    lines = [_line(columns, head, widths, style, indent)] if heads else []
    for entry in rows:
        lines += [entry] if isinstance(entry, str) else _lines(columns, entry, widths, room, style, indent)
    return lines


def _lines(
    columns: Sequence[Column], row: TableRow, widths: Sequence[int], room: int, style: Style, indent: int
) -> list[str]:
    """The line of a row; a text that does not fit the last column follows on lines below."""
    last = row.cells[-1]
    if not row.below or len(row.cells) < len(widths) or width(last.text) <= widths[len(row.cells) - 1]:
        return [_line(columns, row, widths, style, indent)]
    above = replace(row, cells=(*row.cells[:-1], replace(last, text=row.short)))
    margin = " " * (indent + row.indent + BELOW)
    below = [margin + style(line, last.style) for line in wrap(row.below, room - len(margin))]
    return [_line(columns, above, widths, style, indent), *below]


def _widths(columns: Sequence[Column], rows: Sequence[TableRow], room: int) -> list[int]:
    """Column widths: the widest text of each, then the widest columns that may shrink are cut until all fit."""
    widths = [
        min(column.most, max((_natural(row, index) for row in rows), default=0)) for index, column in enumerate(columns)
    ]
    # One cell at a time from the widest: columns that are nearly equal end equal.
    while _over(widths, room) > 0:
        shrinkable = [index for index, column in enumerate(columns) if widths[index] > column.least]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda index: widths[index])] -= 1
    last = len(columns) - 1  # shrinks after all others: its text can move to the lines below
    for index, column in sorted(enumerate(columns), key=lambda item: (item[0] == last, -item[0])):
        widths[index] -= max(0, min(_over(widths, room), widths[index] - column.narrow_least))
    return widths


def _over(widths: Sequence[int], room: int) -> int:
    """Excess of the columns with their gaps over `room`, in cells."""
    # A column without cells has no gap either.
    return sum(widths) + GAP * (sum(1 for cells in widths if cells) - 1) - room


def _natural(row: TableRow, index: int) -> int:
    if index >= len(row.cells):
        return 0
    # The indent of a row stands within its first column, so that heads and rows align.
    return width(row.cells[index].text) + (row.indent if index == 0 else 0)


def _line(columns: Sequence[Column], row: TableRow, widths: Sequence[int], style: Style, indent: int) -> str:
    parts = []
    for index, (column, cells) in enumerate(zip(columns, widths, strict=True)):
        if not cells:
            continue
        cell = row.cells[index] if index < len(row.cells) else Cell("")
        if index == 0 and row.indent:
            cell = replace(cell, text=" " * row.indent + cell.text)
        text = right(cell.text, cells) if column.side == "right" else left(cell.text, cells)
        parts.append((text, cell))
    return " " * indent + _paint(parts, style)


def _paint(parts: Sequence[tuple[str, Cell]], style: Style) -> str:
    """The styled cells side by side, without white space at the end."""
    last = max((index for index, (text, _) in enumerate(parts) if text.strip()), default=-1)
    visible = [(text.rstrip() if index == last else text, cell) for index, (text, cell) in enumerate(parts[: last + 1])]
    return (" " * GAP).join(style(text, cell.style) for text, cell in visible)
