"""The notes that a command prints to standard error, beside its result."""

import sys

from runner.show.text.message import message_lines
from runner.show.text.terminal import terminal_width


def note(message: str) -> None:
    """Print a note: wrapped by words on a terminal, a command to copy in a line of its own."""
    width = terminal_width(sys.stderr) if sys.stderr.isatty() else None
    print(*message_lines(message, width), sep="\n", file=sys.stderr)
