"""The standard streams of the process: a missing one is opened, and a write that fails is noted and ends nothing."""

import io
import os
import sys
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

# Until a terminal that takes nothing now is asked again.
_RETRY_SECONDS = 0.05


def open_missing() -> None:
    """Open /dev/null for each standard descriptor that is closed; else the next file, the ledger, would get it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")


class NotedOutput(io.RawIOBase):
    """A descriptor for output; from the first write that fails, all output is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None
        """The first failure of a write; the other side that closed a pipe is one, too."""

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: "Any", /) -> int:
        view = memoryview(data)
        while self.failure is None:
            try:
                return os.write(self._descriptor, view)
            except BlockingIOError:  # the other side made the pipe non-blocking
                sleep(_RETRY_SECONDS)
            except OSError as failure:
                self.failure = failure
        return view.nbytes


def protect() -> NotedOutput:
    """Replace standard output and standard error by streams whose writes never raise; return that of the output.

    The interpreter's own streams remain in `sys.__stdout__` and `sys.__stderr__`, so that no descriptor is closed.
    """
    output, errors = NotedOutput(1), NotedOutput(2)
    sys.stdout = _text_stream(output, sys.stdout)
    sys.stderr = _text_stream(errors, sys.stderr, unbuffered=True)
    return output


def _text_stream(raw: NotedOutput, old: "TextIO | None", *, unbuffered: bool = False) -> io.TextIOWrapper:
    encoding = getattr(old, "encoding", None) or "utf-8"
    is_line_buffered = unbuffered or raw.isatty() or getattr(old, "write_through", False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=is_line_buffered)


def note_failure(stream: "TextIO", failure: OSError) -> None:
    """Note a failure of a write to the descriptor of a stream, if the stream notes failures."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    if isinstance(raw, NotedOutput) and raw.failure is None:
        raw.failure = failure


def lost_output(output: NotedOutput) -> str | None:
    """The reason why output is lost, None if none is; a reader that has closed its pipe wanted no more."""
    sys.stdout.flush()
    sys.stderr.flush()
    failure = output.failure
    return None if failure is None or isinstance(failure, BrokenPipeError) else failure.strerror or str(failure)
