"""Whether a clip is whole, what it shows, and its first and last picture."""

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
"""A picture of 4K in 21:9 has 11 million; more than this is a made-up size, and costs memory."""
_SLACK = 0.25
"""Seconds by which a track may miss the length it says: an encoder's lead-in, a last picture that stands longer."""

Which = Literal["first", "last"]


class IncompleteClip(Exception):  # noqa: N818 - it says what a file is, it is not always an error
    """The file is no whole clip; `words` go on after its name: "is cut off: 1,024 of 90,210 bytes are here"."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a whole clip shows."""

    width: int
    height: int
    seconds: Decimal
    """Of the picture, to the millisecond."""


def probe(path: Path) -> ClipFacts:
    """Say what a clip shows, after making sure that it is whole.

    Whole means: its boxes end at the end of the file, its tracks have the length they say, its first and last picture
    decode. Raises NotWhole with words for the user, OSError when the file cannot be read.
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
    """Write exactly the first or the last picture of a clip as PNG.

    Raises NotWhole when it cannot be decoded, OSError when a file cannot be read or written.
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
    """The tracks, when the boxes fill the file."""
    if size == 0:
        raise IncompleteClip("is empty")
    head = file.read(64)
    try:
        if sniff(head) not in ("mp4", "m4a"):
            raise IncompleteClip("is no MP4")
        boxes = walk(file, size)
        names = {box.name for box in boxes}
        if b"moov" not in names:
            raise IncompleteClip("is cut off: its index is missing")
        indexed_tracks = tracks(file, boxes, size)
    except UnsupportedMedia as error:
        description = error.message.partition(";")[0]
        message = "is no video" if description.startswith("is no ") else f"{description}, no video"
        raise IncompleteClip(message) from error
    except BrokenBoxes as error:
        raise IncompleteClip(error.message) from error
    file.seek(0)
    return indexed_tracks


@contextmanager
def _open_for_decoding(file: BufferedReader) -> "Iterator[tuple[InputContainer, av.VideoStream]]":
    """The opened clip and its picture track; what the codecs say about broken bytes becomes NotWhole."""
    from av.error import FFmpegError

    limits = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
    try:
        with open_media(file, "mov", max_streams="16", **limits) as container:
            video_streams = [stream for stream in container.streams.video if not int(stream.disposition) & 0x400]
            if not video_streams:
                raise IncompleteClip("has no moving picture in it")
            stream = video_streams[0]
            if stream.codec_context is None:
                raise IncompleteClip("has a picture in a format that is not known here")
            if not 0 < stream.width * stream.height <= MAX_PIXELS:
                raise IncompleteClip(f"is damaged: its picture would have {stream.width} × {stream.height} pixels")
            stream.codec_context.options = limits
            yield container, stream
    except (FFmpegError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise IncompleteClip("is damaged: its picture cannot be decoded") from error


def _measured_lengths(container: "InputContainer") -> dict[int, Fraction]:
    """Seconds of each track, by its packets."""
    spans: dict[int, tuple[int, int]] = {}
    bases = {stream.index: stream.time_base or Fraction(1) for stream in container.streams}
    for packet in container.demux():
        if packet.pts is None:
            continue
        if packet.is_corrupt:
            raise IncompleteClip("is damaged: a part of its pictures or sound is not there")
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
        content = "picture" if track.handler == b"vide" else "sound"
        if length <= 0:
            raise IncompleteClip(f"is damaged: its {content} has no length")
        if track.seconds is not None and abs(track.seconds - length) > _SLACK:
            raise IncompleteClip(f"is damaged: {length:.2f} of {track.seconds:.2f} seconds of its {content} are here")


def _first(container: "InputContainer", stream: "av.VideoStream") -> "av.VideoFrame":
    container.seek(0)
    for picture in container.decode(stream):
        return picture
    raise IncompleteClip("is damaged: its first picture cannot be decoded")


def _last(container: "InputContainer", stream: "av.VideoStream") -> "av.VideoFrame":
    """From the last key picture on, so that a long clip costs no more than a short one."""
    container.seek(1 << 60, stream=stream, backward=True, any_frame=False)
    last_picture = None
    for picture in container.decode(stream):
        last_picture = picture
    if last_picture is None:
        raise IncompleteClip("is damaged: its last picture cannot be decoded")
    return last_picture
