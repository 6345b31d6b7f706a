"""Small real files of every kind, made by the libraries that cameras and sound programs use."""

import wave
from array import array
from pathlib import Path

import av
from av.audio.layout import AudioLayout
from PIL import Image, ImageDraw

from runner.media.frames import frame_of

RATE = 44_100


def picture(path: Path, size: tuple[int, int] = (64, 36), colour: str = "teal") -> Path:
    """A picture with a diagonal; its format by its ending."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).line((0, 0, *size), fill="white", width=4)
    image.save(path)
    return path


def sound(path: Path, codec: str, container: str, seconds: float = 2.0) -> Path:
    """A saw tooth in mono."""
    samples = array("h", [at * 37 % 8_000 - 4_000 for at in range(round(seconds * RATE))])
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate, frame.pts = RATE, 0
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=48_000 if codec == "libopus" else RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(
            format=stream.format, layout=AudioLayout("mono"), rate=stream.rate, frame_size=stream.frame_size or 1024
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(piece):
                file.mux(packet)
    return path


def wav(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(round(seconds * 8_000) * 2))
    return path


def film(path: Path, pictures: list[Image.Image], fps: int = 24, faststart: bool = False) -> Path:
    """An H.264 MP4 of the pictures, with B-frames as cameras make them, without sound."""
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", format="mp4", options=options) as file:
        stream = file.add_stream("libx264", rate=fps, options={"crf": "12", "x264-params": "bframes=2"})
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        for image in pictures:
            for packet in stream.encode(frame_of(image).reformat(format="yuv420p")):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)
    return path


def colours(count: int, size: tuple[int, int] = (64, 36)) -> list[Image.Image]:
    """Pictures that can be told apart: from dark to bright."""
    return [Image.new("RGB", size, (30 + 180 * at // max(1, count - 1), 60, 60)) for at in range(count)]
