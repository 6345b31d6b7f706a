"""What a folder lies on, by the system's table of mounts: this machine's own disk, or one that others write as well."""

import os
import re
from pathlib import Path
from typing import Literal

from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass

Locks = Literal["local", "shared", "alone"]

_SHARED = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "9p", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs"),
        *("gpfs", "beegfs", "ocfs2", "gfs2", "orangefs", "pvfs2"),
    )
)
"""Network drives that take locks to where all machines see them, if they are not told otherwise."""
_ALONE = frozenset(
    (
        *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.davfs", "fuse.davfs2"),
        *("davfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.mountpoint-s3", "fuse.curlftpfs", "fuse.smbnetfs"),
        *("fuse.gvfsd-fuse", "afs", "afpfs", "fuse.afpfs"),
    )
)
"""Those whose locks never leave the machine."""
_UNLOCKED = frozenset({"nolock", "nobrl", "localflock", "local_lock=all", "local_lock=flock", "local_lock=posix"})
"""Options that keep the locks of the first kind on the machine as well."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A kind of file system, and how far a lock on it reaches: `alone` means that other machines write beside it."""

    kind: str
    locks: Locks


def file_system_of(path: str, mounts: str) -> FileSystem:
    """The disk that holds a path without links, by the lines of `/proc/mounts`; what is unknown counts as local."""
    longest, result = -1, FileSystem("", "local")
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            continue
        mount_point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        inside = path == mount_point or path.startswith(mount_point.rstrip("/") + "/")
        if inside and len(mount_point) >= longest:  # of two at one place the later one is seen
            longest, result = len(mount_point), FileSystem(fields[2], _lock_reach(fields[2], fields[3].split(",")))
    return result


def _lock_reach(kind: str, options: list[str]) -> Locks:
    if kind in _ALONE:
        return "alone"
    if kind in _SHARED:
        return "alone" if _UNLOCKED.intersection(options) else "shared"
    return "local"


def file_system(path: Path) -> FileSystem:
    """The disk of a folder, where the system tells (Linux); a local one elsewhere."""
    try:
        mounts = Path("/proc/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return FileSystem("", "local")
    return file_system_of(os.path.realpath(path), mounts)


def check_ledger_disk(state: Path) -> None:
    """Stop where another machine could write the same ledger without seeing a lock: both would pay."""
    disk = file_system(state)
    if disk.locks == "alone":
        raise CommandError(
            ExitCode.INVALID,
            f"the ledger in {state} lies on a network drive ({disk.kind}) whose locks other machines do not see: "
            "two of them would pay for one clip; nothing was sent\n"
            "  export STORYBOARD_STATE=/a/folder/on/a/local/disk      (move its files there, if it has paid already)",
        )
