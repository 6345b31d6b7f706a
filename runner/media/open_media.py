"""Opens a file with PyAV for reading, in the same way whichever of its versions is installed."""

from io import BufferedReader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer


def open_media(file: str | BufferedReader, kind: str | None = None, **options: str) -> "InputContainer":
    """The opened container, a context manager; broken text in a file's tags is no reason to fail.

    `kind` is the name of a demuxer, the rest are its options. Raises FFmpegError, OSError, ValueError.
    """
    import av

    # Version 19 took the argument away: it keeps broken text as surrogates.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__.startswith("18.") else {}
    container: InputContainer = av.open(file, "r", format=kind, options=options, **lenient)
    return container
