"""Integrity check of a clip, its size and length, and its first and last frame."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runner.lazy_dataclass import dataclass
from runner.media.files import UnsupportedMedia, sniff
from runner.media.frames import image_of
from runner.media.mp4_boxes import BrokenBoxes, Track, tracks, walk
from runner.media.open_media import open_media

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_PIXELS = 20_000_000
"""A 4K frame in 21:9 has 11 million; a larger size is forged, and would cost memory."""
_SLACK = 0.25
"""Seconds by which a track may differ from its stated length: an encoder's lead-in, a long last frame."""

Which = Literal["first", "last"]


class IncompleteClip(Exception):  # noqa: N818 - describes a file; not always an error
    """The file is not a complete clip; `message` follows the file's name: "is cut off: only 1,024 of 90,210 bytes"."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """Size and length of a complete clip."""

    width: int
    height: int
    seconds: Decimal
    """Length of the video track, to the millisecond."""


def probe(path: Path) -> ClipFacts:
    """Check that a clip is complete, and return its size and length.

    Complete means: the boxes end at the end of the file, the tracks have their stated length, the first and the last
    frame can be decoded. Raises IncompleteClip with a message for the user, OSError for an unreadable file.
    """
    with path.open("rb") as file:
        indexed_tracks = _indexed_tracks(file, os.fstat(file.fileno()).st_size)
        with _open_for_decoding(file) as (container, stream):
            lengths = _measured_lengths(container)
            _check_lengths(indexed_tracks, container, lengths)
            width, height = _first(container, stream).width, stream.height
            _last(container, stream)
            seconds = lengths[stream.index]
            return ClipFacts(width, height, Decimal(round(seconds * 1000)) / 1000)


def frame(clip: Path, which: Which, target: Path) -> None:
    """Write exactly the first or the last frame of a clip as PNG.

    Raises IncompleteClip for a frame that cannot be decoded, OSError for a file that cannot be read or written.
    """
    with clip.open("rb") as file:
        _indexed_tracks(file, os.fstat(file.fileno()).st_size)
        with _open_for_decoding(file) as (container, stream):
            image = image_of(_first(container, stream) if which == "first" else _last(container, stream))
    part = target.with_name(target.name + ".part")
    # Level 1 is six times quicker than the default, for a file a tenth larger.
    image.save(part, format="PNG", compress_level=1)
    part.replace(target)


def _indexed_tracks(file: BufferedReader, size: int) -> list[Track]:
    """Return the tracks, or raise IncompleteClip for boxes that do not fill the file."""
    if size == 0:
        raise IncompleteClip("is empty")
    head = file.read(64)
    try:
        if sniff(head) not in ("mp4", "m4a"):
            raise IncompleteClip("is not an MP4")
        boxes = walk(file, size)
        names = {box.name for box in boxes}
        if b"moov" not in names:
            raise IncompleteClip("is cut off: its index is missing")
        indexed_tracks = tracks(file, boxes, size)
    except UnsupportedMedia as error:
        description = error.message.partition(";")[0]
        message = "is not a video" if description.startswith("is not ") else f"{description}, no video"
        raise IncompleteClip(message) from error
    except BrokenBoxes as error:
        raise IncompleteClip(error.message) from error
    file.seek(0)
    return indexed_tracks


@contextmanager
def _open_for_decoding(file: BufferedReader) -> "Iterator[tuple[InputContainer, av.VideoStream]]":
    """Context manager: the opened clip and its video track; errors of the codecs become IncompleteClip."""
    from av.error import FFmpegError

    limits = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
    try:
        with open_media(file, "mov", max_streams="16", **limits) as container:
            video_streams = [stream for stream in container.streams.video if not int(stream.disposition) & 0x400]
            if not video_streams:
                raise IncompleteClip("has no video track")
            stream = video_streams[0]
            if stream.codec_context is None:
                raise IncompleteClip("has a video track in an unsupported format")
            if not 0 < stream.width * stream.height <= MAX_PIXELS:
                raise IncompleteClip(f"is damaged: its frames would have {stream.width} × {stream.height} pixels")
            stream.codec_context.options = limits
            yield container, stream
    except (FFmpegError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise IncompleteClip("is damaged: its video cannot be decoded") from error


def _measured_lengths(container: "InputContainer") -> dict[int, Fraction]:
    """Return the seconds of each track, measured by its packets."""
    spans: dict[int, tuple[int, int]] = {}
    bases = {stream.index: stream.time_base or Fraction(1) for stream in container.streams}
    for packet in container.demux():
        if packet.pts is None:
            continue
        if packet.is_corrupt:
            raise IncompleteClip("is damaged: a part of its video or audio is missing")
        start, end = spans.get(packet.stream.index, (packet.pts, packet.pts))
        until = packet.pts + (packet.duration or 0)
        spans[packet.stream.index] = (min(start, packet.pts), max(end, until))
    return {index: (end - max(0, start)) * bases[index] for index, (start, end) in spans.items()}


def _check_lengths(indexed_tracks: list[Track], container: "InputContainer", measured: dict[int, Fraction]) -> None:
    if len(indexed_tracks) != len(container.streams):
        raise IncompleteClip("is damaged: a track cannot be read")
    for track, stream in zip(indexed_tracks, container.streams, strict=True):
        if track.handler not in (b"vide", b"soun"):
            continue
        length = float(measured.get(stream.index, 0))
        content = "video" if track.handler == b"vide" else "audio"
        if length <= 0:
            raise IncompleteClip(f"is damaged: its {content} has no length")
        if track.seconds is not None and abs(track.seconds - length) > _SLACK:
            raise IncompleteClip(f"is damaged: its {content} has {length:.2f} seconds instead of {track.seconds:.2f}")


def _first(container: "InputContainer", stream: "av.VideoStream") -> "av.VideoFrame":
    container.seek(0)
    for picture in container.decode(stream):
        return picture
    raise IncompleteClip("is damaged: its first frame cannot be decoded")


def _last(container: "InputContainer", stream: "av.VideoStream") -> "av.VideoFrame":
    """Decode the last frame from the last key frame on: a long clip costs no more than a short clip."""
    container.seek(1 << 60, stream=stream, backward=True, any_frame=False)
    last_picture = None
    for picture in container.decode(stream):
        last_picture = picture
    if last_picture is None:
        raise IncompleteClip("is damaged: its last frame cannot be decoded")
    return last_picture
