"""Is there a disk that keeps what was paid for: what `doctor` asks of the folders."""

import os
import shutil
import tempfile
from pathlib import Path

from runner.problems import Check
from runner.records.locks import try_lock

ROOM = 2 << 30
"""Bytes that a film's clips want, roughly."""
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "9p", "fuse.sshfs", "ceph", "glusterfs"})


def folder(name: str, path: Path) -> list[Check]:
    """Whether a folder (or the nearest above it that exists) can be written, locked, and has room."""
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
    return [_kind(name, found, locks), _room(name, found)]


def _kind(name: str, path: Path, locks: bool) -> Check:
    if not locks:
        return Check(name, "error", f"{path} takes no locks", "choose a folder on a local disk")
    if (kind := _filesystem(path)) in _NETWORK:
        words = f"{path} lies on a network drive ({kind}), where locks and syncs may not hold"
        return Check(name, "warning", words, "STORYBOARD_STATE names another folder")
    return Check(name, "ok", f"{path} can be written, synced and locked")


def _room(name: str, path: Path) -> Check:
    free = shutil.disk_usage(path).free
    gigabytes = f"{free / (1 << 30):.1f} GB free"
    if free < ROOM:
        return Check(f"{name}, room", "warning", f"{gigabytes} at {path}", "a film of a hundred clips wants about 2 GB")
    return Check(f"{name}, room", "ok", f"{gigabytes} at {path}")


def _filesystem(path: Path) -> str:
    """The type of the mount that holds a path, where the system tells (Linux); "" elsewhere."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    mounts = [(words[1].replace("\\040", " "), words[2]) for words in map(str.split, lines) if len(words) > 2]
    holding = [mount for mount in mounts if real == mount[0] or real.startswith(mount[0].rstrip("/") + "/")]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]
