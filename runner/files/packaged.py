"""The folders that the installation carries beside its code: schemas, docs, storyboards."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def packaged_folder(name: str) -> Path:
    """A folder by its name: inside an installed package, beside the package in a working tree."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
