"""Lines below a table: a word at the margin, and its text beside it."""

from collections.abc import Iterable, Sequence

from runner.attempts.history import AttemptState, History
from runner.diagnostics.problem import Problem
from runner.planning.plan import Plan
from runner.show.text.cells import width as cells
from runner.show.text.cells import wrap
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count
from runner.show.text.style import Style

MOST_WARNINGS = 8


def labelled(label: str, text: str, width: int, ink: Style, name: str = "plain", label_cells: int = 7) -> list[str]:
    """A word at the margin in its ink and the text beside it, in as many lines as it needs."""
    margin = 4 + max(label_cells, cells(label))
    return labelled_lines(label, wrap(text, max(20, width - margin)), ink, name, label_cells)


def labelled_lines(
    label: str, lines: Sequence[str], ink: Style, name: str = "plain", label_cells: int = 7
) -> list[str]:
    """A word at the margin in its ink, and lines beside it."""
    margin = 4 + max(label_cells, cells(label))
    first, *rest = lines
    lead = "  " + ink(label, name) + " " * (margin - 2 - cells(label))
    return [lead + first, *(" " * margin + line for line in rest)]


def wrapped(text: str, width: int, indent: int = 2) -> list[str]:
    """A text at a margin, in as many lines as it needs."""
    return [" " * indent + line for line in wrap(text, max(20, width - indent))]


def joined(parts: Iterable[str], width: int, between: str = " · ") -> list[str]:
    """Short facts side by side; a line is broken between two of them only."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + cells(between) + cells(part) <= width:
            lines[-1] += between + part
        else:
            lines += wrap(part, width)
    return lines


def warnings(problems: Sequence[Problem], width: int, ink: Style) -> list[str]:
    """Each warning with its place; many are counted."""
    lines: list[str] = []
    for problem in problems[:MOST_WARNINGS]:
        where = f"   {escape_terminal(problem.place.file)}:{problem.place.line}" if problem.place.file else ""
        lines += labelled("warning", one_line(problem.message, 400) + where, width, ink, "warn")
    if (more := len(problems) - MOST_WARNINGS) > 0:
        lines += labelled("", f"and {count(more, 'warning')} more: storyboard validate shows them all", width, ink)
    return lines


_PAID = frozenset(
    {AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.STORED, AttemptState.UNSETTLED, AttemptState.GONE}
)


def from_manifests(plan: Plan, history: History) -> str:
    """How many paid takes this machine's ledger knows nothing of, and what that means; empty when it knows them all."""
    standing = {step.attempt: history.attempts.get(step.attempt) for step in plan.steps if step.attempt is not None}
    known = sum(1 for each in standing.values() if each is not None and each.from_manifest and each.state in _PAID)
    if plan.is_free or not known:
        return ""
    are, they, them = ("is", "it is", "it") if known == 1 else ("are", "they are", "them")
    return (
        f"{count(known, 'take')} {are} known from a manifest alone, not from this machine's ledger: {they} kept and "
        f"not paid again, and the day's budget does not count {them}"
    )


def right_aligned(command: str, why: str, width: int, ink: Style) -> list[str]:
    """A command to type, and at the right edge a word about it."""
    room = width - 2 - cells(command) - cells(why)
    line = "  " + ink(command, "command")
    if not why:
        return [line]
    return [f"{line}{' ' * room}{why}"] if room >= 3 else [line, f"  {why}"]


def commands(found: Sequence[tuple[str, str]], width: int, ink: Style, margin: str) -> list[str]:
    """Commands one below the other, each with its word beside it, or below when the screen is narrow."""
    room = max(cells(command) for command, _ in found)
    beside = len(margin) + room + 4 + max(cells(word) for _, word in found) <= width
    lines: list[str] = []
    for command, word in found:
        painted = margin + ink(command, "command")
        if beside:
            lines.append(f"{painted}{' ' * (room - cells(command) + 4)}{word}")
        else:
            lines += [painted, f"{margin}  {word}"]
    return lines
