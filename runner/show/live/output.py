"""Writes to a terminal or a pipe from a thread of its own: a slow, full or closed reader never holds up a run."""

import atexit
import os
import threading
from collections import deque
from time import sleep
from typing import TextIO

from runner.show.text.escape import in_ascii

_TICK = 0.02
"""Seconds between two looks at whether a reader still reads."""


class BackgroundWriter:
    """Lines in order, as long as somebody reads; afterwards they go nowhere, quietly."""

    def __init__(self, stream: TextIO, patience: float = 5.0) -> None:
        """`patience`: seconds that `close` waits for a reader that takes nothing."""
        self._sheet = OutputStream(stream)
        self._patience = patience
        # what is shared with the writing thread: the texts to be written, and whether more will come
        self._waiting: deque[str] = deque()
        self._open = True
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="pen", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # whoever forgets to close it loses no line

    def write(self, text: str) -> None:
        """Takes the text and returns at once."""
        with self._turn:
            if not self._sheet.closed:
                self._waiting.append(text)
                self._turn.notify()

    def close(self) -> None:
        """Waits until all is read, or the reader has taken nothing for as long as the pen has patience."""
        atexit.unregister(self.close)
        with self._turn:
            self._open = False
            self._turn.notify()
        seen, idle = -1, 0.0
        while self._thread.is_alive() and idle <= self._patience:
            self._thread.join(_TICK)
            idle = 0.0 if self._sheet.written != seen else idle + _TICK
            seen = self._sheet.written

    def _write_all(self) -> None:
        while text := self._next():
            self._sheet.write(text)
            if self._sheet.closed:
                break
        self._sheet.close()

    def _next(self) -> str:
        """All that waits, together; empty at the end."""
        with self._turn:
            self._turn.wait_for(lambda: self._waiting or not self._open)
            text = "".join(self._waiting)
            self._waiting.clear()
        return text


class OutputStream:
    """What is written on: past the stream's own buffer where it has a file, so that no lock of it is ever held."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self.written = 0
        """Bytes that were taken."""
        self.closed = False
        """Nobody reads any more."""
        try:
            stream.flush()
            # a number of its own: should the stream be closed while a write hangs, it hits no other file
            self._file: int | None = os.dup(stream.fileno())
        except (OSError, ValueError):
            self._file = None

    @property
    def ascii(self) -> bool:
        """Whether our own signs have to be spelled by look-alikes."""
        return "utf" not in self._encoding.casefold()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal, as they are now; 80 and 24 when it does not say."""
        try:
            columns, lines = os.get_terminal_size(self._file if self._file is not None else -1)
        except OSError:
            return 80, 24
        return columns or 80, lines or 24

    def write(self, text: str) -> None:
        """Writes all of it, or notes that nobody reads."""
        if self.closed:
            return
        if self.ascii:
            text = in_ascii(text)
        try:
            self._put(text)
        except (OSError, ValueError):
            self.closed = True

    def close(self) -> None:
        """Nothing more will be put."""
        self.closed = True
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _put(self, text: str) -> None:
        if self._file is None:
            self._stream.write(text)
            self.written += len(text)
            return
        rest = text.encode(self._encoding, "backslashreplace")
        while rest:
            try:
                taken = os.write(self._file, rest)
            except BlockingIOError:  # the other side made the pipe non-blocking
                sleep(0.05)
                continue
            self.written += taken
            rest = rest[taken:]
