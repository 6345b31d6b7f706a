"""The health checks of folders for `doctor`: writable, lockable, durable, with enough room."""

import os
import shutil
import tempfile
from pathlib import Path

from runner.diagnostics.problem import HealthCheck
from runner.store.filesystems import file_system
from runner.store.locks import STATE, try_lock

MIN_FREE_BYTES = 2 << 30
"""Roughly the size of a hundred clips."""
_IN_MEMORY = ("tmpfs", "ramfs")


def folder(name: str, path: Path, *, pays: bool = False) -> list[HealthCheck]:
    """Check that a folder (or its nearest existing parent) can be written and locked, and has room.

    `pays`: the folder holds the ledger.
    """
    existing = next((parent for parent in (path, *path.parents) if os.path.isdir(parent)), None)
    if existing is None:
        return [HealthCheck(name, "error", f"{path} cannot be created", "choose another folder")]
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
            locks = try_lock(probe.fileno())
    except OSError as error:
        return [
            HealthCheck(
                name,
                "error",
                f"{existing} cannot be written: {error.strerror}",
                "fix its permissions, or choose another folder",
            )
        ]
    return [_disk_check(name, existing, locks, pays), _free_space_check(name, existing)]


def _disk_check(name: str, path: Path, locks: bool, pays: bool) -> HealthCheck:
    hint = f"set {STATE} to a folder on a local disk" if pays else "choose a folder on a local disk"
    if not locks:
        return HealthCheck(name, "error", f"{path} does not support file locks", hint)
    disk = file_system(path)
    if pays and disk.kind in _IN_MEMORY:
        return HealthCheck(
            name, "warning", f"{path} is in memory ({disk.kind}): a restart of the machine deletes it", hint
        )
    if disk.locks == "alone" and pays:
        message = (
            f"{path} is on a network drive ({disk.kind}) whose locks other machines do not see: paid runs are refused"
        )
        return HealthCheck(name, "error", message, hint)
    if disk.locks != "local":
        return HealthCheck(
            name, "warning", f"{path} is on a network drive ({disk.kind}): it can be slow or unavailable", hint
        )
    return HealthCheck(name, "ok", f"{path} can be written, synced and locked")


def _free_space_check(name: str, path: Path) -> HealthCheck:
    free = shutil.disk_usage(path).free
    gigabytes = f"{free / (1 << 30):.1f} GB free"
    if free < MIN_FREE_BYTES:
        return HealthCheck(f"{name}, room", "warning", f"{gigabytes} at {path}", "a hundred clips need about 2 GB")
    return HealthCheck(f"{name}, room", "ok", f"{gigabytes} at {path}")
