"""Conversion between video frames and RGB images, with the colours that a browser would show."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    from PIL import Image


def image_of(frame: "av.VideoFrame", width: int | None = None, height: int | None = None) -> "Image.Image":
    """Return a decoded frame as an RGB image, of another size where one is given.

    Without stated colours, BT.709 is assumed from 720 lines up.
    """
    from av.video.reformatter import Colorspace
    from PIL import Image

    # 2 means "unspecified"; the codec's own scaler would assume BT.601 for any size.
    stated = frame.colorspace if frame.colorspace not in (0, 2) else None
    colorspace = stated or (Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601)
    # The scaler's own choice blurs what it shrinks.
    filter_name = None if width is None else "BICUBIC"
    rgb = frame.reformat(width, height, format="rgb24", src_colorspace=colorspace, interpolation=filter_name)
    plane = rgb.planes[0]
    size = (rgb.width, rgb.height)
    return Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size, 1)


def frame_of(image: "Image.Image") -> "av.VideoFrame":
    """Return an image as an RGBA frame for the scaler or an encoder."""
    import av

    return av.VideoFrame.from_bytes(image.convert("RGBA").tobytes(), image.width, image.height, format="rgba")
