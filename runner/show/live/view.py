"""The live view of a run: an animated screen on a terminal, log lines elsewhere. A view never stops a run."""

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
"""Seconds without a line after which the log says that the run is still working."""
# Seconds between two frames: clocks on the screen count whole seconds, and drawing costs CPU.
_FRAMES = 0.5


class View(Protocol):
    """A display of run events; its methods return at once and never raise because of the reader."""

    def on_event(self, event: RunEvent) -> None:
        """Show one more event."""

    def stopping(self) -> None:
        """Show that after the first Ctrl-C no new task is created."""

    def close(self) -> None:
        """End the display; every event is on the screen when this returns, if the reader still reads."""


def view(stream: TextIO, progress: Progress, clock: Clock, *, terminal: bool, color: bool, quiet: bool = False) -> View:
    """The view for `stream` (standard error): animated if `terminal` says that a person's terminal shows it."""
    if terminal and not quiet:
        return TerminalView(stream, progress, clock, color)
    return PlainView(stream, progress, clock, quiet)


class PlainView:
    """A log: one short line for each important event and a heartbeat each minute; `quiet` leaves failures only."""

    def __init__(self, stream: TextIO, progress: Progress, clock: Clock, quiet: bool = False) -> None:
        self._writer, self._progress, self._clock, self._quiet = BackgroundWriter(stream), progress, clock, quiet
        self._lock = threading.Lock()
        self._last_line_at = clock.monotonic()
        self._is_open = False
        # Looks once a second, so that a heartbeat is at most that late.
        self._ticker = _Ticker(self._write_heartbeat, 1.0)

    def on_event(self, event: RunEvent) -> None:
        with self._lock:
            self._progress.apply(event)
            if event.plan is not None and not self._is_open:
                self._is_open = True
                self._write_line(None if self._quiet else opening_line(self._progress))
            if not self._quiet or (
                event.event in ("failed", "refused", "unsettled", "warning") and not event.will_retry
            ):
                self._write_line(event_line(self._progress, event))

    def stopping(self) -> None:
        with self._lock:
            self._progress.stopping = True
            # Also when quiet: it answers the key that the user has just pressed, and says what a second one does.
            self._write_line("stopping: no new clips; running ones are kept. Ctrl-C again exits at once")

    def close(self) -> None:
        self._ticker.stop()
        self._writer.close()

    def _write_line(self, line: str | None) -> None:
        if line is not None:
            self._last_line_at = self._clock.monotonic()
            self._writer.write(line + "\n")

    def _write_heartbeat(self) -> None:
        with self._lock:
            if not self._quiet and self._is_open and self._clock.monotonic() - self._last_line_at >= HEARTBEAT:
                self._write_line(heartbeat(self._progress, self._clock.now()))


class JsonView:
    """Each event as one JSON line, with an optional second view for people."""

    def __init__(self, stream: TextIO, human_view: View | None = None) -> None:
        self._writer, self._human_view = BackgroundWriter(stream), human_view

    def on_event(self, event: RunEvent) -> None:
        if event.event != "waiting":  # no public event: pauses are for the live view
            self._writer.write(json_line(event_json(event)) + "\n")
        if self._human_view is not None:
            self._human_view.on_event(event)

    def stopping(self) -> None:
        if self._human_view is not None:
            self._human_view.stopping()

    def close(self) -> None:
        self._writer.close()
        if self._human_view is not None:
            self._human_view.close()


class TerminalView:
    """The animated screen, drawn by a thread of its own, so that a stopped terminal stops nothing else."""

    def __init__(self, stream: TextIO, progress: Progress, clock: Clock, color: bool) -> None:
        self._output = OutputStream(stream)
        self._canvas = TerminalCanvas(self._output)
        self._progress, self._clock, self._style = progress, clock, Style(color)
        self._lock = threading.Lock()
        self._ticker = _Ticker(self._draw, _FRAMES, last_action=self._end)

    def on_event(self, event: RunEvent) -> None:
        with self._lock:
            self._progress.apply(event)

    def stopping(self) -> None:
        with self._lock:
            self._progress.stopping = True

    def close(self) -> None:
        self._ticker.stop()

    def _draw(self) -> None:
        columns, lines = self._canvas.size
        with self._lock:
            drawing = frame(self._progress, self._clock.now(), columns, lines, self._style)
        # Outside the lock: a stopped terminal (Ctrl-S) blocks this write; it must not block `on_event` and so the run.
        self._canvas.draw(drawing)

    def _end(self) -> None:
        self._canvas.clear()
        self._output.close()


class _Ticker:
    """Calls an action at an interval from a thread of its own, until stopped."""

    def __init__(
        self, action: Callable[[], None], interval: float, last_action: Callable[[], None] | None = None
    ) -> None:
        self._action, self._interval, self._last_action = action, interval, last_action
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for the last action; give up after two seconds if the terminal takes nothing."""
        self._end.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._end.wait(self._interval):
            self._action()
        if self._last_action is not None:
            self._last_action()
