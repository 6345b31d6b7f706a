"""Task ids, each synced to disk as the very first thing after its answer: one file a run, which is also its lock."""

import contextlib
import json
import os
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode
from runner.store.durability import sync_above
from runner.store.locks import RUNS, open_file, try_lock

_RESERVED_BYTES = 64 * 1024
"""Bytes that are there before anything is paid, so that a full disk still takes task ids."""

_STALE_SECONDS = 3600.0


class Receipts:
    """The receipts file of one living run; its lock says that the run lives."""

    def __init__(self, state: Path, run: str) -> None:
        self.path = state / RUNS / run
        temporary = state / f"new-run-{run}"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = open_file(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if not try_lock(self._file):  # before it has its name: one without its lock is taken for a dead run's
                raise CommandError(
                    ExitCode.INVALID, f"{state} is on a disk without locks: set STORYBOARD_STATE to a local one"
                )
            os.pwrite(self._file, bytes(_RESERVED_BYTES), 0)
            os.fsync(self._file)
            temporary.rename(self.path)
            sync_above(self.path, top=state)
        except OSError as error:
            raise CommandError(ExitCode.INVALID, f"no receipts can be kept in {state}: {error.strerror}") from error
        self._end = 0

        _remove_stale_files(state)

    def write(self, attempt: str, task_id: str, at: str) -> None:
        """One line, on disk when this returns; OSError when it is not."""
        line = json.dumps({"attempt": attempt, "task": task_id, "at": at}).encode() + b"\n"
        os.pwrite(self._file, line, self._end)
        os.fdatasync(self._file)
        self._end += len(line)

    def close(self, complete: bool) -> None:
        """Lets the lock go; the file itself goes when the ledger has all that stands in it."""
        if complete:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def read_receipts(path: Path) -> list[tuple[str, str, str]]:
    """What stands in a receipts file; a line that was cut off in the middle of writing is none."""
    try:
        text = path.read_bytes().split(b"\0", 1)[0]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"the receipts in {path} cannot be read: {error.strerror}") from error
    receipts = []
    for line in text.split(b"\n"):
        try:
            fields = json.loads(line)
            receipts.append((str(fields["attempt"]), str(fields["task"]), str(fields["at"])))
        except (ValueError, TypeError, KeyError):
            continue
    return receipts


def _remove_stale_files(state: Path) -> None:
    """Takes away what processes left that were killed while they began, an hour ago or more."""
    newest = (state / RUNS).stat().st_mtime - _STALE_SECONDS
    for path in state.glob("new-*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < newest:
                path.unlink()
