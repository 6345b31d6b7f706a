"""Notes on standard error while a command goes on."""

import sys

from runner.show.text.escape import escape_terminal


def note(message: str) -> None:
    """Print a note, on one line."""
    print(f"storyboard: {escape_terminal(message)}", file=sys.stderr)
