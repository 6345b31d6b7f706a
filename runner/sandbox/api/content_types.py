"""Content-Types of files by the ending of their names. Pure."""

from collections.abc import Mapping
from pathlib import PurePath

_BY_ENDING: Mapping[str, str] = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/mp4",
}
UNKNOWN = "application/octet-stream"


def content_type(name: str) -> str:
    """The Content-Type of a file with this name."""
    return _BY_ENDING.get(PurePath(name).suffix.lower(), UNKNOWN)
