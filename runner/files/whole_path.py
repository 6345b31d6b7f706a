"""The whole path of a file as a person typed it."""

import os
from pathlib import Path


def whole_path(path: Path) -> Path:
    """The absolute path without `..`; links are followed up to the last `..` only, else they stay as written."""
    absolute = path.absolute()
    parts = absolute.parts
    if ".." not in parts:
        return absolute
    after = len(parts) - parts[::-1].index("..")
    # By the file system and not by the text: above a link to a folder is the folder that holds its target.
    return Path(os.path.realpath(Path(*parts[:after])), *parts[after:])
