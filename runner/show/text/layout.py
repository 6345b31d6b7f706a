"""Layout of lines below a table: labels with text, facts side by side, commands with notes."""

from collections.abc import Iterable, Sequence

from runner.attempts.history import History
from runner.diagnostics.problem import Problem
from runner.planning.plan import Plan
from runner.show.text.cells import width as cells
from runner.show.text.cells import wrap
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count
from runner.show.text.style import Style

MOST_WARNINGS = 8
WIDE = 120
"""Width that no screen exceeds, and from which model names are spelled out."""
LABEL = 9
"""Cells of the labels of a run's lines, from the live view to the closing screen and the status."""


def labelled(
    label: str, text: str, width: int, style: Style, style_name: str = "plain", label_cells: int = 7
) -> list[str]:
    """A styled label at the margin with a text beside it, wrapped to `width`."""
    margin = 4 + max(label_cells, cells(label))
    # Twenty cells at least: a narrower column would have a word on each line.
    return labelled_lines(label, wrap(text, max(20, width - margin)), style, style_name, label_cells)


def labelled_lines(
    label: str, lines: Sequence[str], style: Style, style_name: str = "plain", label_cells: int = 7
) -> list[str]:
    """A styled label at the margin with lines beside it."""
    margin = 4 + max(label_cells, cells(label))
    first, *rest = lines
    lead = "  " + style(label, style_name) + " " * (margin - 2 - cells(label))
    return [lead + first, *(" " * margin + line for line in rest)]


def wrapped(text: str, width: int, indent: int = 2) -> list[str]:
    """An indented text, wrapped to `width`."""
    return [" " * indent + line for line in wrap(text, max(20, width - indent))]


def joined(parts: Iterable[str], width: int, between: str = " · ") -> list[str]:
    """Short facts side by side; lines break between two facts only."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + cells(between) + cells(part) <= width:
            lines[-1] += between + part
        else:
            lines += wrap(part, width)
    return lines


def warnings(problems: Sequence[Problem], width: int, style: Style) -> list[str]:
    """Warnings with their places; those beyond the first few are counted."""
    lines: list[str] = []
    for problem in problems[:MOST_WARNINGS]:
        where = f"   {escape_terminal(problem.place.file)}:{problem.place.line}" if problem.place.file else ""
        lines += labelled("warning", one_line(problem.message, 400) + where, width, style, "warn")
    if (more := len(problems) - MOST_WARNINGS) > 0:
        lines += labelled("", f"and {count(more, 'warning')} more: storyboard validate shows them all", width, style)
    return lines


def from_manifests(plan: Plan, history: History) -> str:
    """Note on paid takes that this machine's ledger lacks, and the effect; empty when it has them all."""
    attempts = {step.attempt: history.attempts.get(step.attempt) for step in plan.steps if step.attempt is not None}
    number = sum(
        attempt.from_manifest and attempt.state.is_paid and not attempt.needs_confirmation
        for attempt in filter(None, attempts.values())
    )
    # Nobody pays for free takes, whoever made them.
    if plan.is_free or not number:
        return ""
    are, they, them = ("is", "it is", "it") if number == 1 else ("are", "they are", "them")
    return (
        f"{count(number, 'take')} {are} recorded in a manifest only, not in this machine's ledger: {they} kept and "
        f"not paid again, and the daily budget does not count {them}"
    )


def right_aligned(command: str, why: str, width: int, style: Style) -> list[str]:
    """A command to type, with a note at the right edge."""
    room = width - 2 - cells(command) - cells(why)
    line = "  " + style(command, "command")
    if not why:
        return [line]
    # Three blanks: with fewer the note would read as a part of the command.
    return [f"{line}{' ' * room}{why}"] if room >= 3 else [line, f"  {why}"]


def commands(suggestions: Sequence[tuple[str, str]], width: int, style: Style, margin: str) -> list[str]:
    """Commands one below the other, each with its note beside it, or below on a narrow screen."""
    # All notes beside or all below: mixed they are read as belonging to the line above.
    room = max(cells(command) for command, _ in suggestions)
    is_beside = len(margin) + room + 4 + max(cells(note) for _, note in suggestions) <= width
    lines: list[str] = []
    for command, note in suggestions:
        painted = margin + style(command, "command")
        if is_beside:
            lines.append(f"{painted}{' ' * (room - cells(command) + 4)}{note}")
        else:
            lines += [painted, *wrapped(note, width, len(margin) + 2)]
    return lines
