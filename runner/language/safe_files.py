"""Opens ordinary, visible files inside the repository, and refuses every other path."""

import os
import stat
from pathlib import Path, PurePosixPath

from runner.media.files import MAX_BYTES

TEXT_LIMIT = 16 * 1024 * 1024
PROMPT_LIMIT = 1024 * 1024


asked_for: dict[str, os.stat_result | None] = {}
"""Status of every path that this process resolved, from just before; None for a path that did not exist."""


class FileRejected(Exception):  # noqa: N818 - a reason that becomes a problem, always caught in this package
    """A file that cannot be used: a problem's code, a message that continues the file's name, a hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def check_written(written: str) -> None:
    """Check the form of a path in a storyboard: relative, with `/`. Raises FileRejected."""
    if "\0" in written or "\\" in written:
        raise FileRejected("path-form", "is not a portable path", "write / instead of \\")
    if written.startswith(("~", "-")) or PurePosixPath(written).is_absolute():
        raise FileRejected("path-form", "is not a relative path", "write a path relative to this file")
    if ":" in written:
        raise FileRejected("path-form", "is neither a path nor an https address", "an address begins with https://")


def resolve_inside(path: Path, root: Path) -> Path:
    """The real path of a file in the repository, with links resolved. Raises FileRejected."""
    _record_path(os.path.abspath(path))
    # The root is resolved already; the path may be relative, or lead through a link above the repository.
    written = Path(os.path.abspath(path)).is_relative_to(root)
    if not written and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise FileRejected("outside-repository", "lies outside the repository", f"copy it into {root.name}/")
    try:
        real = path.resolve(strict=True)
        top = root.resolve(strict=True)
    except FileNotFoundError:
        raise FileRejected("file-missing", "does not exist") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise FileRejected("file-unreadable", f"cannot be opened: {reason(error)}") from None
    if not real.is_relative_to(top):
        raise FileRejected(
            "outside-repository", "leads out of the repository through a link", f"copy it into {top.name}/"
        )
    if any(part.startswith(".") for part in real.relative_to(top).parts):
        raise FileRejected("hidden-file", "is hidden or in a hidden folder; hidden files are never read")
    return real


def _record_path(path: str) -> None:
    if path not in asked_for:
        try:
            asked_for[path] = os.stat(path)
        except (OSError, ValueError):
            asked_for[path] = None


def check_regular(real: Path, limit: int) -> None:
    """Check that a path is an ordinary file within a size limit, without opening the file. Raises FileRejected."""
    try:
        status = os.stat(real, follow_symlinks=False)
    except OSError as error:
        raise FileRejected("file-unreadable", f"cannot be opened: {reason(error)}") from None
    _check_mode(status, limit)


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


def read_bytes(path: Path, root: Path, limit: int = TEXT_LIMIT) -> bytes:
    """The content of an ordinary file of the repository. Raises FileRejected."""
    try:
        with os.fdopen(open_regular(resolve_inside(path, root), root, limit), "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FileRejected("file-unreadable", f"cannot be read: {reason(error)}") from None
    if len(data) > limit:
        raise _too_large(limit)
    return data


def check_media(real: Path) -> None:
    """Check that a material is an ordinary file small enough to send, without opening it. Raises FileRejected."""
    check_regular(real, MAX_BYTES)


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
