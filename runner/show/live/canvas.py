"""Draws frames over each other where the cursor stands, and gives the terminal back as it was."""

import re
from collections.abc import Sequence

from runner.show.live.output import OutputStream
from runner.show.text.cells import width as cells

_PAINT = re.compile("\x1b\\[[0-9;]*m")
_HIDE, _SHOW, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[?25l", "\x1b[?25h", "\x1b[K", "\x1b[J"


class TerminalCanvas:
    """The last frame's place on the terminal; what stands above it is left alone."""

    def __init__(self, sheet: OutputStream) -> None:
        self._sheet = sheet
        self._drawn: list[int] | None = None
        """Cells of each line of the last frame; None before the first."""
        self._last: tuple[tuple[int, int], list[str]] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines for a frame: one less than the terminal has, so that nothing wraps or scrolls."""
        columns, lines = self._sheet.size
        return max(1, columns - 1), max(1, lines - 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Puts a frame in the place of the last; one that is the same is not drawn again."""
        frame = (self._sheet.size, list(lines))
        if frame == self._last:
            return
        start = _HIDE if self._drawn is None else self._back()
        self._sheet.write(start + "".join(f"{line}{_REST_OF_LINE}\n" for line in lines) + _REST_OF_SCREEN)
        self._drawn, self._last = [cells(_PAINT.sub("", line)) for line in lines], frame

    def clear(self) -> None:
        """Takes the last frame away, and shows the cursor again."""
        if self._drawn is not None:
            self._sheet.write(self._back() + _REST_OF_SCREEN + _SHOW)
        self._drawn = self._last = None

    def _back(self) -> str:
        """To the first line of the last frame, which a terminal that became narrower has wrapped."""
        columns, _ = self._sheet.size
        rows = sum(max(1, -(-width // columns)) for width in self._drawn or ())
        return f"\x1b[{rows}A\r" if rows else "\r"
