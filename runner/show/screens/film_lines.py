"""The lines of a run's closing that say where the film lies, and those of `status` that say whether it is current."""

from collections.abc import Iterable

from runner.lazy_dataclass import dataclass
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.layout import labelled, labelled_lines
from runner.show.text.style import Style


@dataclass(frozen=True, slots=True)
class FilmLine:
    """A file to look at, a command that makes it, or a note on why there is none."""

    label: str
    """`watch`, `sheet` or `note`."""
    text: str
    """A path or a command as the user would type it; the sentence of a note."""
    facts: str = ""
    """`0:40 · encoded small, since 1 slate is in it`."""
    command: str = ""
    """The command of a note that helps, safe for a terminal."""
    is_command: bool = False
    """Whether `text` is a command, safe for a terminal."""


def film_lines(lines: Iterable[FilmLine], width: int, style: Style, label_cells: int) -> list[str]:
    """The lines in their order; a path or a command stands whole on its line, to be copied."""
    text: list[str] = []
    for line in lines:
        if line.label == "note":
            text += labelled("note", one_line(line.text, 400), width, style, "warn", label_cells)
        else:
            whole = style(line.text, "command") if line.is_command else escape_terminal(line.text)
            text += labelled_lines(line.label, [whole], style, "strong", label_cells)
        text += labelled("", line.facts, width, style, label_cells=label_cells) if line.facts else []
        text += (
            labelled_lines("", [style(line.command, "command")], style, label_cells=label_cells) if line.command else []
        )
    return text
