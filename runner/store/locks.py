"""Locks of the operating system: one for each output, one for each running run; process ids are never used."""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode

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
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


@contextlib.contextmanager
def lock_outputs(state: Path, outputs: Iterable[Path]) -> Iterator[None]:
    """Context manager: hold the locks of all outputs; `CommandError` when another run holds one."""
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
        for output in sorted({os.path.realpath(output) for output in outputs}):
            descriptor = open_file(folder / _lock_name(output))
            descriptors.append(descriptor)
            if not try_lock(descriptor):
                raise CommandError(ExitCode.LOCKED, f"another run is working on {output}: wait for it, or stop it")
    except OSError as error:
        message = f"cannot lock files in {folder} ({error.strerror}): set {STATE} to a folder on a local disk"
        raise CommandError(ExitCode.INVALID, message) from error


def lock_path(state: Path, output: Path) -> Path:
    """The lock file of an output."""
    return state / _OUTPUTS / _lock_name(os.path.realpath(output))


def _lock_name(output: str) -> str:
    return hashlib.sha256(os.fsencode(output)).hexdigest()[:32]


def run_is_alive(state: Path, run: str) -> bool:
    """Whether a run is still going; a run without a receipts file has ended."""
    return not _is_free(state / RUNS / run)


def dead_runs(state: Path) -> list[str]:
    """Runs that ended without deleting their receipts file; such a run id is never used again."""
    return [path.name for path in sorted((state / RUNS).glob("*")) if _is_free(path)]


def _is_free(path: Path) -> bool:
    try:
        descriptor = open_file(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{path} cannot be read: {error.strerror}") from error
    try:
        return try_lock(descriptor)
    finally:
        os.close(descriptor)
