"""The screens of `cut`, `sheet`, `dailies` and `timeline`: the files, and what a viewer should know of them."""

from collections.abc import Sequence
from decimal import Decimal

from runner.attempts.film import FilmName
from runner.lazy_dataclass import dataclass
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, length
from runner.show.text.layout import LABEL, labelled, labelled_lines
from runner.show.text.style import Style

# Shots without a clip that a line names, each with its reason.
_MOST_MISSING = 8


@dataclass(frozen=True, slots=True)
class FilmFile:
    """A file that shows a film."""

    label: str
    """`watch`, `sheet`, `dailies` or `timeline`."""
    film: FilmName
    path: str
    """As the user would type it."""
    seconds: Decimal
    facts: tuple[str, ...] = ()
    """`854 × 480 at 24 fps`, `pictures not encoded again`."""
    notes: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    """Shots without a clip, and why."""


def film_files(files: Sequence[FilmFile], width: int, color: bool, next_command: str = "") -> str:
    """A block for each file: its path, length and facts, then notes and missing clips; then the command that helps."""
    style = Style(color)
    lines: list[str] = []
    for file in files:
        if lines:
            lines.append("")
        lines += labelled_lines(file.label, [escape_terminal(file.path)], style, "strong", LABEL)
        facts = " · ".join((length(file.seconds), *file.facts))
        lines += labelled("", facts, width, style, label_cells=LABEL)
        for note in file.notes:
            lines += labelled("note", one_line(note, 300), width, style, "warn", label_cells=LABEL)
        lines += _missing(file, width, style)
    if next_command:
        command = style(escape_terminal(next_command), "command")
        lines += ["", *labelled_lines("next", [command], style, label_cells=LABEL)]
    return "\n".join(lines) + "\n"


def _missing(file: FilmFile, width: int, style: Style) -> list[str]:
    if not file.missing:
        return []
    named = [f"{shot} ({reason})" for shot, reason in file.missing[:_MOST_MISSING]]
    if len(file.missing) > _MOST_MISSING:
        named.append(f"and {len(file.missing) - _MOST_MISSING} more")
    text = f"{count(len(file.missing), 'clip')}: {', '.join(named)}"
    return labelled("missing", one_line(text, 1000), width, style, "warn", label_cells=LABEL)
