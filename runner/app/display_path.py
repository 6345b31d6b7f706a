"""The path of a file as the user would type it."""

from pathlib import Path


def display_path(path: Path) -> str:
    """A path from the working folder; the whole path of what lies outside of it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
