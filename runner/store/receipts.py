"""Receipts: task ids, synced to disk before anything else; one file for each run, which is also the run's lock."""

import contextlib
import json
import os
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode
from runner.store.durability import sync_above
from runner.store.locks import RUNS, open_file, try_lock

_RESERVED_BYTES = 64 * 1024
"""Bytes written before anything is paid, so that task ids fit on a full disk."""

_STALE_SECONDS = 3600.0
"""Age after which the files of a killed start are deleted; a start takes far less."""


class Receipts:
    """The receipts file of one run; its lock shows other processes that the run is still going."""

    def __init__(self, state: Path, run: str) -> None:
        self.path = state / RUNS / run
        temporary = state / f"new-run-{run}"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = open_file(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if not try_lock(self._file):  # before the rename: an unlocked receipts file counts as a dead run's
                raise CommandError(
                    ExitCode.INVALID, f"the disk of {state} has no file locks: set STORYBOARD_STATE to a local disk"
                )
            os.pwrite(self._file, bytes(_RESERVED_BYTES), 0)
            os.fsync(self._file)
            temporary.rename(self.path)
            sync_above(self.path, top=state)
        except OSError as error:
            raise CommandError(ExitCode.INVALID, f"cannot write receipts in {state}: {error.strerror}") from error
        self._end = 0

        _remove_stale_files(state)

    def write(self, attempt: str, task_id: str, at: str) -> None:
        """Append one receipt, which is on disk on return. OSError on failure."""
        line = json.dumps({"attempt": attempt, "task": task_id, "at": at}).encode() + b"\n"
        os.pwrite(self._file, line, self._end)
        os.fdatasync(self._file)
        self._end += len(line)

    def close(self, complete: bool) -> None:
        """Release the lock; `complete` (the ledger has every task id of the file) deletes the file, too."""
        if complete:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def read_receipts(path: Path) -> list[tuple[str, str, str]]:
    """The receipts (attempt, task id, time) of a file; an incomplete line is skipped."""
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
    """Delete files of processes that were killed while starting, an hour ago or more."""
    newest = (state / RUNS).stat().st_mtime - _STALE_SECONDS
    for path in state.glob("new-*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < newest:
                path.unlink()
