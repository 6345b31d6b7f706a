"""The reader of ordinary, visible files inside the repository; every other path is refused."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path, PurePosixPath

TEXT_LIMIT = 16 << 20
"""Bytes of a storyboard, an include or a file of variables."""
PROMPT_LIMIT = 1 << 20
SETTINGS_LIMIT = 1 << 20
"""Bytes of a prompt's file and of a settings file: people write these by hand."""
MANIFEST_LIMIT = 256 << 20
"""Bytes of a manifest: about 2.5 kB for each of 100,000 takes."""
CLIP_LIMIT = 2 << 30
"""Bytes of a clip: far above any clip, far below a disk that a stranger's link could fill."""


CIRCLE = "its links lead to each other in a circle"
"""In place of Python's message, which names the path once more."""


class FileRejected(Exception):  # noqa: N818 - a reason that becomes a problem or a message, always caught
    """A file that cannot be used: a problem's code, a message that continues the file's name, a hint.

    `missing` are the path and the repository of a file that does not exist: the hint names the file that was probably
    meant, and is worked out when it is asked for.
    """

    def __init__(self, code: str, message: str, hint: str = "", missing: tuple[Path, Path] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self._hint = hint
        self._missing = missing

    def hint(self, folder: Path) -> str:
        """The way out; `folder` is the one that a path of the user's file starts from."""
        if self._missing is None:
            return self._hint
        from runner.files.nearest import nearest_file_hint

        return nearest_file_hint(*self._missing, folder)


def check_written(written: str) -> None:
    """Check the form of a path in a storyboard: relative, with `/`. Raises FileRejected."""
    if "\0" in written or "\\" in written:
        raise FileRejected("path-form", "is not a portable path", "write / instead of \\")
    if written.startswith(("~", "-")) or PurePosixPath(written).is_absolute():
        raise FileRejected("path-form", "is not a relative path", "write a path relative to this file")
    if ":" in written:
        raise FileRejected("path-form", "is neither a path nor an https address", "an address begins with https://")


def resolve_inside(path: Path, root: Path, *, may_be_hidden: bool = False) -> Path:
    """The real path of a file in the repository, with links resolved. Raises FileRejected."""
    # The root is resolved already; the path may be relative, or lead through a link above the repository.
    written = Path(os.path.abspath(path)).is_relative_to(root)
    if not written and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise FileRejected("outside-repository", "lies outside the repository", f"copy it into {root.name}/")
    try:
        real = path.resolve(strict=True)
        top = root.resolve(strict=True)
    except FileNotFoundError:
        if os.path.islink(path):
            raise FileRejected("file-missing", "is a link that leads nowhere", "mend the link, or remove it") from None
        raise FileRejected("file-missing", "does not exist", missing=(path, root)) from None
    except RuntimeError:
        raise FileRejected("file-unreadable", f"cannot be opened: {CIRCLE}") from None
    except (OSError, ValueError) as error:
        raise FileRejected("file-unreadable", f"cannot be opened: {reason(error)}") from None
    if not real.is_relative_to(top):
        raise FileRejected(
            "outside-repository", "leads out of the repository through a link", f"copy it into {top.name}/"
        )
    if not may_be_hidden and any(part.startswith(".") for part in real.relative_to(top).parts):
        raise FileRejected("hidden-file", "is hidden or in a hidden folder; hidden files are never read")
    return real


def check_regular(real: Path, limit: int) -> None:
    """Check that a path is an ordinary file within a size limit, without opening the file. Raises FileRejected."""
    try:
        status = os.stat(real, follow_symlinks=False)
    except OSError as error:
        raise FileRejected("file-unreadable", f"cannot be opened: {reason(error)}") from None
    _check_mode(status, limit)


# Nonblocking: opening must not wait for the other end of a pipe that took the place of a file.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# O_PATH, where the system has it: passing through a folder must not need the right to list its files.
_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_regular(real: Path, root: Path, limit: int) -> int:
    """A descriptor of an ordinary file, which the caller closes; `real` comes from `resolve_inside`.

    Links in the path are not followed any more: whatever was put in the file's place since the path was resolved, no
    file outside is opened and no pipe blocks. Raises FileRejected.
    """
    check_regular(real, limit)
    top = root.resolve()
    try:
        handle = _open_below(top, real.relative_to(top).parts)
    except OSError as error:
        raise FileRejected("file-unreadable", f"cannot be opened: {reason(error)}") from None
    try:
        # Once more: another file may have taken the name since it was looked at.
        _check_mode(os.fstat(handle), limit)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _open_below(top: Path, parts: tuple[str, ...]) -> int:
    """Open the folders of a path one inside the other, and the file in the last."""
    handle = os.open(top, _FOLDER_FLAGS)
    for index, part in enumerate(parts):
        folder = handle
        try:
            handle = os.open(part, _FOLDER_FLAGS if index < len(parts) - 1 else _FILE_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
    return handle


def read_bytes(path: Path, root: Path, limit: int = TEXT_LIMIT, *, may_be_hidden: bool = False) -> bytes:
    """The content of an ordinary file of the repository. Raises FileRejected."""
    real = resolve_inside(path, root, may_be_hidden=may_be_hidden)
    try:
        with os.fdopen(open_regular(real, root, limit), "rb") as file:
            return _read_within(file, limit)
    except OSError as error:
        raise FileRejected("file-unreadable", f"cannot be read: {reason(error)}") from None


def read_named(path: Path, root: Path | None, limit: int) -> bytes:
    """The content of a file that the user named: below the repository as `read_bytes`, elsewhere whatever it is.

    Below the repository the file may be hidden. Elsewhere links are followed, and a pipe, like the shell's `<(…)`, is
    read to its end. Raises FileRejected.
    """
    if root is not None and Path(os.path.abspath(path)).is_relative_to(root):
        return read_bytes(path, root, limit, may_be_hidden=True)
    try:
        with path.open("rb") as file:
            return _read_within(file, limit)
    except FileNotFoundError:
        raise FileRejected("file-missing", "does not exist") from None
    except (OSError, ValueError) as error:
        raise FileRejected("file-unreadable", f"cannot be read: {reason(error)}") from None


def open_clip(path: Path, root: Path) -> BufferedReader:
    """Open a clip of the repository; OSError, as from the built-in `open`, also for what is no ordinary file in it.

    FileNotFoundError where the path leads nowhere: also through a circle of links, a file, or a link to a name that no
    file can have.
    """
    try:
        real = path.resolve(strict=True)
    except (NotADirectoryError, RuntimeError) as error:
        raise FileNotFoundError(errno.ENOENT, reason(error), str(path)) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise FileNotFoundError(errno.ENOENT, reason(error), str(path)) from None
        raise
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, reason(error), str(path)) from None
    try:
        if not real.is_relative_to(root.resolve()):
            raise OSError(errno.EPERM, "leads out of the repository through a link", str(path))
        return os.fdopen(open_regular(real, root, CLIP_LIMIT), "rb")
    except FileRejected as error:
        raise OSError(errno.EINVAL, error.message, str(path)) from None


def hash_clip(path: Path, root: Path) -> str:
    """The SHA-256 of a clip of the repository. OSError as from `open_clip`, or when the disk fails."""
    with open_clip(path, root) as file:
        return hash_file(file)


def hash_file(file: BufferedReader) -> str:
    """The SHA-256 of an open file from its beginning, as hex digits. OSError when the disk fails."""
    import hashlib

    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _read_within(file: BufferedReader, limit: int) -> bytes:
    # A file may grow after its size was read: the byte beyond the limit tells.
    data = file.read(limit + 1)
    if len(data) > limit:
        raise _too_large(limit)
    return data


def reason(error: BaseException) -> str:
    """The operating system's error text, in lower case, without the path."""
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error) or type(error).__name__).lower()


def _check_mode(status: os.stat_result, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileRejected("file-kind", "is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise FileRejected("file-kind", "is a pipe, a socket or a device, not an ordinary file")
    if status.st_size > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> FileRejected:
    return FileRejected("file-size", f"is larger than {limit >> 20} MiB")
