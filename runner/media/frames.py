"""Between the pictures of a video and pictures in RGB, with the colours that a browser would show."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    from PIL import Image


def image_of(frame: "av.VideoFrame") -> "Image.Image":
    """A decoded picture as RGB; a video that does not say its colours is taken for BT.709 from 720 lines up."""
    from av.video.reformatter import Colorspace
    from PIL import Image

    # 2 is "not said"; the codec's own scaler would take BT.601 for any size.
    stated = frame.colorspace if frame.colorspace not in (0, 2) else None
    colorspace = stated or (Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601)
    rgb = frame.reformat(format="rgb24", src_colorspace=colorspace)
    plane = rgb.planes[0]
    size = (rgb.width, rgb.height)
    return Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size, 1)


def frame_of(image: "Image.Image") -> "av.VideoFrame":
    """A picture as a frame (rgba) for the scaler or an encoder."""
    import av

    return av.VideoFrame.from_bytes(image.convert("RGBA").tobytes(), image.width, image.height, format="rgba")
