"""The path of a file as the user would type it."""

import os
from pathlib import Path


def display_path(path: Path) -> str:
    """A path from the working folder, also of what lies above it; the whole path where that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)
