"""Pictures at changing sizes, by the codec's scaler: a third of the time that Pillow takes for it."""

from typing import TYPE_CHECKING

from PIL import Image

from runner.animatic.planes import Planes, images_over

if TYPE_CHECKING:
    import av
    from av.video.reformatter import VideoReformatter

# Difference from 1 below which a scale changes nothing.
_UNSCALED = 1e-3


class Zoom:
    """One mask, one picture, or both as large as each other, and what they were scaled to last."""

    __slots__ = ("_cover", "_frame", "_last", "_picture", "_reformatter")

    def __init__(self, cover: Image.Image | None, picture: Planes | None) -> None:
        self._cover = cover
        self._picture = picture
        self._frame: av.VideoFrame | None = None
        self._reformatter: VideoReformatter | None = None
        self._last: tuple[tuple[int, int], Image.Image | None, Planes | None] | None = None

    def scaled(self, scale: float) -> tuple[Image.Image | None, Planes | None]:
        """Mask and picture scaled to the nearest whole size."""
        from av.video.reformatter import Interpolation, VideoReformatter

        if abs(scale - 1) < _UNSCALED:
            return self._cover, self._picture
        if self._frame is None or self._reformatter is None:
            self._frame, self._reformatter = self._source(), VideoReformatter()
        size = (max(2, round(self._frame.width * scale)), max(2, round(self._frame.height * scale)))
        if self._last is None or self._last[0] != size:
            frame = self._reformatter.reformat(self._frame, *size, interpolation=Interpolation.BILINEAR, threads=1)
            images = images_over(frame)
            cover = None if self._cover is None else images.pop()
            self._last = (size, cover, Planes(*images) if self._picture is not None else None)
        return self._last[1:]

    def _source(self) -> "av.VideoFrame":
        """Mask and picture as one frame, so that one call scales them all."""
        import av

        images = [] if self._picture is None else [self._picture.y, self._picture.u, self._picture.v]
        images += [] if self._cover is None else [self._cover]
        name = {1: "gray", 3: "yuv420p", 4: "yuva420p"}[len(images)]
        frame = av.VideoFrame(*images[0].size, name)
        for image, over in zip(images, images_over(frame), strict=True):
            over.paste(image, (0, 0))
        return frame
