"""The sandbox's memory: one file of lines that are only appended, shared by every server on the same folder."""

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
    """Reads what others wrote since the last look, and appends; a kill in the middle costs at most the last line."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / NAME
        self._file = self._open()
        self._read = 0

    def _open(self) -> int:
        """The file that has the name now: while we waited for its lock it may have been replaced by a shorter one."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            current = self.path.stat().st_ino == os.fstat(file).st_ino
            fcntl.flock(file, fcntl.LOCK_UN)
            if current:
                return file
            os.close(file)

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
            fcntl.flock(self._file, fcntl.LOCK_UN)  # another file's than the one locked, after `shorten`: no harm

    def append(self, lines: list[Line]) -> None:
        """Inside `held` only. What a killed writer left half written is closed off first."""
        size = os.fstat(self._file).st_size
        torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        data = (b"\n" if torn else b"") + text.encode()
        while data:
            data = data[os.write(self._file, data) :]

    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._file).st_size

    def shorten(self, keep: Callable[[Line], bool]) -> None:
        """Inside `held` only, and only while no other server is on this folder: lets go of lines that are past."""
        kept = [line for line in _lines(os.pread(self._file, self.size(), 0)) if keep(line)]
        part = self.path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in kept)
        part.replace(self.path)
        os.close(self._file)  # and with it the lock: who waits for it finds that the name is another file's
        self._file = self._open()
        self._read = 0


def _lines(whole: bytes) -> Iterator[Line]:
    for line in whole.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue  # half a line of a killed server
        if isinstance(value, dict):
            yield value
