"""Wrapper around PyAV that opens a file for reading in the same way with every supported version."""

from io import BufferedReader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer


def open_media(file: str | BufferedReader, kind: str | None = None, **options: str) -> "InputContainer":
    """Open a media file; returns the container, a context manager. Broken text in a file's tags is not an error.

    `kind` is the name of a demuxer, the rest are its options. Raises FFmpegError, OSError, ValueError.
    """
    import av

    # Version 19 removed the argument: it keeps broken text as surrogates.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__.startswith("18.") else {}
    container: InputContainer = av.open(file, "r", format=kind, options=options, **lenient)
    return container
