"""The terminal: how wide a screen may be, and whether colours are shown."""

import os
import sys
from contextlib import suppress
from typing import TextIO


def use_color(stream: object, no_color: bool) -> bool:
    """Whether to colour the text that goes to a stream; `no_color` is the flag of that name."""
    from runner.settings import settings

    is_terminal = getattr(stream, "isatty", bool)()
    return bool(is_terminal) and not no_color and not settings.no_color()


def terminal_width(stream: TextIO | None = None) -> int:
    """The width of the screen in columns: what `COLUMNS` says, the stream's own (standard output's), or 100."""
    from runner.settings.environment import columns as wanted_columns

    # As `shutil.get_terminal_size`, whose import costs a small command several milliseconds.
    columns = wanted_columns()
    shown_on = stream or sys.__stdout__
    if columns <= 0 and shown_on is not None:
        with suppress(ValueError, OSError):
            columns = os.get_terminal_size(shown_on.fileno()).columns
    # The width for which the screens are drawn: a pipe has none of its own.
    return columns if columns > 0 else 100
