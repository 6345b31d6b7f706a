"""A command that a test leaves running: forked from the prepared program, in the words of `subprocess.Popen`."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TextIO

from tests import prepared


class RunningCommand:
    """`storyboard WORDS` without input; its output and errors are read from pipes."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.stdout, output = _pipe()
        self.stderr, errors = _pipe()
        self.returncode: int | None = None
        with open(os.devnull) as nothing:
            streams = (nothing.fileno(), output, errors)
            self._process = prepared.program().start(words, folder, environment, streams)
        os.close(output)
        os.close(errors)
        self.pid = self._process.pid
        self.send_signal = self._process.send_signal
        self.terminate = self._process.terminate
        self.kill = self._process.kill

    def __enter__(self) -> "RunningCommand":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.stdout.close()
        self.stderr.close()
        self.wait()

    def poll(self) -> int | None:
        """The exit code of a command that has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return None
        return self.wait()

    def wait(self, timeout: float = 60) -> int:
        """The exit code, negative if a signal ended the command; TimeoutError after so many seconds."""
        self.returncode = self._process.wait(timeout)
        return self.returncode

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """What it still writes, to its end; TimeoutError after so many seconds, and then it is killed."""
        with ThreadPoolExecutor(2) as readers:
            texts = [readers.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                out, err = (text.result(timeout) for text in texts)
            except TimeoutError:
                self.kill()
                raise
        self.stdout.close()
        self.stderr.close()
        self.wait(timeout)
        return out, err


def _pipe() -> tuple[TextIO, int]:
    """The reading end, as text, and the writing one."""
    reader, writer = os.pipe()
    return os.fdopen(reader, encoding="utf-8"), writer
