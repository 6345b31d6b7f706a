"""The journal of a state folder: one append-only file of JSON lines, shared by all servers of the folder."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.requests.request import JsonValue

Line = Mapping[str, JsonValue]
NAME = "journal-1.jsonl"


class Journal:
    """The journal as one server sees it: reads lines of others, adds own ones; a kill costs at most the last line."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / NAME
        self._file = self._open()
        self._offset = 0

    def _open(self) -> int:
        """Open the journal; a compacted file may have replaced it during the wait for the lock, then open again."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            is_current = self.path.stat().st_ino == os.fstat(file).st_ino
            fcntl.flock(file, fcntl.LOCK_UN)
            if is_current:
                return file
            os.close(file)

    def close(self) -> None:
        os.close(self._file)

    def read_new(self) -> list[Line]:
        """The complete lines since the last read."""
        size = os.fstat(self._file).st_size
        if size <= self._offset:
            return []
        chunk = os.pread(self._file, size - self._offset, self._offset)
        # A line that another server is just writing is read the next time.
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(_lines(whole))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Context manager: an exclusive lock; read new lines inside before deciding."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # after `shorten` the lock of another file: harmless

    def append(self, lines: list[Line]) -> None:
        """Append lines, inside `locked` only; a half line of a killed writer is closed with a newline first."""
        size = os.fstat(self._file).st_size
        ends_torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        data = (b"\n" if ends_torn else b"") + text.encode()
        # A write may take only a part, as on a disk that is nearly full.
        while data:
            data = data[os.write(self._file, data) :]

    def size(self) -> int:
        """Size of the journal in bytes."""
        return os.fstat(self._file).st_size

    def shorten(self, keep: Callable[[Line], bool]) -> None:
        """Drop expired lines; inside `locked` only, and only while no other server uses the folder."""
        remaining = [line for line in _lines(os.pread(self._file, self.size(), 0)) if keep(line)]
        part = self.path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in remaining)
        part.replace(self.path)
        os.close(self._file)  # also drops the lock: a waiting server finds another file under the name and opens that
        self._file = self._open()
        self._offset = 0


def _lines(data: bytes) -> Iterator[Line]:
    for line in data.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue  # half a line of a killed server
        if isinstance(value, dict):
            yield value
