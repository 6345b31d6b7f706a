"""Test whether a folder is writable by creating a file: permissions alone do not decide this."""

import errno
import os

# Errors that mean O_TMPFILE is unsupported; a missing folder gives one of these, and fails again by name.
_NO_UNNAMED_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ENOSYS})


def probe_writable(folder: str) -> None:
    """Create a file and delete that file; other files in the folder stay untouched. OSError when it fails."""
    flag: int | None = getattr(os, "O_TMPFILE", None)
    if flag is None or not _probe_unnamed(folder, flag):
        _probe_named(folder)


def _probe_unnamed(folder: str, flag: int) -> bool:
    """Create an unnamed file, of which a kill leaves nothing; False where O_TMPFILE is unsupported."""
    try:
        os.close(os.open(folder, flag | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return False
        raise
    return True


def _probe_named(folder: str) -> None:
    """Create a file under a random name, never through a link, and delete that file."""
    from runner.clock import SystemClock  # only where the file system has no unnamed files

    probe = os.path.join(folder, f".writable-{SystemClock().token()}")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.unlink(probe)
