"""The writer of files below a repository, by descriptors of folders: never through a link or into a shared file."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# A link in the path is refused by the system itself, also one that somebody makes while this runs.
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_PATH, where the system has it: passing through a folder must not need the right to list its files.
_PASSING_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_EXCL: where a file or a link has the name nothing is opened, so nothing of the user's is written into.
_NEW_FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def open_folder(folder: Path, root: Path) -> Iterator[int]:
    """Context manager: the descriptor of a folder of the repository.

    Links above the folder are resolved once; the real folder must lie in the repository, outside of `.git` and every
    other hidden folder. The real path is then opened part by part without following links. OSError on failure.
    """
    top = root.resolve()
    real = Path(os.path.realpath(folder))  # a circle of links fails below, as any other link
    if not real.is_relative_to(top):
        raise PermissionError(errno.EPERM, "a link leads outside the repository", str(folder))
    parts = real.relative_to(top).parts
    if any(part.startswith(".") for part in parts):
        raise PermissionError(errno.EPERM, "hidden folders are never written to", str(folder))
    handle = os.open(top, _PASSING_FLAGS if parts else _FOLDER_FLAGS)
    try:
        for left, part in enumerate(parts, 1 - len(parts)):
            inner = os.open(part, _PASSING_FLAGS if left else _FOLDER_FLAGS, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def make_folder(folder: Path, root: Path) -> None:
    """Create a folder and the missing folders above it, each in the folder that was opened before. OSError."""
    top = root.resolve()
    missing: list[str] = []
    existing = folder
    while not os.path.lexists(existing) and existing != existing.parent:
        missing.insert(0, existing.name)
        existing = existing.parent
    if any(name.startswith(".") for name in missing) or ".." in missing:
        raise PermissionError(errno.EPERM, "hidden folders are never written to", str(folder))
    with open_folder(existing, top) as handle:
        current = os.dup(handle)
        try:
            for name in missing:
                # Another run may make it at the same moment; what is no folder fails in the next line.
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=current)
                inner = os.open(name, _FOLDER_FLAGS, dir_fd=current)
                os.close(current)
                current = inner
        finally:
            os.close(current)


def create_file(path: Path, root: Path) -> BinaryIO:
    """Create a file that does not exist yet, and open it for reading and writing. OSError on failure."""
    with open_folder(path.parent, root) as folder:
        return _create(path, folder)


def create_afresh(path: Path, root: Path) -> BinaryIO:
    """Create a file as `create_file` does; a file or link of that name is removed before, never opened."""
    with open_folder(path.parent, root) as folder:
        with suppress(FileNotFoundError):
            os.unlink(path.name, dir_fd=folder)
        return _create(path, folder)


def _create(path: Path, folder: int) -> BinaryIO:
    # As any file of the repository: the user's umask decides who may read it.
    handle = os.open(path.name, _NEW_FILE_FLAGS, 0o666, dir_fd=folder)
    return os.fdopen(handle, "w+b")


def move_file(source: Path, target: Path, root: Path) -> None:
    """Give a file its final name, durably; an existing file or link of that name is replaced, never written into."""
    with open_folder(source.parent, root) as source_folder, open_folder(target.parent, root) as target_folder:
        # A link may have taken the name since the file was written.
        if not stat.S_ISREG(os.stat(source.name, dir_fd=source_folder, follow_symlinks=False).st_mode):
            raise OSError(errno.EINVAL, "is not an ordinary file", str(source))
        os.rename(source.name, target.name, src_dir_fd=source_folder, dst_dir_fd=target_folder)
        # The rename must be on the disk before a ledger says that the clip is stored.
        os.fsync(target_folder)


def remove_file(path: Path, root: Path) -> None:
    """Remove a file or a link; a missing file is no error. OSError otherwise."""
    with suppress(FileNotFoundError), open_folder(path.parent, root) as folder:
        os.unlink(path.name, dir_fd=folder)


def part_of(path: Path) -> Path:
    """The name of the new file in `replace_content`."""
    return path.with_name(f".{path.name}.part")


def replace_content(path: Path, root: Path, content: bytes) -> None:
    """Replace a file durably: its content is written to a new file beside, which then takes its name. OSError."""
    part = part_of(path)
    with create_afresh(part, root) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            move_file(part, path, root)
        except OSError:
            remove_file(part, root)
            raise
