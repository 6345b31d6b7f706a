"""Encoding of an MP4 that browsers play and seek: H.264 and AAC, the index in front."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array

    import av

RATE = 48_000
"""Samples a second of the sound track."""
BLOCK = 1_024
"""Samples of one frame of AAC."""
# Frames of AAC after which the encoder's answer to a repeated sound repeats.
_SETTLED = 4
# Measured on these pictures: half the plain preset's bytes at 42 dB; a fixed quantizer saves a look at each picture,
# and coarser pictures between two others pay for the quicker code.
_X264_OPTIONS = {
    "preset": "ultrafast",
    "x264-params": (
        "qp=27:pbratio=1.8:deadzone-inter=26:cabac=0:deblock=0,0:aq-mode=0:bframes=3:b-adapt=0:direct=temporal"
        ":subme=0:me=dia:weightb=0:scenecut=0:rc-lookahead=0"
    ),
}


class Scaler:
    """The codec's own scaler, prepared once for all pictures of a clip."""

    __slots__ = ("_reformatter",)

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()

    def scaled(self, frame: "av.VideoFrame", size: tuple[int, int]) -> "av.VideoFrame":
        """The picture at this size: itself when it is that large."""
        from av.video.reformatter import Interpolation

        if (frame.width, frame.height) == size:
            return frame
        return self._reformatter.reformat(frame, *size, interpolation=Interpolation.BILINEAR, threads=1)


def empty_frame(size: tuple[int, int]) -> "av.VideoFrame":
    """A frame for the encoder, to be painted on."""
    import av

    return av.VideoFrame(*size, "yuv420p")


class Writer:
    """Writer of one clip: its pictures in order, then its sound."""

    __slots__ = ("_audio", "_container", "_frame_count", "_scaler", "_size", "_video")

    def __init__(self, container: "av.container.OutputContainer", size: tuple[int, int], fps: int, sound: bool) -> None:
        self._container = container
        self._size = size
        self._frame_count = 0
        self._scaler = Scaler()
        self._video = container.add_stream("libx264", rate=fps, options=dict(_X264_OPTIONS))
        self._video.width, self._video.height = size
        self._video.pix_fmt = "yuv420p"
        context = self._video.codec_context
        # One thread: the same bytes every time, and several clips share the cores among themselves.
        context.thread_count = 1
        # A key picture every two seconds, so that seeking is quick.
        context.gop_size = fps * 2
        # Stated (limited range, BT.709), since players take BT.601 for granted below 720 lines.
        context.color_range = 1
        context.colorspace = context.color_primaries = context.color_trc = 1
        self._audio = (
            container.add_stream("aac", rate=RATE, layout="mono", options={"aac_coder": "fast"}) if sound else None
        )
        if self._audio:
            # Noise, syllables and one music in one channel: more bits are not heard.
            self._audio.bit_rate = 64_000

    def picture(self, frame: "av.VideoFrame") -> None:
        """Append a picture (yuv420p, BT.709), scaled to the clip's size when it is smaller."""
        frame = self._scaler.scaled(frame, self._size)
        frame.pts = self._frame_count
        frame.time_base = 1 / self._video.codec_context.framerate
        frame.color_range = 1
        frame.colorspace = 1
        self._frame_count += 1
        for packet in self._video.encode(frame):
            self._container.mux(packet)

    def sound(self, samples: "array[float]", loop: int = 0) -> None:
        """Write the whole sound track: one channel, -1 to 1, the same after `loop` samples (whole blocks) if not 0.

        What repeats is encoded once: each frame of AAC is decoded with the one before it alone.
        """
        if self._audio is None:
            return
        blocks = -(-len(samples) // BLOCK)
        turn = loop // BLOCK
        encoded = blocks if not turn else min(blocks, _SETTLED + 1 + turn)
        packets = self._encoded(samples, encoded, is_whole=encoded == blocks)
        for packet in packets:
            self._container.mux(packet)
        if encoded == blocks:
            return
        repeated = [bytes(packet) for packet in packets[_SETTLED : _SETTLED + turn]]
        # The encoder is one frame behind: as many frames and one more hold all samples.
        for number in range(len(packets), blocks + 1):
            self._container.mux(self._again(repeated[(number - _SETTLED) % turn], number, len(samples)))

    def _encoded(self, samples: "array[float]", blocks: int, *, is_whole: bool) -> "list[av.Packet[av.AudioStream]]":
        """The packets of the first blocks of a sound; the last one, too, when these are all."""
        import av

        assert self._audio is not None
        track = memoryview(samples).cast("B")
        packets: list[av.Packet[av.AudioStream]] = []
        for start in range(0, blocks * BLOCK, BLOCK):
            count = min(BLOCK, len(samples) - start)
            frame = av.AudioFrame(format="fltp", layout="mono", samples=count)
            plane = frame.planes[0]
            plane.update(bytes(track[start * 4 : (start + count) * 4]).ljust(plane.buffer_size, b"\0"))
            frame.sample_rate, frame.pts = RATE, start
            packets += self._audio.encode(frame)
        if is_whole:
            packets += self._audio.encode(None)
        return packets

    def _again(self, content: bytes, number: int, total: int) -> "av.Packet[av.stream.Stream]":
        """A packet with the content of an earlier one, as the packet of this number of a sound of `total` samples."""
        import av

        assert self._audio is not None
        packet = av.Packet(content)
        packet.stream = self._audio
        packet.time_base = Fraction(1, RATE)
        packet.pts = packet.dts = (number - 1) * BLOCK
        packet.duration = min(BLOCK, total - (number - 1) * BLOCK)
        return packet

    def finish(self) -> None:
        """Flush the encoder of the pictures."""
        for packet in self._video.encode(None):
            self._container.mux(packet)


@contextmanager
def open_writer(target: Path, size: tuple[int, int], fps: int, sound: bool) -> Iterator[Writer]:
    """Context manager: a writer on a new MP4 at `target`; the file is complete when the block has ended."""
    import av

    # `bitexact` keeps the library's version out; in this timescale each picture takes a whole number of ticks.
    options = {"movflags": "+faststart", "fflags": "+bitexact", "video_track_timescale": str(fps * 512)}
    with av.open(str(target), "w", format="mp4", options=options) as container:
        writer = Writer(container, size, fps, sound)
        yield writer
        writer.finish()
