"""Canvas of a scene: wider than the frame, with soft-edged shapes and the layers that the camera sees."""

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from runner.animatic.camera import MARGIN
from runner.animatic.layer import Layer
from runner.animatic.palette import Palette, mix
from runner.animatic.planes import Box, Colour, planes_of
from runner.animatic.seeded_noise import SeededNoise, random_bytes
from runner.lazy_dataclass import dataclass, field

Point = tuple[float, float]
# Factor by which shapes are drawn larger and scaled down, since Pillow draws hard edges.
_OVERSAMPLING = 2


class MaskPen:
    """A pen that draws shapes on a mask, in canvas pixels."""

    __slots__ = ("_draw", "_edges", "_large", "_size")

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._large = Image.new("L", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING))
        self._draw = ImageDraw.Draw(self._large)
        self._edges: Box | None = None

    def mask(self) -> Image.Image:
        """The shapes drawn so far, with soft edges."""
        drawn = Image.new("L", self._size)
        if (part := self.part()) is not None:
            drawn.paste(part[0], part[1])
        return drawn

    def part(self) -> tuple[Image.Image, tuple[int, int]] | None:
        """The part of the mask that holds all shapes, and its upper left corner; None when nothing was drawn.

        Most shapes cover little of their canvas, and the empty rest need not be scaled.
        """
        if self._edges is None:
            return None
        left, top = (max(0, int(edge) - 1) for edge in self._edges[:2])
        right, bottom = (min(side, int(edge) + 2) for side, edge in zip(self._size, self._edges[2:], strict=True))
        if right <= left or bottom <= top:
            return None
        box = (left * _OVERSAMPLING, top * _OVERSAMPLING, right * _OVERSAMPLING, bottom * _OVERSAMPLING)
        return self._large.reduce(_OVERSAMPLING, box), (left, top)

    def clear(self) -> None:
        """Take all shapes away, for the next mask of this size."""
        if self._edges is not None:
            left, top = (math.floor(edge) - 1 for edge in self._edges[:2])
            right, bottom = (math.ceil(edge) + 2 for edge in self._edges[2:])
            box = (left * _OVERSAMPLING, top * _OVERSAMPLING, right * _OVERSAMPLING, bottom * _OVERSAMPLING)
            self._large.paste(0, box)
            self._edges = None

    def shape(self, points: Sequence[Point], strength: int = 255) -> None:
        if len(points) > 2:
            self._draw.polygon([(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points], fill=strength)
            self._reach(points, 0)

    def rect(
        self, left: float, top: float, right: float, bottom: float, strength: int = 255, round_by: float = 0
    ) -> None:
        box = (left * _OVERSAMPLING, top * _OVERSAMPLING, right * _OVERSAMPLING - 1, bottom * _OVERSAMPLING - 1)
        if box[2] <= box[0] or box[3] <= box[1]:
            return
        if round_by:
            self._draw.rounded_rectangle(box, radius=round_by * _OVERSAMPLING, fill=strength)
        else:
            self._draw.rectangle(box, fill=strength)
        self._reach(((left, top), (right, bottom)), 0)

    def oval(self, x: float, y: float, wide: float, tall: float, strength: int = 255) -> None:
        """Draw an ellipse by its middle and its half axes."""
        box = (
            (x - wide) * _OVERSAMPLING,
            (y - tall) * _OVERSAMPLING,
            (x + wide) * _OVERSAMPLING,
            (y + tall) * _OVERSAMPLING,
        )
        if wide > 0 and tall > 0:
            self._draw.ellipse(box, fill=strength)
            self._reach(((x - wide, y - tall), (x + wide, y + tall)), 0)

    def line(self, points: Sequence[Point], thick: float, strength: int = 255) -> None:
        scaled = [(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points]
        self._draw.line(scaled, fill=strength, width=max(1, round(thick * _OVERSAMPLING)), joint="curve")
        self._reach(points, thick + 1)

    def limb(self, start: Point, end: Point, thick: float, strength: int = 255) -> None:
        """Draw a line with round ends."""
        self.line((start, end), thick, strength)
        for x, y in (start, end):
            self.oval(x, y, thick / 2, thick / 2, strength)

    def _reach(self, points: Sequence[Point], around: float) -> None:
        """Widen the edges of what is drawn by shapes through these points."""
        across, down = [x for x, _ in points], [y for _, y in points]
        box = (min(across) - around, min(down) - around, max(across) + around, max(down) + around)
        if (edges := self._edges) is not None:
            box = (min(box[0], edges[0]), min(box[1], edges[1]), max(box[2], edges[2]), max(box[3], edges[3]))
        self._edges = box


@dataclass(slots=True)
class SceneCanvas:
    """A scene under construction; `base` is painted on, `layers` grows from the far to the near."""

    frame_size: tuple[int, int]
    palette: Palette
    noise: SeededNoise
    prompt: str
    """The words for what is seen, in lower case."""
    framing: str = ""
    """The words for camera and framing, in lower case."""
    other_shots: str = ""
    """The words of the scene's other shots, in lower case."""
    layers: list[Layer] = field(default_factory=list)
    horizon: float = 0.62
    """Upper edge of the ground or the water, as a share of the frame's height."""
    has_water: bool = False
    ground_level: float = 0.86
    """Height at which feet stand, as a share of the frame's height."""
    lift: float = 0.0
    """Upward shift of everything, as a share of the frame: room for the caption."""
    size: tuple[int, int] = (0, 0)
    base: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        width, height = self.frame_size
        self.size = (round(width * (0.5 + MARGIN)) * 2, round(height * (0.5 + MARGIN)) * 2)
        self.base = Image.new("RGB", self.size, self.palette.sky[0])

    @property
    def unit(self) -> float:
        """Unit of length: a tenth of the frame's height, a bit less for a very wide frame."""
        width, height = self.frame_size
        return min(height, width * 0.75) / 10

    def x(self, share: float) -> float:
        """Canvas pixels of a position on the frame, 0 left, 1 right."""
        return self.size[0] / 2 + (share - 0.5) * self.frame_size[0]

    def y(self, share: float) -> float:
        return self.size[1] / 2 + (share - 0.5 - self.lift) * self.frame_size[1]

    def mask(self, paint: Callable[[MaskPen], None], blur: float = 0) -> Image.Image:
        """A mask as large as the canvas with the shapes that `paint` draws; `blur` in canvas pixels."""
        pen = MaskPen(self.size)
        paint(pen)
        if not blur:
            return pen.mask()
        mask, part = Image.new("L", self.size), pen.part()
        if part is not None:
            # Nothing is left of a blur three times as far away.
            edge = math.ceil(blur * 3) + 1
            wider = ImageOps.expand(part[0], edge).filter(ImageFilter.GaussianBlur(blur))
            mask.paste(wider, (part[1][0] - edge, part[1][1] - edge))
        return mask

    def paint(self, mask: Image.Image, colour: Colour, low: Colour | None = None) -> None:
        """Paint one colour into the base, or a gradient to `low` over the height of the mask."""
        box = mask.getbbox()
        if box is None:
            return
        if low is None:
            self.base.paste(colour, box, mask.crop(box))
            return
        self.base.paste(gradient((colour, low), (box[2] - box[0], box[3] - box[1])), box[:2], mask.crop(box))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Paint light around a position into the base."""
        self.base.paste(colour, (round(x - radius), round(y - radius)), halo(radius, strength))

    def add_layer(
        self, mask: Image.Image, depth: float, colour: Colour, low: Colour | None = None, drift: float = 0
    ) -> None:
        """Add a layer of one colour, or of a gradient to `low` over its height."""
        box = mask.getbbox()
        if box is None:
            return
        box = even_box(box, self.size)
        picture = None
        if low is not None:
            # As wide as the frame and half as high again: the picture is cut, never scaled.
            tall = box[3] - box[1]
            visible = gradient((colour, low), (self.frame_size[0], tall))
            extended = Image.new("RGB", (self.frame_size[0], tall + tall // 4 * 2), low)
            extended.paste(visible, (0, 0))
            picture = planes_of(extended)
        cover = mask.crop(box)
        self.layers.append(
            Layer(
                box[:2],
                cover,
                depth,
                colour,
                picture,
                drift,
                is_gradient=True,
                solid_from=_solid_from(cover, box, self.size),
            )
        )

    def add_picture(self, mask: Image.Image, depth: float, picture: Image.Image, drift: float = 0) -> None:
        """Add a layer that shows a picture as large as the canvas where the mask covers."""
        box = mask.getbbox()
        if box is not None:
            box = even_box(box, self.size)
            self.layers.append(Layer(box[:2], mask.crop(box), depth, None, planes_of(picture.crop(box)), drift))

    def disc(self, x: float, y: float, wide: float, tall: float, blur: float = 0) -> Image.Image:
        """The mask of an oval, by its middle and its half axes."""
        return self.mask(lambda pen: pen.oval(x, y, wide, tall), blur)

    def panel(
        self, left: float, top: float, right: float, bottom: float, round_by: float = 0, blur: float = 0
    ) -> Image.Image:
        """The mask of a rectangle."""
        return self.mask(lambda pen: pen.rect(left, top, right, bottom, round_by=round_by), blur)

    def area(self, points: Sequence[Point], blur: float = 0) -> Image.Image:
        """The mask of a polygon."""
        return self.mask(lambda pen: pen.shape(points), blur)

    def range(self, level: float, rough: float, waves: int, seed: str) -> Image.Image:
        """The mask of hills around `level`."""
        return self.area(self.ridge(level, rough, waves, seed))

    def ridge(self, level: float, rough: float, waves: int, seed: str) -> list[Point]:
        """The line of hills over the whole canvas around `level` (share of the frame), closed at the bottom."""
        noise = self.noise.substream(seed)
        # Not quite twice the rate from wave to wave: exact octaves would line up and look made.
        parts = [(noise.between(0.7, 1.4) * (1.9**n), noise.between(0, 6.3), 0.56**n) for n in range(waves)]
        width, height = self.size
        step = max(3, width // 240)
        line = [
            (float(x), self.y(level) - rough * self.frame_size[1] * _ridge_height(x / self.frame_size[1], parts))
            for x in range(0, width + step, step)
        ]
        return [*line, (float(width), float(height)), (0.0, float(height))]


def _solid_from(cover: Image.Image, box: tuple[int, int, int, int], canvas_size: tuple[int, int]) -> int | None:
    """The first row from which a layer covers everything; None when the layer misses an edge of the canvas."""
    if box[0] > 0 or box[2] < canvas_size[0] or box[3] < canvas_size[1]:
        return None
    holes = ImageChops.invert(cover).getbbox()
    return holes[3] if holes else 0


def _ridge_height(x: float, parts: Sequence[tuple[float, float, float]]) -> float:
    return sum(math.sin(x * rate * 3 + phase) * high for rate, phase, high in parts) / sum(part[2] for part in parts)


def even_box(box: tuple[int, int, int, int], limit: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box with two pixels more on each side, in even numbers as half-size chroma needs."""
    return (
        max(0, box[0] - 2) // 2 * 2,
        max(0, box[1] - 2) // 2 * 2,
        min(limit[0], (box[2] + 3) // 2 * 2),
        min(limit[1], (box[3] + 3) // 2 * 2),
    )


def gradient(colours: Sequence[Colour], size: tuple[int, int]) -> Image.Image:
    """Colours from the top to the bottom, evenly spread and softly mixed."""
    parts = len(colours) - 1
    column = bytearray()
    for y in range(256):
        place = y / 255 * parts
        at = min(parts - 1, int(place))
        column += bytes(mix(colours[at], colours[at + 1], place - at))
    strip = Image.frombytes("RGB", (1, 256), bytes(column)).resize((1, size[1]), Image.Resampling.BILINEAR)
    return strip.resize(size, Image.Resampling.NEAREST)


def halo(radius: float, strength: float) -> Image.Image:
    """A round light that falls off softly: an L mask of twice the radius."""
    table = [round(255 * strength * max(0.0, 1 - value / 180) ** 2) for value in range(256)]
    side = max(2, round(radius * 2))
    # Drawn at a quarter of the size: light has no edges that would show.
    small = Image.radial_gradient("L").point(table)
    return small.resize((side, side), Image.Resampling.BICUBIC)


def cloud_mask(size: tuple[int, int], seed: str, grain: tuple[int, int], low: int, high: int) -> Image.Image:
    """Soft patches: noise in three sizes, clear below `low` (0 to 255), full above `high`."""
    total = Image.new("L", size)
    for octave in range(3):
        cells = (grain[0] << octave, grain[1] << octave)
        dots = Image.frombytes("L", cells, random_bytes(f"{seed} {octave}", cells[0] * cells[1]))
        rough = dots.resize(size, Image.Resampling.BICUBIC)
        total = rough if octave == 0 else Image.blend(total, rough, 0.38 / octave)
    table = [round(255 * min(1.0, max(0.0, (value - low) / (high - low)))) for value in range(256)]
    return total.point(table)


def add_paper_grain(image: Image.Image, seed: str, strength: int) -> Image.Image:
    """The picture with the grain of paper, which also hides the steps of its gradients."""
    width, height = image.size
    tile = Image.frombytes("L", (256, 256), random_bytes(seed, 65_536)).point([v * strength // 255 for v in range(256)])
    grain = Image.new("L", image.size)
    for x in range(0, width, 256):
        for y in range(0, height, 256):
            grain.paste(tile, (x, y))
    half = Image.new("L", image.size, strength // 2)
    lifted = ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)))
    return ImageChops.subtract(lifted, Image.merge("RGB", (half, half, half)))
