"""A part cut out of an MP4: by packets where it begins with a key frame and ends cleanly, else encoded once."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner.media.clip import MAX_PIXELS, IncompleteClip, Which
from runner.media.cut_audio import copy_packets
from runner.media.frames import image_of
from runner.media.open_media import open_media

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from av.container import InputContainer, OutputContainer
    from PIL import Image

# Seconds within which a time written in milliseconds means a frame's own time.
_TOLERANCE = Fraction(1, 1000)
# The index first, as players on the web need it; no version of the library, so that the same part has the same bytes.
_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
# Hardly to be told from the source.
_X264_OPTIONS = {"preset": "medium", "crf": "16"}


class _FrameTimes(NamedTuple):
    """The times between which the frames of the part begin, both included, in seconds."""

    begin: Fraction
    last: Fraction | None

    def holds(self, at: Fraction) -> bool:
        return at >= self.begin - _TOLERANCE and not self.is_before(at)

    def is_before(self, at: Fraction) -> bool:
        return self.last is not None and at > self.last + _TOLERANCE


def cut_video(source: Path, start: Decimal, seconds: Decimal | None, target: Path) -> None:
    """Write the part of an MP4 from `start` on, with its sound.

    Raises FFmpegError, OSError, ValueError for a file that cannot be cut.
    """
    with _open(source) as container:
        span = _span(_video(container), start, seconds)
    if not _copy(source, span, target):
        _encode(source, span, target)


def cut_frame(source: Path, start: Decimal, seconds: Decimal | None, which: Which, target: Path) -> None:
    """Write the first or the last frame of a part of an MP4 as PNG.

    Raises IncompleteClip for a part without a frame; FFmpegError, OSError, ValueError as `cut_video`.
    """
    with _open(source) as container:
        video = _video(container)
        frames = _frames(container, video, _span(video, start, seconds))
        frame = next(frames, None)
        if which == "last":
            for frame in frames:  # noqa: B007 - the last one stays
                pass
        if frame is None:
            raise IncompleteClip("has no frame there")
        _upright(frame).save(target, format="PNG", compress_level=1)


def _span(video: "av.VideoStream", start: Decimal, seconds: Decimal | None) -> _FrameTimes:
    """The span whose frames also end within the part, so that it is never longer than what was asked for."""
    begin = Fraction(start)
    frame = 1 / (video.average_rate or Fraction(24))
    return _FrameTimes(begin, None if seconds is None else max(begin, begin + Fraction(seconds) - frame))


def _open(source: Path) -> "InputContainer":
    return open_media(str(source), "mov", max_pixels=str(MAX_PIXELS))


def _video(container: "InputContainer") -> "av.VideoStream":
    # 0x400 marks a cover picture, which is a video track to ffmpeg.
    stream = next(stream for stream in container.streams.video if not int(stream.disposition) & 0x400)
    if stream.codec_context is None or not 0 < stream.width * stream.height <= MAX_PIXELS:
        raise ValueError("a video track in an unsupported format")
    return stream


def _time(item: "av.Packet[av.VideoStream] | av.VideoFrame") -> Fraction:
    return (item.pts or 0) * (item.time_base or Fraction(1))


# -- by packets -------------------------------------------------------------------------------------------


def _copy(source: Path, span: _FrameTimes, target: Path) -> bool:
    """Write the part by packets; False where frames would be missing or too many."""
    import av

    with _open(source) as container:
        video = _video(container)
        exact = _clean_span(container, video, span)
        if exact is None:
            return False
    with _open(source) as container, av.open(str(target), "w", format="mp4", options=_OPTIONS) as output:
        video = _video(container)
        streams = [video, *container.streams.audio[:1]]
        copy_packets(container, {s: output.add_stream_from_template(s, opaque=True) for s in streams}, output, *exact)
    return True


def _clean_span(
    container: "InputContainer", video: "av.VideoStream", span: _FrameTimes
) -> tuple[Fraction, Fraction] | None:
    """The times of the part's frames, if they are a run of packets from a key frame on, upright as stored."""
    inside: list[av.Packet[av.VideoStream]] = []
    has_ended = False
    for packet in container.demux(video):
        if packet.pts is None:
            continue
        if span.holds(_time(packet)):
            if has_ended or (not inside and not packet.is_keyframe):
                return None
            inside.append(packet)
        elif inside:
            has_ended = True
    # Frames that are shown before the key frame are made from what lies before the part.
    if not inside or min(map(_time, inside)) < _time(inside[0]):
        return None
    frame = next(_frames(container, video, _FrameTimes(_time(inside[0]), None)), None)
    if frame is None or frame.rotation:
        return None
    ends = [_time(packet) + (packet.duration or 0) * (packet.time_base or Fraction(1)) for packet in inside]
    return _time(inside[0]), max(ends)


# -- encoded ----------------------------------------------------------------------------------------------


def _frames(container: "InputContainer", video: "av.VideoStream", span: _FrameTimes) -> "Iterator[av.VideoFrame]":
    """The frames that begin within a span, in their order; decoded from the last key frame before it."""
    container.seek(int(span.begin / (video.time_base or 1)), stream=video, backward=True, any_frame=False)
    for frame in container.decode(video):
        if span.is_before(_time(frame)):
            return
        if span.holds(_time(frame)):
            yield frame


def _encode(source: Path, span: _FrameTimes, target: Path) -> None:
    import av

    with _open(source) as container, av.open(str(target), "w", format="mp4", options=_OPTIONS) as output:
        video = _video(container)
        target_stream, sound = _outputs(container, video, output)
        first: Fraction | None = None
        end = Fraction(0)
        for frame in _frames(container, video, span):
            if not target_stream.codec_context.is_open:
                target_stream.width, target_stream.height = _upright_size(frame)
            first, end = (
                _time(frame) if first is None else first,
                _time(frame) + 1 / (video.average_rate or Fraction(24)),
            )
            output.mux(target_stream.encode(_moved(frame, first)))
        if first is None:
            raise ValueError("no frame there")
        output.mux(target_stream.encode(None))
        if sound:
            container.seek(0)
            copy_packets(container, sound, output, first, end)


def _outputs(
    container: "InputContainer", video: "av.VideoStream", output: "OutputContainer"
) -> "tuple[av.VideoStream, dict[av.stream.Stream, av.stream.Stream]]":
    """The stream to encode to, and the sound's streams by those they are copied from."""
    target_stream = output.add_stream("libx264", rate=video.average_rate or 24, options=dict(_X264_OPTIONS))
    target_stream.pix_fmt = "yuv420p"
    target_stream.codec_context.time_base = video.time_base or Fraction(1, 90_000)
    # One thread: the same bytes every time.
    target_stream.codec_context.thread_count = 1
    return target_stream, {stream: output.add_stream_from_template(stream) for stream in container.streams.audio[:1]}


def _moved(frame: "av.VideoFrame", first: Fraction) -> "av.VideoFrame":
    """A frame as it is encoded: upright, with even sides, its time counted from the part's first frame."""
    base = frame.time_base or Fraction(1, 90_000)
    pts = round((_time(frame) - first) / base)
    if frame.rotation:
        from runner.media.frames import frame_of

        frame = frame_of(_upright(frame))
    # yuv420p has one colour for 2 × 2 pixels.
    width, height = frame.width & ~1, frame.height & ~1
    moved = frame.reformat(width, height, format="yuv420p")
    moved.pts, moved.time_base = pts, base
    # Else the encoder would make each frame of the kind that it had in the source.
    moved.pict_type = 0
    return moved


def _upright_size(frame: "av.VideoFrame") -> tuple[int, int]:
    width, height = frame.width & ~1, frame.height & ~1
    return (height, width) if frame.rotation % 180 else (width, height)


def _upright(frame: "av.VideoFrame") -> "Image.Image":
    image = image_of(frame)
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
