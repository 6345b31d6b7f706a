"""The program within the process of the tests: words and exit codes for a tenth of what a process costs.

For commands that only read, or are refused before they do anything, in tests that are about neither processes, streams,
signals nor what might hang. `main` is that of the installed command; the folder, the environment and the standard
streams are those of the command.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runner.cli import main
from runner.files import nearest


def run(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`storyboard WORDS` in a folder, without input, to its end: exit code, output and errors."""
    output, errors = _stream("strict"), _stream("backslashreplace")
    with _surroundings(folder, environment), open(os.devnull) as nothing:
        inputs = sys.stdin
        sys.stdin = nothing
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                code = main(words)
        finally:
            sys.stdin = inputs
    return subprocess.CompletedProcess(["storyboard", *words], code, _text(output), _text(errors))


@contextlib.contextmanager
def _surroundings(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The folder and the environment of a command, and nothing that an earlier command remembers of the disk."""
    before, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    nearest._index.cache_clear()
    os.environ.clear()
    os.environ.update(environment)
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        signal.signal(signal.SIGTERM, handler)


def _stream(errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", errors, write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
