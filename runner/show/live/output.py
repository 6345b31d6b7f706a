"""Output to a terminal or a pipe from a background thread: a slow, stopped or closed reader never delays a run."""

import atexit
import os
import threading
from collections import deque
from time import sleep
from typing import TextIO

from runner.show.text.escape import in_ascii
from runner.streams import note_failure

# Seconds between two checks whether the reader has taken more: short, since each run waits at its end.
_POLL_INTERVAL = 0.02


class BackgroundWriter:
    """Writes texts in order from a thread of its own; drops them silently once the reader has closed the stream."""

    def __init__(self, stream: TextIO, stall_timeout: float = 5.0) -> None:
        """`stall_timeout`: seconds that `close` waits for a reader that takes nothing."""
        self._output = OutputStream(stream)
        self._stall_timeout = stall_timeout
        # shared with the writing thread: the texts to write, and whether more may follow
        self._pending: deque[str] = deque()
        self._accepting = True
        self._condition = threading.Condition()
        # A daemon: a write that hangs for ever must not keep a run that has ended from exiting.
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a caller that forgets to close loses no line

    def write(self, text: str) -> None:
        """Queue the text and return at once."""
        with self._condition:
            if not self._output.closed:
                self._pending.append(text)
                self._condition.notify()

    def close(self) -> None:
        """Wait until all texts are written, or until the reader has taken nothing for `stall_timeout` seconds."""
        atexit.unregister(self.close)
        with self._condition:
            self._accepting = False
            self._condition.notify()
        written, idle_seconds = -1, 0.0
        while self._thread.is_alive() and idle_seconds <= self._stall_timeout:
            self._thread.join(_POLL_INTERVAL)
            idle_seconds = 0.0 if self._output.written != written else idle_seconds + _POLL_INTERVAL
            written = self._output.written

    def _write_all(self) -> None:
        while text := self._take_pending():
            self._output.write(text)
            if self._output.closed:
                break
        self._output.close()

    def _take_pending(self) -> str:
        """Wait for queued texts and return all of them as one; empty at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._pending or not self._accepting)
            # All in one write: a slow reader falls behind by bytes, and never by calls.
            text = "".join(self._pending)
            self._pending.clear()
        return text


class OutputStream:
    """A text stream, written through its file descriptor where it has one, so that the stream's lock is never held."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self.written = 0
        """Bytes that the reader has taken; characters for a stream without a descriptor."""
        self.closed = False
        """The reader has closed the stream."""
        try:
            # What was printed before has to come first, and the descriptor knows nothing of the stream's buffer.
            stream.flush()
            # a duplicate: a stream closed while a write hangs must not free the number for another file
            self._descriptor: int | None = os.dup(stream.fileno())
        except (OSError, ValueError):
            self._descriptor = None

    @property
    def ascii(self) -> bool:
        """Whether the stream's encoding needs ASCII look-alikes in place of symbols such as `·` and `█`."""
        return "utf" not in self._encoding.casefold()

    @property
    def size(self) -> tuple[int, int]:
        """Current columns and lines of the terminal; 80 and 24 when it does not tell."""
        try:
            # -1 is no descriptor: the system's error then gives the usual size.
            columns, lines = os.get_terminal_size(self._descriptor if self._descriptor is not None else -1)
        except OSError:
            return 80, 24
        return columns or 80, lines or 24

    def write(self, text: str) -> None:
        """Write the whole text; a closed reader sets `closed`."""
        if self.closed:
            return
        if self.ascii:
            text = in_ascii(text)
        try:
            self._write_fully(text)
        except OSError as failure:
            self.closed = True
            note_failure(self._stream, failure)
        # Closed on our own side: there is no failure of a disk or a reader to report.
        except ValueError:
            self.closed = True

    def close(self) -> None:
        """Release the descriptor; later texts are dropped."""
        self.closed = True
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write_fully(self, text: str) -> None:
        if self._descriptor is None:
            self._stream.write(text)
            self.written += len(text)
            return
        rest = text.encode(self._encoding, "backslashreplace")
        while rest:
            try:
                written = os.write(self._descriptor, rest)
            except BlockingIOError:  # the other side made the pipe non-blocking
                sleep(0.05)
                continue
            self.written += written
            rest = rest[written:]
