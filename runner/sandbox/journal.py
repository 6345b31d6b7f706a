"""The sandbox's memory: one file of lines that are only appended, shared by every server on the same folder."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.request import Plain

Line = Mapping[str, Plain]
NAME = "journal-1.jsonl"


class Journal:
    """Reads what others wrote since the last look, and appends; a kill in the middle costs at most the last line."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / NAME
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._read = 0

    def close(self) -> None:
        os.close(self._file)

    def news(self) -> list[Line]:
        """Whole lines that were not read before."""
        size = os.fstat(self._file).st_size
        if size <= self._read:
            return []
        chunk = os.pread(self._file, size - self._read, self._read)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._read += len(whole)
        return list(_lines(whole))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else appends meanwhile; look at the news inside before deciding anything."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def append(self, lines: list[Line]) -> None:
        """Inside `held` only. What a killed writer left half written is closed off first."""
        size = os.fstat(self._file).st_size
        torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        data = (b"\n" if torn else b"") + text.encode()
        while data:
            data = data[os.write(self._file, data) :]


def _lines(whole: bytes) -> Iterator[Line]:
    for line in whole.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue  # half a line of a killed server
        if isinstance(value, dict):
            yield value
