"""Is there a disk that keeps what was paid for: what `doctor` asks of the folders."""

import os
import shutil
import tempfile
from pathlib import Path

from runner.diagnostics.problem import HealthCheck
from runner.store.filesystems import file_system
from runner.store.locks import STATE, try_lock

MIN_FREE_BYTES = 2 << 30
"""Bytes that a film's clips want, roughly."""
_IN_MEMORY = ("tmpfs", "ramfs")


def folder(name: str, path: Path, *, pays: bool = False) -> list[HealthCheck]:
    """Whether a folder (or the nearest above it that exists) can be written, locked, and has room.

    `pays`: the ledger lies there.
    """
    existing = next((parent for parent in (path, *path.parents) if parent.is_dir()), None)
    if existing is None:
        return [HealthCheck(name, "error", f"{path} cannot be made", "name another folder")]
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
            locks = try_lock(probe.fileno())
    except OSError as error:
        return [
            HealthCheck(
                name, "error", f"{existing} cannot be written: {error.strerror}", "mend its rights, or name another"
            )
        ]
    return [_disk_check(name, existing, locks, pays), _free_space_check(name, existing)]


def _disk_check(name: str, path: Path, locks: bool, pays: bool) -> HealthCheck:
    hint = f"{STATE} names a folder on a local disk" if pays else "choose a folder on a local disk"
    if not locks:
        return HealthCheck(name, "error", f"{path} takes no locks", hint)
    disk = file_system(path)
    if pays and disk.kind in _IN_MEMORY:
        return HealthCheck(
            name, "warning", f"{path} lies in memory ({disk.kind}): the next start of the machine forgets it", hint
        )
    if disk.locks == "alone" and pays:
        message = f"{path} lies on a network drive ({disk.kind}) whose locks other machines do not see: nothing is paid"
        return HealthCheck(name, "error", message, hint)
    if disk.locks != "local":
        return HealthCheck(
            name, "warning", f"{path} lies on a network drive ({disk.kind}): slow, and apt to be away", hint
        )
    return HealthCheck(name, "ok", f"{path} can be written, synced and locked")


def _free_space_check(name: str, path: Path) -> HealthCheck:
    free = shutil.disk_usage(path).free
    gigabytes = f"{free / (1 << 30):.1f} GB free"
    if free < MIN_FREE_BYTES:
        return HealthCheck(
            f"{name}, room", "warning", f"{gigabytes} at {path}", "a film of a hundred clips wants about 2 GB"
        )
    return HealthCheck(f"{name}, room", "ok", f"{gigabytes} at {path}")
