"""The screen of `plan --explain SHOT`: the compiled shot, each value with the place it came from."""

from collections.abc import Sequence
from pathlib import Path

from runner.language.explain import ExplainedValue, ShotExplanation
from runner.show.screens.problems import file_name
from runner.show.text.cells import width
from runner.show.text.escape import escape_terminal
from runner.show.text.style import Style

# Characters of a value: its place follows on the same line.
_WIDEST = 60


def render_shot(explained: ShotExplanation, root: Path, cwd: Path, color: bool) -> str:
    """Fields and variables with their places, materials, and the stages of the prompt; ends with a newline."""
    shot, style = explained.shot, Style(color)
    parts = [f"{style(shot.id, 'strong')}   {file_name(shot.storyboard, root, cwd)}:{shot.place.line}"]
    parts.append(_table("", explained.fields, root, cwd, style))
    if explained.variables:
        parts.append(_table("variables", explained.variables, root, cwd, style))
    if explained.materials:
        parts.append("\n".join([style("made of", "strong"), *_columns(explained.materials)]))
    stages = (
        ("prompt as written", explained.written),
        ("after wrap and templates", explained.rendered if explained.rendered != explained.written else None),
        ("as it is sent", explained.sent if explained.sent != explained.rendered else None),
    )
    parts += [f"{style(title, 'strong')}\n{_indented(text.rstrip())}" for title, text in stages if text]
    return "\n\n".join(parts) + "\n"


def _table(title: str, rows: Sequence[ExplainedValue], root: Path, cwd: Path, style: Style) -> str:
    names = max(width(escape_terminal(row.name)) for row in rows)
    texts = [_short(row.value) for row in rows]
    values = max(map(width, texts))
    lines = [style(title, "strong")] if title else []
    for row, value in zip(rows, texts, strict=True):
        name = escape_terminal(row.name)
        gap, rest = " " * (names - width(name)), " " * (values - width(value))
        where = style(_where(row, root, cwd), "quiet")
        lines.append(f"  {name}{gap}  {value}{rest}  {where}")
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    cleaned = [[escape_terminal(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cleaned, strict=True)]
    padded = [[cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)] for row in cleaned]
    return [f"  {'  '.join(row)}".rstrip() for row in padded]


def _where(row: ExplainedValue, root: Path, cwd: Path) -> str:
    if row.place is None:
        return row.where
    location = f"{file_name(row.place.file, root, cwd)}:{row.place.line}"
    overridden = ", ".join(f"{file_name(place.file, root, cwd)}:{place.line}" for place in row.overrides)
    return f"{row.where}, {location}" + (f" (over {overridden})" if overridden else "")


def _short(value: str) -> str:
    line = escape_terminal(" ".join(value.split()))
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in escape_terminal(text, "\n").split("\n"))
