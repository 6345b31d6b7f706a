"""Small real clips for tests: a plain picture of a shade, some seconds long."""

from fractions import Fraction
from functools import cache
from io import BytesIO

import av
from PIL import Image

from runner.media.frames import frame_of


@cache
def clip(shade: int = 80, seconds: float = 1.0, width: int = 64, height: int = 36) -> bytes:
    """An H.264 MP4 of 2 pictures a second; the same bytes each time it is asked for."""
    out = BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 2)
        for _ in range(round(seconds * 2)):
            frame = frame_of(Image.new("RGB", (width, height), (shade, shade, shade)))
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()
