"""Folders and names that a power loss does not take back, and that no link leads out of the repository."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def sync_above(folder: Path, top: Path | None = None, durable: set[Path] | None = None) -> None:
    """Makes a folder's own name durable, and those of the folders that hold it, up to `top` or the top of its disk.

    `known` are those of which that is known already; what is done here is added. Folders that this user may not read
    were made by somebody else, and are left out. OSError for any other reason.
    """
    disk, durable = folder.stat().st_dev, set() if durable is None else durable
    end = None if top is None else top.absolute()
    for path in (folder.absolute(), *folder.absolute().parents):
        parent = path.parent
        if path in durable or path == end or parent == path or parent.stat().st_dev != disk:
            return
        with contextlib.suppress(PermissionError):
            sync_folder(parent)
        durable.add(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def escaping_folder(output: Path, root: Path) -> Path | None:
    """The first folder of an output that lies outside the repository once links are resolved; None when none does.

    Looks at the output, its clips, and each shot's, with those of earlier words. OSError.
    """
    top = os.path.realpath(root)
    return next(
        (folder for folder in _linkable_folders(output) if os.path.commonpath((top, os.path.realpath(folder))) != top),
        None,
    )


def _linkable_folders(output: Path) -> Iterator[Path]:
    """The folders of an output that a link may lead to."""
    clips = output / "clips"
    yield from (output, clips)
    if not clips.is_dir():
        return
    with os.scandir(clips) as shots:
        for shot in shots:
            for path in (shot.path, os.path.join(shot.path, "earlier")):
                if os.path.islink(path):
                    yield Path(path)
