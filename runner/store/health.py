"""Is there a disk that keeps what was paid for: what `doctor` asks of the folders."""

import os
import shutil
import tempfile
from pathlib import Path

from runner.diagnostics.problem import HealthCheck
from runner.store.filesystems import file_system
from runner.store.locks import STATE, try_lock

ROOM = 2 << 30
"""Bytes that a film's clips want, roughly."""
_MEMORY = ("tmpfs", "ramfs")


def folder(name: str, path: Path, *, pays: bool = False) -> list[HealthCheck]:
    """Whether a folder (or the nearest above it that exists) can be written, locked, and has room.

    `pays`: the ledger lies there.
    """
    found = next((parent for parent in (path, *path.parents) if parent.is_dir()), None)
    if found is None:
        return [HealthCheck(name, "error", f"{path} cannot be made", "name another folder")]
    try:
        with tempfile.TemporaryFile(dir=found) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
            locks = try_lock(probe.fileno())
    except OSError as error:
        return [
            HealthCheck(
                name, "error", f"{found} cannot be written: {error.strerror}", "mend its rights, or name another"
            )
        ]
    return [_kind(name, found, locks, pays), _room(name, found)]


def _kind(name: str, path: Path, locks: bool, pays: bool) -> HealthCheck:
    way = f"{STATE} names a folder on a local disk" if pays else "choose a folder on a local disk"
    if not locks:
        return HealthCheck(name, "error", f"{path} takes no locks", way)
    found = file_system(path)
    if pays and found.kind in _MEMORY:
        return HealthCheck(
            name, "warning", f"{path} lies in memory ({found.kind}): the next start of the machine forgets it", way
        )
    if found.locks == "alone" and pays:
        words = f"{path} lies on a network drive ({found.kind}) whose locks other machines do not see: nothing is paid"
        return HealthCheck(name, "error", words, way)
    if found.locks != "local":
        return HealthCheck(
            name, "warning", f"{path} lies on a network drive ({found.kind}): slow, and apt to be away", way
        )
    return HealthCheck(name, "ok", f"{path} can be written, synced and locked")


def _room(name: str, path: Path) -> HealthCheck:
    free = shutil.disk_usage(path).free
    gigabytes = f"{free / (1 << 30):.1f} GB free"
    if free < ROOM:
        return HealthCheck(
            f"{name}, room", "warning", f"{gigabytes} at {path}", "a film of a hundred clips wants about 2 GB"
        )
    return HealthCheck(f"{name}, room", "ok", f"{gigabytes} at {path}")
