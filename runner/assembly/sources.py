"""Facts about a clip that decide how it is joined with others: codecs, sizes, rates, time bases, lengths."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from runner.assembly.parts import AssemblyError
from runner.lazy_dataclass import dataclass
from runner.media.clip import MAX_PIXELS
from runner.media.mp4_boxes import BrokenBoxes, turns_pictures, walk
from runner.media.open_media import open_media

if TYPE_CHECKING:
    import av
    from av.container import InputContainer


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """Facts that have to be equal in two clips before the packets of their video can follow each other in one track."""

    codec: str
    profile: str
    width: int
    height: int
    pixel_format: str
    rate: Fraction
    sample_aspect: Fraction
    rotation: int
    colours: tuple[int, int, int, int]
    """Range, matrix, primaries and transfer."""
    # The settings of the decoder, of which a track has one set: that of its first clip.
    extradata: bytes


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Rate, channels and bits a second of a clip's sound: the film's track follows them."""

    rate: int
    layout: str
    bit_rate: int


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A clip's tracks: their formats, and when its video begins and how long it lasts, in seconds."""

    video: VideoFormat
    audio: AudioFormat | None
    seconds: Fraction
    begin: Fraction = Fraction(0)
    """The moment of the file that is second 0 of the clip: later than 0 where no edit list cuts off what precedes."""

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as a player shows them."""
        video = self.video
        return shown_size(video.width, video.height, video.sample_aspect, video.rotation)


def shown_size(width: int, height: int, sample_aspect: Fraction, rotation: int) -> tuple[int, int]:
    """Width and height of a picture as a player shows it: in square pixels, upright."""
    square_width = max(2, round(width * sample_aspect))
    return (square_width, height) if rotation % 180 == 0 else (height, square_width)


def sample_aspect(stream: "av.VideoStream") -> Fraction:
    """The width of a track's pixels by their height; 1 where it names none."""
    return Fraction(stream.sample_aspect_ratio or 1)


def open_source(path: Path, **options: str) -> "InputContainer":
    """Open a clip or an audio file, with further options of the demuxer. Raises AssemblyError."""
    from av.error import FFmpegError

    try:
        return open_media(str(path), None, max_pixels=str(MAX_PIXELS), **options)
    except (FFmpegError, OSError, ValueError) as error:
        raise AssemblyError("cannot be opened: it is no video or is damaged", path) from error


def facts_of(path: Path) -> SourceFacts:
    """Read a clip's headers. Raises AssemblyError for a file without a video that can be decoded."""
    from av.error import FFmpegError

    with open_source(path) as container:
        stream = film_stream(container)
        if stream is None or stream.codec_context is None or not stream.width * stream.height:
            raise AssemblyError("has no video that can be decoded", path)
        try:
            beginning = _beginning(path, container, stream)
            video = _video_format(stream, beginning)
            seconds = _whole_pictures(_seconds(container, stream) - beginning.held, video.rate)
            return SourceFacts(video, _audio_format(container), seconds, beginning.seconds + beginning.held)
        except (FFmpegError, ValueError, ZeroDivisionError) as error:
            raise AssemblyError("is damaged: its video cannot be decoded", path) from error


def film_stream(container: "InputContainer") -> "av.VideoStream | None":
    """The video track that is the film: never a cover picture; of several the one with the most frames."""
    from av.stream import Disposition

    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.still_image)
    ]
    return max(videos, key=lambda stream: stream.frames, default=None)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The first pictures of a file."""

    rotation: int = 0
    """Degrees by which a player turns the first one."""
    seconds: Fraction = Fraction(0)
    """The moment of the first one."""
    picture: Fraction = Fraction(0)
    """Seconds of the second one; 0 where there is none."""
    held: Fraction = Fraction(0)
    """Seconds by which the first one is held longer than that, where it is less than a picture.

    A muxer does so for the lead-in of the sound where it writes no edit list.
    """


def _beginning(path: Path, container: "InputContainer", stream: "av.VideoStream") -> _Beginning:
    packets = container.demux(stream)
    first = list(islice(packets, 2))
    lengths = [(packet.duration or 0) * (packet.time_base or Fraction(0)) for packet in first]
    picture = lengths[1] if len(lengths) > 1 else Fraction(0)
    held = lengths[0] - picture if lengths else Fraction(0)
    held = held if picture / 8 < held < picture else Fraction(0)
    if _begins_with_first_packet(first) and not _may_turn(path):
        return _Beginning(0, (first[0].pts or 0) * (first[0].time_base or Fraction(0)), picture, held)
    # One frame is decoded sooner than threads are started for it.
    stream.codec_context.thread_count = 1
    frame = next((frame for packet in chain(first, packets) for frame in packet.decode()), None)
    if frame is None:
        return _Beginning()
    return _Beginning(frame.rotation, (frame.pts or 0) * (frame.time_base or Fraction(0)), picture, held)


def _begins_with_first_packet(first: "Sequence[av.Packet[av.VideoStream]]") -> bool:
    """Whether the first of two packets is the first picture that is shown: nothing is hidden or shown before it."""
    if len(first) < 2 or any(packet.is_discard for packet in first) or not first[0].is_keyframe:
        return False
    pts, next_pts = first[0].pts, first[1].pts
    return pts is not None and next_pts is not None and pts < next_pts


def _may_turn(path: Path) -> bool:
    """Whether a player may turn the file's pictures: only the headers of an MP4 tell without decoding one."""
    try:
        with path.open("rb") as file:
            return turns_pictures(file, walk(file, path.stat().st_size))
    except (OSError, BrokenBoxes):
        # Unknown: then the first picture is decoded, which tells.
        return True


def _video_format(stream: "av.VideoStream", beginning: _Beginning) -> VideoFormat:
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(24)
    if beginning.held:
        rate = 1 / beginning.picture
    return VideoFormat(
        codec=context.name,
        profile=str(context.profile),
        width=stream.width,
        height=stream.height,
        pixel_format=context.pix_fmt or "",
        rate=_plain_rate(Fraction(rate)),
        sample_aspect=sample_aspect(stream),
        rotation=beginning.rotation,
        colours=(context.color_range, context.colorspace, context.color_primaries, context.color_trc),
        extradata=context.extradata or b"",
    )


def _plain_rate(rate: Fraction) -> Fraction:
    """The rate that is meant: 23.976 as 24000/1001, and a measured 23.9999 as 24."""
    candidates = [Fraction(whole) for whole in (24, 25, 30, 48, 50, 60)]
    candidates += [Fraction(whole * 1000, 1001) for whole in (24, 30, 60)]
    nearest = min(candidates, key=lambda candidate: abs(candidate - rate))
    return nearest if abs(nearest - rate) / nearest < Fraction(1, 2000) else rate.limit_denominator(1001)


def _audio_format(container: "InputContainer") -> AudioFormat | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None:
        return None
    return AudioFormat(context.sample_rate, context.layout.name, context.bit_rate or 0)


def _seconds(container: "InputContainer", stream: "av.VideoStream") -> Fraction:
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    # A container counts in microseconds, whatever its tracks count in.
    return Fraction(container.duration or 0, 1_000_000)


def _whole_pictures(seconds: Fraction, rate: Fraction) -> Fraction:
    """The length as a number of pictures where it is one to the millisecond in which an edit list counts."""
    pictures = round(seconds * rate) / rate
    return pictures if abs(pictures - seconds) < Fraction(1, 1000) else seconds
