"""Pictures of cut paper: outlines, and the sheet that pieces of card are laid on."""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 720
FINE = 2
"""Everything is cut at twice the size and then shrunk, so that edges are smooth."""

Point = tuple[float, float]
Outline = list[Point]

INK, NIGHT, TEAL, SEA, MIST = "#13202b", "#1b3245", "#1f5560", "#3c8487", "#9cc3bd"
CREAM, SAND, AMBER, SUN, CORAL = "#f7ead0", "#e9cfa0", "#f0a640", "#ffd27a", "#d9593d"
YELLOW, SHADE, SKIN, BLUSH, RED = "#f4bf2c", "#d99a1c", "#e9b48c", "#db8a6b", "#b83a2e"
STONE, SLATE, GREEN, MOSS, WOOD = "#2c3f48", "#233038", "#2f6b52", "#234f3e", "#8a5a34"
INDIGO, DUSK, PLUM, MOON, HAIR = "#1d2450", "#2f3a78", "#4b4187", "#fbe7b8", "#1b1720"


# -- outlines, in picture coordinates ----------------------------------------------------------------------


def box(x: float, y: float, width: float, height: float) -> Outline:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def card(x: float, y: float, width: float, height: float, corner: float = 6) -> Outline:
    """A box with round corners."""
    quarter = [index * math.tau / 24 for index in range(7)]
    middles = ((x + width, y + height, -1, -1), (x, y + height, 1, -1), (x, y, 1, 1), (x + width, y, -1, 1))
    return [
        (
            mx + corner * (dx + math.cos(turn + at * math.tau / 4)),
            my + corner * (dy + math.sin(turn + at * math.tau / 4)),
        )
        for at, (mx, my, dx, dy) in enumerate(middles)
        for turn in quarter
    ]


def ellipse(x: float, y: float, across: float, down: float | None = None) -> Outline:
    """Around the middle `x, y`, with half-axes `across` and `down`."""
    down = across if down is None else down
    turns = [index * math.tau / 72 for index in range(72)]
    return [(x + across * math.cos(turn), y + down * math.sin(turn)) for turn in turns]


def smooth(*points: Point) -> Outline:
    """A closed soft outline through the points (Catmull-Rom)."""
    count, outline = len(points), []
    for index in range(count):
        p0, p1, p2, p3 = (points[(index + step) % count] for step in (-1, 0, 1, 2))
        outline += [_between(p0, p1, p2, p3, part / 12) for part in range(12)]
    return outline


def _between(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def along(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)

    return along(p0[0], p1[0], p2[0], p3[0]), along(p0[1], p1[1], p2[1], p3[1])


def strip(width: float, *points: Point) -> Outline:
    """A band of that width along a line, with round joints left to the eye."""
    left, right = [], []
    for index, (x, y) in enumerate(points):
        before, after = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy) or 1.0
        left.append((x - dy / length * width / 2, y + dx / length * width / 2))
        right.append((x + dy / length * width / 2, y - dx / length * width / 2))
    return left + right[::-1]


def hill(height: float, swell: float, waves: float, phase: float) -> Outline:
    """A rolling edge from side to side, filled down to the bottom."""
    edge = [
        (float(x), height + swell * math.sin(phase + x / WIDTH * waves * math.tau)) for x in range(-20, WIDTH + 21, 20)
    ]
    return [*edge, (WIDTH + 20, HEIGHT + 20), (-20, HEIGHT + 20)]


def trace(points: str) -> Outline:
    """Points written as `x y, x y`."""
    return [(float(x), float(y)) for x, y in (pair.split() for pair in points.split(","))]


def soft(points: str) -> Outline:
    """A closed soft outline through the points."""
    return smooth(*trace(points))


def band(width: float, points: str) -> Outline:
    """A band of that width along the points."""
    return strip(width, *trace(points))


def placed(outline: Outline, x: float, y: float) -> Outline:
    """An outline drawn around the origin, moved to `x, y`."""
    return [(x + dx, y + dy) for dx, dy in outline]


# -- paper ----------------------------------------------------------------------------------------------------


class Sheet:
    """A picture that grows by laying pieces of card on it, each with a soft shadow and a hint of light from above."""

    def __init__(self, top: str, bottom: str) -> None:
        self.image = _gradient((WIDTH * FINE, HEIGHT * FINE), top, bottom)

    def lay(self, colour: str, *outlines: Outline, lift: float = 5, to: str | None = None) -> None:
        """Pieces of one colour (or fading into `to`); `lift` is how far they stand off what lies below."""
        mask = Image.new("L", self.image.size)
        pen = ImageDraw.Draw(mask)
        for outline in outlines:
            pen.polygon([(x * FINE, y * FINE) for x, y in outline], fill=255)
        if lift:
            self._shade(mask, lift)
        bounds = mask.getbbox()
        if bounds is None:
            return
        size = (bounds[2] - bounds[0], bounds[3] - bounds[1])
        card = _gradient(size, mixed(colour, CREAM, 0.07), to or mixed(colour, INK, 0.10))
        self.image.paste(card, bounds[:2], mask.crop(bounds))

    def _shade(self, mask: Image.Image, lift: float) -> None:
        fallen = Image.new("L", mask.size)
        fallen.paste(mask, (int(lift * FINE * 0.6), int(lift * FINE)))
        fallen = fallen.filter(ImageFilter.GaussianBlur(lift * FINE * 0.8)).point(lambda value: int(value * 0.42))
        self.image.paste(Image.new("RGB", self.image.size, INK), (0, 0), fallen)

    def glow(self, colour: str, x: float, y: float, radius: float, strength: float) -> None:
        """Light that spreads from a point."""
        small = Image.new("L", (WIDTH // 4, HEIGHT // 4))
        pen = ImageDraw.Draw(small)
        steps = 40
        for step in range(steps, 0, -1):
            reach = radius * step / steps / 4
            value = int(255 * strength * (1 - step / steps) ** 2)
            pen.ellipse([x / 4 - reach, y / 4 - reach, x / 4 + reach, y / 4 + reach], fill=value)
        veil = small.filter(ImageFilter.GaussianBlur(4)).resize(self.image.size, Image.Resampling.BICUBIC)
        self.image.paste(Image.new("RGB", self.image.size, colour), (0, 0), veil)

    def save(self, path: Path) -> None:
        """PNG, or JPEG for pictures that are mostly glow, as the name says."""
        picture = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        picture.save(path, optimize=True, quality=90)


def _gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), ramp)


def mixed(colour: str, other: str, part: float) -> str:
    pairs = ((int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)
