"""The live view of a run: a screen that moves on a terminal, a line an event elsewhere. It never stops a run."""

import threading
from collections.abc import Callable
from typing import Protocol, TextIO

from runner.clock import Clock
from runner.engine.run_events import RunEvent
from runner.show.json.run import event_json
from runner.show.live.canvas import TerminalCanvas
from runner.show.live.frame import frame
from runner.show.live.log import event_line, heartbeat, opening_line
from runner.show.live.output import BackgroundWriter, OutputStream
from runner.show.live.progress import Progress
from runner.show.text.escape import json_line
from runner.show.text.style import Style

HEARTBEAT = 60.0
"""Seconds of silence after which a log says that the run is still at work."""
_FRAMES = 0.5
"""Seconds between two frames."""


class View(Protocol):
    """Whoever is told what happens; telling returns at once and never raises for what the reader does."""

    def tell(self, event: RunEvent) -> None:
        """One more thing happened."""

    def stopping(self) -> None:
        """The first Ctrl-C: no new task is created."""

    def close(self) -> None:
        """The run is over; what was told is on the screen when this returns, if somebody reads."""


def view(stream: TextIO, progress: Progress, clock: Clock, *, terminal: bool, color: bool, quiet: bool = False) -> View:
    """The view that fits: `stream` is standard error, `terminal` whether a person's terminal shows it."""
    if terminal and not quiet:
        return TerminalView(stream, progress, clock, color)
    return PlainView(stream, progress, clock, quiet)


class PlainView:
    """One short line for each event that matters, and a sign of life each minute; `quiet` leaves what went wrong."""

    def __init__(self, stream: TextIO, progress: Progress, clock: Clock, quiet: bool = False) -> None:
        self._pen, self._progress, self._clock, self._quiet = BackgroundWriter(stream), progress, clock, quiet
        self._lock = threading.Lock()
        self._told = clock.monotonic()
        self._began = False
        self._beat = _Ticker(self._still, 1.0)

    def tell(self, event: RunEvent) -> None:
        with self._lock:
            self._progress.feed(event)
            if event.plan is not None and not self._began:
                self._began = True
                self._line(None if self._quiet else opening_line(self._progress))
            if not self._quiet or (
                event.event in ("failed", "refused", "unsettled", "warning") and not event.will_retry
            ):
                self._line(event_line(self._progress, event))

    def stopping(self) -> None:
        with self._lock:
            self._progress.stopping = True
            self._line("stopping: no new clip is begun, running ones are kept; Ctrl-C again leaves at once")

    def close(self) -> None:
        self._beat.stop()
        self._pen.close()

    def _line(self, line: str | None) -> None:
        if line is not None:
            self._told = self._clock.monotonic()
            self._pen.write(line + "\n")

    def _still(self) -> None:
        with self._lock:
            if not self._quiet and self._began and self._clock.monotonic() - self._told >= HEARTBEAT:
                self._line(heartbeat(self._progress, self._clock.now()))


class JsonView:
    """Each event as one JSON line; beside it, perhaps, another view for people."""

    def __init__(self, stream: TextIO, beside: View | None = None) -> None:
        self._pen, self._beside = BackgroundWriter(stream), beside

    def tell(self, event: RunEvent) -> None:
        self._pen.write(json_line(event_json(event)) + "\n")
        if self._beside is not None:
            self._beside.tell(event)

    def stopping(self) -> None:
        if self._beside is not None:
            self._beside.stopping()

    def close(self) -> None:
        self._pen.close()
        if self._beside is not None:
            self._beside.close()


class TerminalView:
    """The screen that moves; drawn by a thread of its own, so that a stopped terminal stops nothing else."""

    def __init__(self, stream: TextIO, progress: Progress, clock: Clock, color: bool) -> None:
        self._sheet = OutputStream(stream)
        self._canvas = TerminalCanvas(self._sheet)
        self._progress, self._clock, self._ink = progress, clock, Style(color)
        self._lock = threading.Lock()
        self._beat = _Ticker(self._draw, _FRAMES, last=self._end)

    def tell(self, event: RunEvent) -> None:
        with self._lock:
            self._progress.feed(event)

    def stopping(self) -> None:
        with self._lock:
            self._progress.stopping = True

    def close(self) -> None:
        self._beat.stop()

    def _draw(self) -> None:
        columns, lines = self._canvas.size
        with self._lock:
            shown = frame(self._progress, self._clock.now(), columns, lines, self._ink)
        self._canvas.draw(shown)

    def _end(self) -> None:
        self._canvas.clear()
        self._sheet.close()


class _Ticker:
    """Calls something again and again in a thread of its own, until it is stopped."""

    def __init__(self, act: Callable[[], None], every: float, last: Callable[[], None] | None = None) -> None:
        self._act, self._every, self._last = act, every, last
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last act is done, or after two seconds when the terminal takes nothing."""
        self._end.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._end.wait(self._every):
            self._act()
        if self._last is not None:
            self._last()
