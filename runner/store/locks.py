"""Locks of the operating system: one for each output, and one for each living run, never judged by a process id."""

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
"""The variable that names another state folder."""


def open_file(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """A descriptor of a private file that no child process inherits."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int) -> bool:
    """Whether the lock of an open file is ours now; it ends with the process, however that ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def wait_for_lock(descriptor: int) -> None:
    """Takes the lock of an open file, once nobody else has it. OSError."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextlib.contextmanager
def lock_outputs(state: Path, outputs: Iterable[Path]) -> Iterator[None]:
    """Holds the locks of all these outputs, in sorted order and without waiting; `Stop` when one is held."""
    descriptors: list[int] = []
    try:
        _lock_all(state / _OUTPUTS, outputs, descriptors)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _lock_all(folder: Path, outputs: Iterable[Path], descriptors: list[int]) -> None:
    """All the locks; those that were taken before one could not be are in `held`, too."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for output in sorted({os.path.realpath(output) for output in outputs}):
            descriptor = open_file(folder / _lock_name(output))
            descriptors.append(descriptor)
            if not try_lock(descriptor):
                raise CommandError(ExitCode.LOCKED, f"another run is working on {output}: wait for it, or stop it")
    except OSError as error:
        message = f"no lock can be taken in {folder} ({error.strerror}): {STATE} names another folder, on a local disk"
        raise CommandError(ExitCode.INVALID, message) from error


def lock_path(state: Path, output: Path) -> Path:
    """The file whose lock a run of this output holds."""
    return state / _OUTPUTS / _lock_name(os.path.realpath(output))


def _lock_name(output: str) -> str:
    return hashlib.sha256(os.fsencode(output)).hexdigest()[:32]


def run_is_alive(state: Path, run: str) -> bool:
    """Whether a run still works; a run without a file has ended."""
    return not _is_free(state / RUNS / run)


def dead_runs(state: Path) -> list[str]:
    """Runs that ended without putting their file away: a run that has ended never comes back."""
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
