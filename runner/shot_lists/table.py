"""The reader of tables of comma-separated values, whatever their delimiter. Pure."""

import csv
from collections.abc import Mapping

from runner.diagnostics.failures import ShotListUnusable
from runner.shot_lists.columns import Row, listed_shots
from runner.shot_lists.shot_list import MAX_SHOTS, AcceptedValues, ShotList

# The comma first: it is taken where none of them stands in the header.
_DELIMITERS = ",;\t|"
# Excel's own first line, which names the delimiter: `sep=;`.
_EXCEL_LINE = "sep="


def read_table(text: str, mapping: Mapping[str, str], accepted: AcceptedValues) -> ShotList:
    """The shots of a table with a header line. Raises ShotListUnusable and OptionError."""
    lines = text.lstrip("\n").split("\n")
    offset = len(text.split("\n")) - len(lines)
    delimiter = None
    if lines[0].casefold().startswith(_EXCEL_LINE) and len(lines[0]) == len(_EXCEL_LINE) + 1:
        delimiter, lines, offset = lines[0][-1], lines[1:], offset + 1
    # Strict: otherwise an open quote swallows the rows behind it, shot for shot.
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter or _delimiter(lines[0]), strict=True)
    try:
        header = _header(next(reader, []))
        rows: list[Row] = []
        for values in reader:
            if len(rows) == MAX_SHOTS:
                raise ShotListUnusable(f"has more than {MAX_SHOTS:,} rows: import it in parts")
            if any(value.strip() for value in values):
                rows.append(_row(offset + reader.line_num, header, values))
    except csv.Error as error:
        message = f"line {offset + reader.line_num}: {error}: a quote is open, or stands inside of an unquoted value"
        raise ShotListUnusable(message) from None
    shots, remarks = listed_shots(header, rows, mapping, accepted)
    return ShotList(tuple(shots), remarks=tuple(remarks))


def _delimiter(header: str) -> str:
    """The sign that most often stands between the names of the columns."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _header(names: list[str]) -> list[str]:
    """The names of the columns, each once; a column without a name is `column 3`."""
    header: list[str] = []
    for number, name in enumerate(names, 1):
        text = " ".join(name.split()) or f"column {number}"
        header.append(text if text not in header else f"{text} ({number})")
    return header


def _row(line: int, header: list[str], values: list[str]) -> Row:
    # Values beyond the header become remarks, so that nothing of a list is lost unseen.
    more = {f"column {number}": value for number, value in enumerate(values[len(header) :], len(header) + 1)}
    return Row(f"line {line}", dict(zip(header, values, strict=False)) | more)
