"""A message on standard error: wrapped by words on a terminal, commands to copy left whole."""

from runner.lazy_pattern import lazy_pattern
from runner.show.text.cells import wrap
from runner.show.text.escape import escape_terminal

# A line that is to be copied.
_COMMAND = lazy_pattern(r" +(storyboard|export|[A-Z_]+=\S*) ")


def message_lines(message: str, width: int | None) -> list[str]:
    """The lines of a message, control characters escaped; None as width breaks no line."""
    first, *others = message.splitlines() or [""]
    lines = [escape_terminal(line) for line in (f"storyboard: {first}", *others)]
    return lines if width is None else [part for line in lines for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    text = line.lstrip(" ")
    indent = len(line) - len(text)
    # A command that is broken cannot be copied; the terminal itself wraps it better.
    if len(line) <= width or _COMMAND.match(line):
        return [line]
    first, *rest = wrap(text, max(20, width - indent - 2))
    return [" " * indent + first, *(" " * (indent + 2) + part for part in rest)]
