"""The moving pictures of a reference video, read at the size of its card."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from runner.animatic.planes import Planes, planes_of_frame
from runner.media.frames import image_of
from runner.media.open_media import open_media

if TYPE_CHECKING:
    import av


def first_picture(path: Path) -> Image.Image | None:
    """The first picture of a video; None when no picture can be read."""
    return next((image_of(frame) for frame in _frames(path)), None)


def video_pictures(path: Path, size: tuple[int, int], seconds: float, rate: int) -> list[Planes]:
    """The first `seconds` of a video at `rate` pictures a second, covering `size`; empty for an unreadable file."""
    pictures: list[Planes] = []
    start: float | None = None
    for frame in _frames(path):
        moment = frame.time or 0.0
        start = moment if start is None else start
        if moment - start >= seconds:
            break
        # A slow video repeats a picture for several ticks, a fast one skips some.
        missing = int((moment - start) * rate) + 1 - len(pictures)
        if missing > 0:
            picture = _covering(frame, size)
            pictures += [picture] * min(missing, rate * 2)
    return pictures


def _covering(frame: "av.VideoFrame", size: tuple[int, int]) -> Planes:
    """The frame scaled by the codec's own scaler until it covers the size, then cut to that size."""
    from av.video.reformatter import ColorRange, Colorspace

    share = max(size[0] / frame.width, size[1] / frame.height)
    width, height = (max(2, round(side * share / 2 + 0.49) * 2) for side in (frame.width, frame.height))
    small = frame.reformat(width, height, "yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    planes = planes_of_frame(small)
    left, top = (width - size[0]) // 4 * 2, (height - size[1]) // 4 * 2
    return planes.crop((left, top, left + size[0], top + size[1]), size)


def _frames(path: Path) -> Iterator["av.VideoFrame"]:
    from av.error import FFmpegError

    try:
        with open_media(str(path), "mov") as container:
            if container.streams.video:
                container.streams.video[0].thread_count = 1
                yield from container.decode(container.streams.video[0])
    except (FFmpegError, OSError, ValueError, OverflowError):
        # The pictures up to the damaged place are shown.
        return
