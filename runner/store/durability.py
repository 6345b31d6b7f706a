"""Durable folders and file names (fsync), and the check that no link leads out of the repository."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def sync_above(folder: Path, top: Path | None = None, durable: set[Path] | None = None) -> None:
    """Fsync the parent folders of a folder, up to `top` or to the top of its disk.

    `durable` holds the folders already synced; newly synced folders are added. Parents that this user may not read
    are skipped, since another user made them. OSError for any other failure.
    """
    disk, durable = folder.stat().st_dev, set() if durable is None else durable
    end = None if top is None else top.absolute()
    for path in (folder.absolute(), *folder.absolute().parents):
        parent = path.parent
        # Up to the mount only: what lies above it is no file of this disk.
        if path in durable or path == end or parent == path or parent.stat().st_dev != disk:
            return
        with contextlib.suppress(PermissionError):
            sync_folder(parent)
        durable.add(path)


def sync_folder(folder: Path) -> None:
    """Fsync a folder, which makes the names in that folder durable. OSError on failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def escaping_folder(output: Path, root: Path) -> Path | None:
    """The first folder of an output that is outside the repository once links are resolved, or None.

    Checks the output folder, `clips`, and every shot's folder with its archive. OSError when a folder is unreadable.
    """
    top = os.path.realpath(root)
    return next(
        (folder for folder in _linkable_folders(output) if os.path.commonpath((top, os.path.realpath(folder))) != top),
        None,
    )


def _linkable_folders(output: Path) -> Iterator[Path]:
    """The folders of an output that could be links."""
    clips = output / "clips"
    yield from (output, clips)
    if not os.path.isdir(clips):
        return
    with os.scandir(clips) as shots:
        for shot in shots:
            for path in (shot.path, os.path.join(shot.path, "earlier")):
                if os.path.islink(path):
                    yield Path(path)
