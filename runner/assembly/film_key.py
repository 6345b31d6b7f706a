"""The key in a film file: the hash of the edit and clips that it shows, in the container's metadata."""

from runner.lazy_dataclass import dataclass

HEAD = 1 << 20
"""Bytes of a film file in which its key stands: the index is in front."""
VERSION = 2
"""Part of the key: raised when the same edit and clips make another film.

1 copied packets of sound, with gaps at joins; 2 encodes the sound as one track.
"""
_MARK = "storyboard-cut:"
# Hex digits of a SHA-256.
_HASH_LENGTH = 64
_QUICK = " quick"


@dataclass(frozen=True, slots=True)
class FilmKey:
    """The key of a film file."""

    content: str
    """Hash of the edit and of its clips."""
    is_quick: bool = False
    """Whether the file was encoded small and fast, as at the end of a free run."""


def comment_of(key: FilmKey) -> str:
    """The metadata that holds a key."""
    return f"{_MARK}{key.content}{_QUICK if key.is_quick else ''}"


def key_of(head: bytes) -> FilmKey | None:
    """The key in the first `HEAD` bytes of a film file; None where there is none."""
    _, mark, rest = head.partition(_MARK.encode())
    if not mark:
        return None
    content = rest[:_HASH_LENGTH].decode("ascii", "replace")
    return FilmKey(content, rest[_HASH_LENGTH:].startswith(_QUICK.encode()))
