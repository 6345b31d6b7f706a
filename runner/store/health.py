"""Is there a disk that keeps what was paid for: what `doctor` asks of the folders."""

import os
import shutil
import tempfile
from pathlib import Path

from runner.diagnostics.problem import Check
from runner.store.filesystems import disk
from runner.store.locks import STATE, try_lock

ROOM = 2 << 30
"""Bytes that a film's clips want, roughly."""
_MEMORY = ("tmpfs", "ramfs")


def folder(name: str, path: Path, *, pays: bool = False) -> list[Check]:
    """Whether a folder (or the nearest above it that exists) can be written, locked, and has room.

    `pays`: the ledger lies there.
    """
    found = next((parent for parent in (path, *path.parents) if parent.is_dir()), None)
    if found is None:
        return [Check(name, "error", f"{path} cannot be made", "name another folder")]
    try:
        with tempfile.TemporaryFile(dir=found) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
            locks = try_lock(probe.fileno())
    except OSError as error:
        return [
            Check(name, "error", f"{found} cannot be written: {error.strerror}", "mend its rights, or name another")
        ]
    return [_kind(name, found, locks, pays), _room(name, found)]


def _kind(name: str, path: Path, locks: bool, pays: bool) -> Check:
    way = f"{STATE} names a folder on a local disk" if pays else "choose a folder on a local disk"
    if not locks:
        return Check(name, "error", f"{path} takes no locks", way)
    found = disk(path)
    if pays and found.kind in _MEMORY:
        return Check(
            name, "warning", f"{path} lies in memory ({found.kind}): the next start of the machine forgets it", way
        )
    if found.locks == "alone" and pays:
        words = f"{path} lies on a network drive ({found.kind}) whose locks other machines do not see: nothing is paid"
        return Check(name, "error", words, way)
    if found.locks != "local":
        return Check(name, "warning", f"{path} lies on a network drive ({found.kind}): slow, and apt to be away", way)
    return Check(name, "ok", f"{path} can be written, synced and locked")


def _room(name: str, path: Path) -> Check:
    free = shutil.disk_usage(path).free
    gigabytes = f"{free / (1 << 30):.1f} GB free"
    if free < ROOM:
        return Check(f"{name}, room", "warning", f"{gigabytes} at {path}", "a film of a hundred clips wants about 2 GB")
    return Check(f"{name}, room", "ok", f"{gigabytes} at {path}")
