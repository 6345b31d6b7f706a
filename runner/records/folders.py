"""Folders and names that a power loss does not take back."""

import contextlib
import os
from pathlib import Path


def sync_above(folder: Path, top: Path | None = None) -> None:
    """Makes a folder's own name durable, and those of the folders that hold it, up to `top` or the top of its disk.

    Folders that this user may not read were made by somebody else, and are left out. OSError for any other reason.
    """
    disk = folder.stat().st_dev
    for above in folder.absolute().parents:
        if above.stat().st_dev != disk:
            return
        with contextlib.suppress(PermissionError):
            sync_folder(above)
        if top is not None and above == top.absolute():
            return


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
