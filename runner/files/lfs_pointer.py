"""Git LFS pointers: small files that git puts in a file's place until `git lfs pull` brings it."""

from pathlib import Path

from runner.files.reading import open_clip

# The first line of every pointer, up to the version.
_HEAD = b"version https://git-lfs.github.com/spec"


def is_lfs_pointer(path: Path, root: Path) -> bool:
    """Whether a pointer lies in the place of a clip."""
    with open_clip(path, root) as file:
        return file.read(len(_HEAD)) == _HEAD
