"""The screen of `cut --from`: the section to paste, or that it was written; what a cut cannot say."""

from collections.abc import Sequence

from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count
from runner.show.text.layout import LABEL, labelled, labelled_lines
from runner.show.text.style import Style


def pasted_section(section: str) -> str:
    """The section alone, to be pasted or redirected into a file."""
    return "".join(f"{escape_terminal(line)}\n" for line in section.splitlines())


def written_section(storyboard: str, entries: int, width: int, color: bool, *, lost_comments: bool) -> str:
    """The storyboard that has the section now, and the commands that show it."""
    style = Style(color)
    name = escape_terminal(storyboard)
    lines = labelled_lines("written", [name], style, "strong", LABEL)
    facts = f"cut: {count(entries, 'entry', 'entries')}; no other byte of the file changed"
    lines += labelled("", facts, width, style, label_cells=LABEL)
    if lost_comments:
        lines += labelled("note", "the comments in the old section are gone; git has them", width, style, "warn", LABEL)
    return "\n".join(lines) + "\n"


def edit_notes(notes: Sequence[str], width: int, color: bool) -> str:
    """The parts of the timeline that a cut cannot say, one note a line."""
    style = Style(color)
    lines = [line for note in notes for line in labelled("note", one_line(note, 300), width, style, "warn", LABEL)]
    return "".join(f"{line}\n" for line in lines)
