"""Terminal animation: draws each frame over the last and restores the cursor at the end."""

from collections.abc import Sequence

from runner.lazy_pattern import lazy_pattern
from runner.show.live.output import OutputStream
from runner.show.text.cells import width as cells

# Colours take no cells.
_PAINT = lazy_pattern("\x1b\\[[0-9;]*m")
# The cursor off and on; what lies behind it on the line, and on the screen, erased.
_HIDE, _SHOW, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[?25l", "\x1b[?25h", "\x1b[K", "\x1b[J"


class TerminalCanvas:
    """The area of the terminal that holds the current frame; lines above it are never touched."""

    def __init__(self, output: OutputStream) -> None:
        self._output = output
        self._line_widths: list[int] | None = None
        """Width in cells of each line of the last frame; None before the first frame."""
        self._last_frame: tuple[tuple[int, int], list[str]] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of a frame: one less than the terminal has, so that nothing wraps or scrolls."""
        columns, lines = self._output.size
        return max(1, columns - 1), max(1, lines - 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw a frame over the last one, unless both are equal."""
        # The size belongs to it: a narrower window has wrapped the lines, and the same frame has to be drawn anew.
        frame = (self._output.size, list(lines))
        if frame == self._last_frame:
            return
        start = _HIDE if self._line_widths is None else self._to_frame_start()
        # Each line erases its own rest: a screen that is cleared first flickers.
        self._output.write(start + "".join(f"{line}{_REST_OF_LINE}\n" for line in lines) + _REST_OF_SCREEN)
        self._line_widths, self._last_frame = [cells(_PAINT.sub("", line)) for line in lines], frame

    def clear(self) -> None:
        """Erase the last frame and show the cursor again."""
        if self._line_widths is not None:
            self._output.write(self._to_frame_start() + _REST_OF_SCREEN + _SHOW)
        self._line_widths = self._last_frame = None

    def _to_frame_start(self) -> str:
        """Control sequence to the first line of the last frame, whose lines a narrowed terminal may have wrapped."""
        columns, _ = self._output.size
        rows = sum(max(1, -(-width // columns)) for width in self._line_widths or ())
        return f"\x1b[{rows}A\r" if rows else "\r"
