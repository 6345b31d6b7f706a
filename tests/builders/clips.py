"""Small clips for assemblies: each frame is one grey level that tells its number; the sound is a steady tone."""

import math
from array import array
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av

from runner.lazy_dataclass import dataclass
from tests.builders.scheduling import ordinary_scheduling

RATE = 48_000
_OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "11", "svtav1-params": "lp=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}
"""The fastest choices of each encoder."""


def make_clip(
    path: Path,
    *,
    seconds: Fraction = Fraction(1),
    size: tuple[int, int] = (160, 90),
    rate: Fraction = Fraction(24),
    codec: str = "libx264",
    level: int = 120,
    tone: float | None = 440.0,
    loudness: float = 0.2,
    sound_seconds: Fraction | None = None,
    gop: int = 12,
    sound_rate: int = RATE,
    layout: str = "stereo",
    rotation: int = 0,
    tone_start: Fraction = Fraction(0),
    b_frames: int = 0,
    sample_aspect: Fraction = Fraction(1),
    muxer: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write a clip of one grey `level` (luma) whose frames get darker by 1; `tone` None makes it silent.

    A player makes the picture's pixels `sample_aspect` wide and turns it by `rotation` degrees. The tone is that of a
    longer one from `tone_start` on.
    """
    options = {"fflags": "+bitexact", **muxer}
    with ordinary_scheduling(), av.open(str(path), "w", format="mp4", options=options) as output:
        video = output.add_stream(codec, rate=rate, options=_OPTIONS.get(codec, {}) | {"bf": str(b_frames)})
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.gop_size = gop
        if sample_aspect != 1:
            video.codec_context.sample_aspect_ratio = sample_aspect
        if rotation:
            video.set_display_rotation(rotation)
        audio = (
            output.add_stream("aac", rate=sound_rate, layout=layout, options={"aac_coder": "fast"})
            if tone is not None
            else None
        )
        for number in range(round(seconds * rate)):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane, value in zip(frame.planes, (max(17, level - number), 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.pts, frame.time_base = number, 1 / rate
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if audio is not None and tone is not None:
            length = sound_seconds if sound_seconds is not None else seconds
            for piece in _tone(tone, loudness, (tone_start, length), sound_rate, layout):
                output.mux(audio.encode(piece))
            output.mux(audio.encode(None))
    return path


def _tone(
    frequency: float, loudness: float, span: tuple[Fraction, Fraction], sound_rate: int, layout: str
) -> "list[av.AudioFrame]":
    """A tone from a moment on for some seconds."""
    start, end = round(span[0] * sound_rate), round((span[0] + span[1]) * sound_rate)
    step = 2 * math.pi * frequency / sound_rate
    wave = array("f", [loudness * math.sin(step * at) for at in range(start, end)])
    if layout != "mono":
        channel, wave = wave, wave * 2
        wave[::2] = wave[1::2] = channel
    frame = av.AudioFrame(format="flt", layout=layout, samples=end - start)
    frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate, frame.pts = sound_rate, 0
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=sound_rate, frame_size=1024)
    return [*resampler.resample(frame), *resampler.resample(None)]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A film decoded from end to end."""

    size: tuple[int, int]
    luma: tuple[int, ...]
    """The middle pixel's luma of each frame."""
    times: tuple[Fraction, ...]
    """Seconds of each frame."""
    samples: "array[float]"
    """The left channel, from second 0 on."""
    largest_gap: float
    """The longest distance in seconds between the end of a piece of sound and the start of the next."""

    @property
    def seconds(self) -> Fraction:
        return self.times[-1] + (self.times[-1] - self.times[-2])

    def loudness(self, start: float, end: float) -> float:
        """Root mean square of the sound between two moments."""
        part = self.samples[round(start * RATE) : round(end * RATE)]
        return math.sqrt(sum(sample * sample for sample in part) / max(1, len(part)))


def decode(path: Path) -> Decoded:
    """Decode every frame and every sample. Raises FFmpegError at any damage."""
    luma, times, samples, gaps = [], [], array("f"), [0.0]
    size = (0, 0)
    with av.open(str(path)) as container:
        for stream in container.streams:
            stream.codec_context.options = {"err_detect": "explode"}
        sound_end: float | None = None
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                size = (frame.width, frame.height)
                plane = frame.planes[0]
                luma.append(memoryview(plane)[plane.line_size * (frame.height // 2) + frame.width // 2])
                times.append((frame.pts or 0) * (frame.time_base or Fraction(1)))
            elif isinstance(frame, av.AudioFrame):
                start = float(frame.time or 0)
                if sound_end is not None:
                    gaps.append(abs(start - sound_end))
                sound_end = start + frame.samples / frame.sample_rate
                for piece in resampler.resample(frame):
                    samples.frombytes(bytes(piece.planes[0])[: piece.samples * 4])
    return Decoded(size, tuple(luma), tuple(times), samples, max(gaps))
