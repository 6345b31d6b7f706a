"""Locks of the operating system: one for each output, one for each running run; process ids are never used."""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.diagnostics.failures import LedgerUnusable, OutputLocked

_OUTPUTS = "outputs"
RUNS = "runs"
STATE = "STORYBOARD_STATE"
"""The environment variable that sets the state folder."""


def open_file(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open a private file whose descriptor no child process inherits."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int) -> bool:
    """Try to lock an open file without waiting; the lock ends with the process, however the process ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # On NFS Linux turns `flock` into an `fcntl` lock, which POSIX lets fail with either.
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


# Age of a temporary file that no run can be about to rename any more.
_STALE_SECONDS = 3600.0


class RunLock:
    """The file of one living run; its lock says that the run lives."""

    def __init__(self, state: Path, run: str) -> None:
        self.path = state / RUNS / run
        temporary = state / f"new-run-{run}"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = open_file(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if not try_lock(self._file):  # before it has its name: one without its lock is taken for a dead run's
                raise LedgerUnusable(f"{state} is on a disk without locks: set {STATE} to a local one")
            temporary.rename(self.path)
        except OSError as error:
            raise LedgerUnusable(f"no run can begin in {state}: {error.strerror}") from error
        _remove_stale_files(state)

    def close(self) -> None:
        """Remove the file of a run that has ended, and release its lock."""
        remove_run_file(self.path)
        os.close(self._file)


def remove_run_file(path: Path) -> None:
    """Remove the file of a run that has ended; one that the disk keeps is taken for a dead run's, and tried again."""
    with contextlib.suppress(OSError):
        path.unlink()


def _remove_stale_files(state: Path) -> None:
    """Remove the temporary files of processes that were killed an hour ago or more while they began."""
    newest = (state / RUNS).stat().st_mtime - _STALE_SECONDS
    for path in state.glob("new-*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < newest:
                path.unlink()


def wait_for_lock(descriptor: int) -> None:
    """Take the lock of an open file, once nobody else has it. OSError."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextlib.contextmanager
def lock_outputs(state: Path, outputs: Iterable[Path]) -> Iterator[None]:
    """Context manager: hold the locks of all outputs; `OutputLocked` when another run holds one."""
    descriptors: list[int] = []
    try:
        _lock_all(state / _OUTPUTS, outputs, descriptors)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _lock_all(folder: Path, outputs: Iterable[Path], descriptors: list[int]) -> None:
    """Lock all outputs in sorted order; `descriptors` also has the locks acquired before a failure."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Sorted, so that two runs with several outputs cannot wait for each other; resolved, since a link is the same
        # output.
        for output in sorted({os.path.realpath(output) for output in outputs}):
            descriptor = open_file(folder / _lock_name(output))
            descriptors.append(descriptor)
            if not try_lock(descriptor):
                raise OutputLocked(output)
    except OSError as error:
        message = f"cannot lock files in {folder} ({error.strerror}): set {STATE} to a folder on a local disk"
        raise LedgerUnusable(message) from error


@contextlib.contextmanager
def lock_manifest(state: Path, output: Path) -> Iterator[None]:
    """Context manager: the right to change an output's manifest; waits for another process that changes it.

    Held while the manifest is read, changed and written, also by a run, which holds its output's lock much longer.
    """
    folder = state / _OUTPUTS
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_file(folder / f"{_lock_name(os.path.realpath(output))}.manifest")
        wait_for_lock(descriptor)
    except OSError as error:
        message = f"cannot lock files in {folder} ({error.strerror}): set {STATE} to a folder on a local disk"
        raise LedgerUnusable(message) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _lock_name(output: str) -> str:
    # A path may be longer than a file name, and a name needs no slash: 128 bits of its hash do.
    return hashlib.sha256(os.fsencode(output)).hexdigest()[:32]


def run_is_alive(state: Path, run: str) -> bool:
    """Whether a run is still going; a run without a file among the runs has ended.

    A task that `settle` took over from no ledger was ordered by no run of this one: its attempt names none.
    """
    return bool(run) and not _is_free(state / RUNS / run)


def dead_runs(state: Path) -> list[str]:
    """Runs that ended without removing their file; such a run id is never used again."""
    return [path.name for path in sorted((state / RUNS).glob("*")) if _is_free(path)]


def _is_free(path: Path) -> bool:
    try:
        descriptor = open_file(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise LedgerUnusable(f"{path} cannot be read: {error.strerror}") from error
    try:
        return try_lock(descriptor)
    finally:
        os.close(descriptor)
