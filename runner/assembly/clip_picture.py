"""The picture that stands for a range of a clip, decoded from as few pictures as it takes, and scaled."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from runner.assembly.parts import AssemblyError
from runner.assembly.sources import film_stream, open_source, sample_aspect, shown_size
from runner.lazy_dataclass import dataclass, replace
from runner.media.clip import MAX_PIXELS
from runner.media.frames import image_of

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

    VideoPacket = av.Packet[av.VideoStream]

# Luma below which a picture is black to the eye, and the share of its pixels that have to be so.
_BLACK = 48
_BLACK_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class ClipRange:
    """The part of a clip that the film shows, and how far into it decoding may go for a picture of it."""

    begin: Fraction
    """Second of the clip."""
    seconds: Fraction
    reach: Fraction
    """Seconds past the range's begin or a key picture in it, at most; the middle where that is nearer."""

    def moment(self, key: Fraction) -> Fraction:
        """The moment whose picture stands for the range, by the last key picture up to its middle.

        Near the middle: a clip often begins with the still that it was given, or out of black.
        """
        return max(key, min(self.begin + self.seconds / 2, max(key, self.begin) + self.reach))


def clip_picture(path: Path, span: ClipRange, width: int) -> Image.Image | None:
    """The picture that stands for a range, upright and `width` pixels wide; None where nothing can be decoded.

    Where it is black within the reach, as in a fade, it is the picture of the middle.
    """
    image = _picture(path, span, width)
    if image is None or span.reach >= span.seconds / 2 or not _is_black(image):
        return image
    return _picture(path, replace(span, reach=span.seconds), width)


def _is_black(image: Image.Image) -> bool:
    return sum(image.convert("L").histogram()[:_BLACK]) >= image.width * image.height * _BLACK_SHARE


def _picture(path: Path, span: ClipRange, width: int) -> Image.Image | None:
    from av.error import FFmpegError

    try:
        # Opening decodes a picture to learn what the headers say as well, unless it is told to leave out all.
        with open_source(path, skip_frame="all") as container:
            stream = film_stream(container)
            if stream is None or stream.codec_context is None:
                return None
            frame = _frame(container, stream, span)
            if frame is None or frame.width * frame.height > MAX_PIXELS:
                return None
            return _scaled(frame, sample_aspect(stream), width)
    except (AssemblyError, FFmpegError, OSError, ValueError):
        return None


def _frame(container: "InputContainer", stream: "av.VideoStream", span: ClipRange) -> "av.VideoFrame | None":
    """The frame that is shown at the range's moment."""
    base = Fraction(stream.time_base or 1)
    start = (stream.start_time or 0) * base
    container.seek(int((start + span.begin + span.seconds / 2) / base), stream=stream)
    decoder = _Decoder(stream)
    moment: int | None = None
    for packet in container.demux(stream):
        at = _shown_at(packet)
        if at is None:
            continue
        if moment is None:
            # Rounded towards the moment: a picture that begins within the same tick is shown at it.
            moment = int((start + span.moment(at * base - start)) / base)
        if packet.dts is not None and packet.dts > moment:
            break
        decoder.add(packet, is_later=at <= moment)
    return decoder.finish()


def _shown_at(packet: "VideoPacket") -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


class _Decoder:
    """Decodes one picture exactly: before it only those that others refer to, after it none."""

    def __init__(self, stream: "av.VideoStream") -> None:
        self._context = stream.codec_context
        # Several clips are decoded at once; threads for one would decode pictures that nobody needs.
        self._context.thread_count = 1
        # Opened before it is told what to skip: one that reads that at its start could skip the wanted picture too.
        self._context.open(strict=False)
        self._held: list[VideoPacket] = []
        """The packet of the latest picture so far, and those after it in the file."""
        self._latest = 0

    def add(self, packet: "VideoPacket", *, is_later: bool) -> None:
        """Take the next packet of the file; `is_later` where its picture may be the wanted one."""
        at = _shown_at(packet) or 0
        if is_later and not packet.is_discard and (not self._held or at > self._latest):
            self._skip(self._held)
            self._held, self._latest = [packet], at
        elif self._held:
            self._held.append(packet)
        else:
            self._skip([packet])

    def _skip(self, packets: "list[VideoPacket]") -> None:
        self._context.skip_frame = "NONREF"
        for packet in packets:
            self._context.decode(packet)

    def finish(self) -> "av.VideoFrame | None":
        """The wanted picture: that of the latest packet, else the last one that comes out."""
        self._context.skip_frame = "DEFAULT"
        frames = [frame for packet in (*self._held[:1], None) for frame in self._context.decode(packet)]
        return next((frame for frame in frames if frame.pts == self._latest), frames[-1] if frames else None)


def _scaled(frame: "av.VideoFrame", aspect: Fraction, width: int) -> Image.Image | None:
    """The frame as a player shows it, `width` pixels wide; None where that would be a picture of too many pixels."""
    shown_width, shown_height = shown_size(frame.width, frame.height, aspect, frame.rotation)
    height = max(1, round(shown_height * width / shown_width))
    if width * height > MAX_PIXELS:
        return None
    image = image_of(frame, *((height, width) if frame.rotation % 180 == 90 else (width, height)))
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
