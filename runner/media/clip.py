"""Integrity check of a clip, its size and length, and its first and last frame."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from runner.lazy_dataclass import dataclass
from runner.media.files import UnsupportedMedia, sniff
from runner.media.frames import image_of
from runner.media.mp4_boxes import BrokenBoxes, Track, tracks, walk
from runner.media.open_media import open_media

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from PIL import Image

MAX_PIXELS = 20_000_000
"""A 4K frame in 21:9 has 11 million; a larger size is forged, and would cost memory."""
# A clip has a picture, sound, perhaps subtitles; a made-up file has thousands, each with memory of its own.
_MAX_TRACKS = 16
# Seconds by which a track may differ from its stated length: an encoder's lead-in, a long last frame.
_SLACK = Fraction(1, 4)
# Boxes with which a file of older writers may begin.
_FIRST_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")

T = TypeVar("T")
Which = Literal["first", "last"]
Fault = Literal["no video", "cut off", "damaged"]
"""`no video`: another thing came in a clip's place; `cut off`: its end is missing; `damaged`: any other doubt."""


class IncompleteClip(Exception):  # noqa: N818 - describes a file; not always an error
    """The file is not a complete clip; `message` follows the file's name: "is cut off: only 1,024 of 90,210 bytes"."""

    def __init__(self, message: str, fault: Fault = "damaged") -> None:
        super().__init__(message)
        self.message = message
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """Size and length of a complete clip, as a player shows it: turned and trimmed as the file says."""

    width: int
    height: int
    seconds: Decimal
    """Length of the video, to the millisecond."""


def probe(path: Path) -> ClipFacts:
    """Check that a clip is complete, and return its size and length.

    Complete means: the boxes end at the end of the file, all frames and all audio that its tracks count are there, the
    first and the last frame can be decoded. Raises IncompleteClip with a message for the user, OSError for an
    unreadable file.
    """
    with path.open("rb") as file:
        indexed_tracks = _indexed_tracks(file, os.fstat(file.fileno()).st_size)
        video = _video_track(indexed_tracks)
        spans = _measure(file, indexed_tracks)
        width, height = _picture(file, video, "first", _shown_size)
        _picture(file, video, "last", _shown_size)
        seconds = _shown_seconds(video, spans[video.id].seconds)
        return ClipFacts(width, height, Decimal(round(seconds * 1000)) / 1000)


def frame(clip: Path, which: Which, target: Path) -> None:
    """Write exactly the first or the last frame of a clip as PNG.

    Raises IncompleteClip for a frame that cannot be decoded, OSError for a file that cannot be read or written.
    """
    with clip.open("rb") as file:
        video = _video_track(_indexed_tracks(file, os.fstat(file.fileno()).st_size))
        image = _picture(file, video, which, _upright)
    part = target.with_name(target.name + ".part")
    # Level 1 is six times quicker than the default, for a file a tenth larger.
    image.save(part, format="PNG", compress_level=1)
    part.replace(target)


# -- what the index says ----------------------------------------------------------------------------------


def _indexed_tracks(file: BufferedReader, size: int) -> list[Track]:
    """Return the tracks, or raise IncompleteClip for boxes that do not fill the file."""
    if size == 0:
        raise IncompleteClip("is empty", "no video")
    _check_kind(file.read(64))
    try:
        boxes = walk(file, size)
        if all(box.name != b"moov" for box in boxes):
            raise IncompleteClip("is cut off: its index is missing", "cut off")
        return tracks(file, boxes, size)
    except BrokenBoxes as error:
        raise IncompleteClip(error.message, "cut off" if error.cut_off else "damaged") from error


def _check_kind(head: bytes) -> None:
    """Raise IncompleteClip for a file that is neither MP4 nor its parent, QuickTime."""
    if head[4:10] == b"ftypqt" or head[4:8] in _FIRST_BOXES:
        return
    try:
        if sniff(head) not in ("mp4", "m4a"):
            raise IncompleteClip("is not an MP4", "no video")
    except UnsupportedMedia as error:
        description = error.message.partition(";")[0]
        if description.endswith(" video"):
            raise IncompleteClip(f"{description}, no MP4") from error
        message = "is not a video" if description.startswith("is not ") else f"{description}, no video"
        raise IncompleteClip(message, "no video") from error


def _video_track(indexed_tracks: list[Track]) -> Track:
    """The film: of several video tracks that with the most frames; a thumbnail has one, a cover picture no track."""
    videos = [track for track in indexed_tracks if track.handler == b"vide" and track.samples]
    if not videos:
        raise IncompleteClip("has no video track")
    return max(videos, key=lambda track: track.samples)


def _shown_seconds(video: Track, measured: Fraction) -> Fraction:
    """The length that a player shows: what an edit list takes of the video, never more than there is."""
    full_length = measured if video.sample_seconds is None else video.sample_seconds
    return full_length if video.edited_seconds is None else min(video.edited_seconds, full_length)


# -- the content ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Span:
    """Packets of one track while they are read: how many, and from when to when in ticks of the track's clock."""

    tick: Fraction = Fraction(1)
    packets: int = 0
    start: int | None = None
    end: int = 0

    @property
    def seconds(self) -> Fraction:
        return (self.end - (self.start or 0)) * self.tick


def _measure(file: BufferedReader, indexed_tracks: list[Track]) -> dict[int, _Span]:
    """Read every packet, and compare each track with what the index counts; return what was read, by track."""
    spans: dict[int, _Span] = {}
    with _open(file, edits=False) as container:
        for packet in container.demux():
            # The demuxer ends each track with an empty packet.
            if packet.dts is None and packet.pts is None:
                continue
            if packet.is_corrupt:
                raise IncompleteClip("is damaged: a part of its video or audio is missing")
            stream = packet.stream
            if (span := spans.get(stream.id)) is None:
                span = spans[stream.id] = _Span(stream.time_base or Fraction(1))
            # Whole ticks: fractions of a second for each packet cost half of the whole check.
            start = packet.pts if packet.pts is not None else packet.dts or 0
            span.packets += 1
            span.start = start if span.start is None else min(span.start, start)
            span.end = max(span.end, start + (packet.duration or 0))
    for track in indexed_tracks:
        if track.handler in (b"vide", b"soun"):
            _check_track(track, spans.get(track.id, _Span()))
    return spans


def _check_track(track: Track, span: _Span) -> None:
    content = "video" if track.handler == b"vide" else "audio"
    if span.packets < track.samples:
        raise IncompleteClip(
            f"is damaged: {track.samples - span.packets} of {track.samples} parts of its {content} are missing"
        )
    if track.stated_seconds is None or not track.sample_seconds:
        return
    slack = max(_SLACK, 2 * track.longest_sample)
    if abs(track.stated_seconds - track.sample_seconds) > slack:
        measured, stated = float(track.sample_seconds), float(track.stated_seconds)
        raise IncompleteClip(f"is damaged: its {content} has {measured:.2f} seconds instead of {stated:.2f}")


@contextmanager
def _open(file: BufferedReader, *, edits: bool) -> "Iterator[InputContainer]":
    """Context manager: the opened clip, trimmed by its edit lists or whole; errors become IncompleteClip."""
    from av.error import FFmpegError

    file.seek(0)
    limits = {"max_pixels": str(MAX_PIXELS), "ignore_editlist": "0" if edits else "1"}
    try:
        with open_media(file, "mov", max_streams=str(_MAX_TRACKS), **limits) as container:
            yield container
    except (FFmpegError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise IncompleteClip("is damaged: its video cannot be decoded") from error


def _picture(file: BufferedReader, video: Track, which: Which, use: "Callable[[av.VideoFrame], T]") -> T:
    """Decode the first or the last frame and use it; an edit list that leaves no frame is ignored."""
    if video.edited_seconds is not None:
        try:
            return _decode(file, video, which, use, edits=True)
        except IncompleteClip:
            pass  # the edit list may be at fault
    return _decode(file, video, which, use, edits=False)


def _decode(file: BufferedReader, video: Track, which: Which, use: "Callable[[av.VideoFrame], T]", *, edits: bool) -> T:
    with _open(file, edits=edits) as container:
        stream = next((stream for stream in container.streams.video if stream.id == video.id), None)
        if stream is None or stream.codec_context is None:
            raise IncompleteClip("has a video track in an unsupported format")
        if not 0 < stream.width * stream.height <= MAX_PIXELS:
            raise IncompleteClip(f"is damaged: its frames would have {stream.width} × {stream.height} pixels")
        # Without "explode" ffmpeg hides what is broken in a frame, and the clip would pass.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
        end = video.edited_seconds if edits else None
        picture = _first(container, stream) if which == "first" else _last(container, stream, end)
        if picture is None:
            raise IncompleteClip(f"is damaged: its {which} frame cannot be decoded")
        return use(picture)


def _upright(picture: "av.VideoFrame") -> "Image.Image":
    image = image_of(picture)
    return image.rotate(picture.rotation, expand=True) if picture.rotation else image


def _shown_size(picture: "av.VideoFrame") -> tuple[int, int]:
    """Width and height of a frame when it is upright."""
    if picture.rotation % 90:
        return _upright(picture).size
    return (picture.height, picture.width) if picture.rotation % 180 else (picture.width, picture.height)


def _first(container: "InputContainer", stream: "av.VideoStream") -> "av.VideoFrame | None":
    container.seek(0)
    return next(iter(container.decode(stream)), None)


def _last(container: "InputContainer", stream: "av.VideoStream", end: Fraction | None) -> "av.VideoFrame | None":
    """Decode the last frame from the last key frame on: a long clip costs no more than a short clip.

    `end` is where an edit list ends the video: frames behind it would be decoded, and not shown.
    """
    # Beyond every end, from where ffmpeg goes back to the last key frame.
    target = 1 << 60 if end is None else max(0, int(end / (stream.time_base or 1)) - 1)
    container.seek(target, stream=stream, backward=True, any_frame=False)
    last_picture = None
    for picture in container.decode(stream):
        last_picture = picture
    return last_picture
