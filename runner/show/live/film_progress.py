"""One line that says how far the making of a film is, on a terminal only."""

from fractions import Fraction
from types import TracebackType
from typing import TextIO

from runner.show.text.format import length


class FilmProgress:
    """Context manager: the line is written over, and taken away at the end."""

    __slots__ = ("_is_shown", "_label", "_last", "_stream")

    def __init__(self, stream: TextIO, label: str, *, is_shown: bool) -> None:
        self._stream = stream
        self._label = label
        self._is_shown = is_shown and stream.isatty()
        self._last = ""

    def on_progress(self, done: Fraction, total: Fraction) -> None:
        """Show how many seconds of the film are written."""
        text = f"  {self._label}  {length(float(done))} of {length(float(total))}"
        # Called twice for each second of film; the text changes once.
        if self._is_shown and text != self._last:
            self._last = text
            self._write(f"\r{text}\x1b[K")

    def __enter__(self) -> "FilmProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        # A terminal that was closed ends the line, and not the film.
        except OSError:
            self._is_shown = False
