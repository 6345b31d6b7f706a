"""The file system of a folder, from the table of mounts: a local disk, or a network drive shared by machines."""

import os
import re
from pathlib import Path
from typing import Literal

from runner.diagnostics.failures import LedgerUnusable
from runner.lazy_dataclass import dataclass

Locks = Literal["local", "shared", "alone"]

# Network file systems whose locks all machines see, unless an option of the mount says otherwise.
_SHARED = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "9p", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs"),
        *("gpfs", "beegfs", "ocfs2", "gfs2", "orangefs", "pvfs2"),
    )
)
# Network file systems whose locks are seen on one machine only.
_ALONE = frozenset(
    (
        *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.davfs", "fuse.davfs2"),
        *("davfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.mountpoint-s3", "fuse.curlftpfs", "fuse.smbnetfs"),
        *("fuse.gvfsd-fuse", "afs", "afpfs", "fuse.afpfs"),
    )
)
# Mount options that restrict the locks of a shared file system to one machine.
_UNLOCKED = frozenset({"nolock", "nobrl", "localflock", "local_lock=all", "local_lock=flock", "local_lock=posix"})


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system and the reach of its locks; `alone`: other machines write to the disk and do not see the locks."""

    kind: str
    locks: Locks


def file_system_of(path: str, mounts: str) -> FileSystem:
    """The file system of a resolved path, from the text of `/proc/mounts`; an unknown file system counts as local."""
    longest, result = -1, FileSystem("", "local")
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            continue
        # Blanks and backslashes stand as octal numbers in `/proc/mounts`.
        mount_point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        # With the slash: `/data2` is not below the mount `/data`.
        inside = path == mount_point or path.startswith(mount_point.rstrip("/") + "/")
        if inside and len(mount_point) >= longest:  # of two mounts at the same point the later hides the earlier
            longest, result = len(mount_point), FileSystem(fields[2], _lock_reach(fields[2], fields[3].split(",")))
    return result


def _lock_reach(kind: str, options: list[str]) -> Locks:
    if kind in _ALONE:
        return "alone"
    if kind in _SHARED:
        return "alone" if _UNLOCKED.intersection(options) else "shared"
    return "local"


def file_system(path: Path) -> FileSystem:
    """The file system of a folder; without `/proc/mounts` (not Linux) it counts as local."""
    try:
        mounts = Path("/proc/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return FileSystem("", "local")
    return file_system_of(os.path.realpath(path), mounts)


def check_ledger_disk(state: Path) -> None:
    """Raise `LedgerUnusable` when other machines could write this ledger without seeing its locks: both would pay."""
    disk = file_system(state)
    if disk.locks == "alone":
        raise LedgerUnusable(
            f"the ledger folder {state} is on a network drive ({disk.kind}) whose locks other machines do not see: "
            "two machines could pay for the same clip; nothing was sent\n"
            "  export STORYBOARD_STATE=/a/folder/on/a/local/disk      (if this ledger has paid, move its files there)",
        )
