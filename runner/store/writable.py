"""Whether files can be made in a folder: tried, since rights are not all that can be in the way."""

import errno
import os

_NO_UNNAMED_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOSYS})
"""How disks and kernels say that they know no files without a name; for a folder that is gone, so does the next try."""


def probe_writable(folder: str) -> None:
    """Makes a file and takes it away again; whatever lies in the folder stays as it is. OSError when it cannot."""
    flag: int | None = getattr(os, "O_TMPFILE", None)
    if flag is None or not _probe_unnamed(folder, flag):
        _probe_named(folder)


def _probe_unnamed(folder: str, flag: int) -> bool:
    """On most disks of Linux: nothing can be in the way, and a kill leaves nothing. False where nobody knows of it."""
    try:
        os.close(os.open(folder, flag | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return False
        raise
    return True


def _probe_named(folder: str) -> None:
    """Under a name that nobody can have taken, never through a link."""
    from runner.clock import SystemClock  # imports more than a run that is answered from memory

    probe = os.path.join(folder, f".writable-{SystemClock().token()}")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.unlink(probe)
