"""Plain grey clips of the right shape and length: made in milliseconds, for load tests."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

# Two pictures a second are the fewest with a first and a last one; encoding them takes milliseconds. Few packets of
# sound: a run that joins its clips decodes and encodes each one.
_RATE, _SOUND_RATE = 2, 8_000


def draw(width: int, height: int, seconds: int, target: Path) -> None:
    """Write a real H.264/AAC MP4: one grey, two pictures a second, silence."""
    import av

    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        picture = container.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast", "crf": "40"})
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=_SOUND_RATE, layout="mono")
        _pictures(container, picture, seconds)
        _silence(container, sound, seconds)


def fingerprint_box(text: str) -> bytes:
    """An MP4 box that players skip, appended so that clips of two specs differ in content, as real clips do."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    # A box has its own length first; `free` is the kind that holds nothing for anybody.
    return (8 + len(digest)).to_bytes(4, "big") + b"free" + digest


def _pictures(container: "av.container.OutputContainer", stream: "av.VideoStream", seconds: int) -> None:
    import av

    frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
    for plane in frame.planes:
        # The middle of each plane: grey without a colour.
        plane.update(bytes([128]) * plane.buffer_size)
    for number in range(seconds * _RATE):
        frame.pts, frame.time_base = number, Fraction(1, _RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _silence(container: "av.container.OutputContainer", stream: "av.AudioStream", seconds: int) -> None:
    import av

    # An AAC packet holds 1,024 samples.
    for start in range(0, seconds * _SOUND_RATE, 1024):
        frame = av.AudioFrame("fltp", "mono", min(1024, seconds * _SOUND_RATE - start))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = _SOUND_RATE, start, Fraction(1, _SOUND_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
