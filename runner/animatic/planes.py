"""Pictures as the codec takes them, luma and two half-size chroma planes: a frame costs no conversion."""

from typing import TYPE_CHECKING, cast

from PIL import Image

from runner.lazy_dataclass import dataclass
from runner.media.frames import frame_of

if TYPE_CHECKING:
    import av

Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]
"""Red, green, blue from 0 to 255."""


@dataclass(slots=True)
class Planes:
    """One picture in BT.709, limited range, 4:2:0; the only mutable value of a rendering, painted on frame by frame."""

    y: Image.Image
    u: Image.Image
    v: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        return self.y.size

    def crop(self, box: Box, size: tuple[int, int]) -> "Planes":
        """The part inside `box` (pixels, fractions allowed), scaled to `size` (even numbers)."""
        half = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        small = (size[0] // 2, size[1] // 2)
        return Planes(sample(self.y, box, size), sample(self.u, half, small), sample(self.v, half, small))

    def paste(self, other: "Planes", at: tuple[int, int], mask: "Mask | None") -> None:
        """Paste `other` onto this picture; `at` is even, else the colours are half a pixel aside."""
        half = (at[0] // 2, at[1] // 2)
        if mask is None:
            self.y.paste(other.y, at)
            self.u.paste(other.u, half)
            self.v.paste(other.v, half)
        else:
            self.y.paste(other.y, at, mask.full)
            self.u.paste(other.u, half, mask.half)
            self.v.paste(other.v, half, mask.half)

    def tint(self, colour: Colour, at: tuple[int, int], mask: "Mask") -> None:
        """Paint one colour onto this picture through a mask; `at` is even."""
        y, u, v = yuv(colour)
        width, height = mask.full.size
        self.y.paste(y, (at[0], at[1], at[0] + width, at[1] + height), mask.full)
        width, height = mask.half.size
        left, top = at[0] // 2, at[1] // 2
        self.u.paste(u, (left, top, left + width, top + height), mask.half)
        self.v.paste(v, (left, top, left + width, top + height), mask.half)

    def blend(self, other: "Planes", share: float) -> "Planes":
        """A mixture of this picture and `share` (0 to 1) of another one of the same size."""
        return Planes(
            Image.blend(self.y, other.y, share),
            Image.blend(self.u, other.u, share),
            Image.blend(self.v, other.v, share),
        )

    def copy(self) -> "Planes":
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())

    def frame(self) -> "av.VideoFrame":
        """The picture as a frame for the encoder."""
        import av

        frame = av.VideoFrame(*self.size, "yuv420p")
        for plane, image in zip(frame.planes, (self.y, self.u, self.v), strict=True):
            if plane.line_size != image.width:
                padded = Image.new("L", (plane.line_size, image.height))
                padded.paste(image, (0, 0))
                image = padded
            plane.update(image.tobytes())
        return frame


@dataclass(frozen=True, slots=True)
class Mask:
    """Opacity in luma resolution and, half as large, in chroma resolution."""

    full: Image.Image
    half: Image.Image

    def fade(self, share: float) -> "Mask":
        """The mask with only `share` (0 to 1) of its strength."""
        if share >= 1:
            return self
        return Mask(faded(self.full, share), faded(self.half, share))


def faded(mask: Image.Image, share: float) -> Image.Image:
    """The mask with only `share` (0 to 1) of its strength."""
    return Image.blend(Image.new("L", mask.size), mask, share)


def mask_of(full: Image.Image) -> Mask:
    """A mask of an L image with even sides."""
    return Mask(full, full.reduce(2))


def sample(image: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    """Cut out and scale, with fractions of a pixel; a mere shift costs a tenth of what scaling does."""
    if abs(box[2] - box[0] - size[0]) < _EPSILON and abs(box[3] - box[1] - size[1]) < _EPSILON:
        return _shifted(image, box[0], box[1], size)
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


# A thousandth of a pixel changes no value of 8 bits.
_EPSILON = 1e-3


def _shifted(image: Image.Image, x: float, y: float, size: tuple[int, int]) -> Image.Image:
    """The result of bilinear scaling by 1: neighbours mixed by the fraction of the shift."""
    left, top = int(x + _EPSILON), int(y + _EPSILON)
    right, low = max(0.0, x - left), max(0.0, y - top)
    width, height = size
    wide = right > _EPSILON and left + 1 + width <= image.width
    high = low > _EPSILON and top + 1 + height <= image.height
    rows = height + high
    part = image.crop((left, top, left + width, top + rows))
    if wide:
        part = Image.blend(part, image.crop((left + 1, top, left + 1 + width, top + rows)), right)
    return Image.blend(part.crop((0, 0, width, height)), part.crop((0, 1, width, rows)), low) if high else part


def planes_of(image: Image.Image) -> Planes:
    """The planes of an RGB picture with even sides."""
    from av.video.reformatter import ColorRange, Colorspace

    frame = frame_of(image).reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
    )
    return planes_of_frame(frame)


def planes_of_frame(frame: "av.VideoFrame") -> Planes:
    """The planes of a decoder's yuv420p frame."""
    y, u, v = (
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    )
    return Planes(y, u, v)


def planes_over(frame: "av.VideoFrame") -> Planes:
    """The planes of a yuv420p frame, sharing its memory: what is painted on them is in the frame."""
    y, u, v = images_over(frame)
    return Planes(y, u, v)


def images_over(frame: "av.VideoFrame") -> list[Image.Image]:
    """The planes of a frame as images that share its memory."""
    images = []
    for plane in frame.planes:
        # Any buffer will do, whatever Pillow's types say.
        memory = cast("bytes", plane)
        image = Image.frombuffer("L", (plane.width, plane.height), memory, "raw", "L", plane.line_size, 1)
        # Pillow would copy the memory before the first stroke.
        image.readonly = 0
        images.append(image)
    return images


def yuv(colour: Colour) -> tuple[int, int, int]:
    """A colour in BT.709, limited range."""
    red, green, blue = (part / 255 for part in colour)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 * luma),
        round(128 + 224 * (blue - luma) / 1.8556),
        round(128 + 224 * (red - luma) / 1.5748),
    )
