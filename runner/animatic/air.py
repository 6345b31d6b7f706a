"""Moving patterns in front of a scene: rain, snow, drifting fog, dust in the light, glitter on water."""

import re
from collections.abc import Callable

from PIL import Image, ImageChops

from runner.animatic.camera import CameraView, window
from runner.animatic.palette import mix
from runner.animatic.planes import Colour, Mask, Planes, yuv
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask
from runner.animatic.seeded_noise import SeededNoise
from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """A pattern twice the size of the frame, moved over it at a speed in pixels a second without an end."""

    tile: Image.Image
    speed: tuple[float, float]
    light: int
    """Luma of the pattern; without `colour` the chroma stays, as rain and dust have none."""
    colour: Colour | None = None
    half: Image.Image | None = None
    """The pattern half as large, for the chroma of its colour."""

    def draw(self, planes: Planes, canvas_size: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay the pattern over the frame."""
        width, height = planes.y.size
        if self.colour is None:
            # Twelve steps a second are enough for rain and snow, and halve the encoder's work.
            moment = int(moment * 12) / 12
        mask = _tile_at(self.tile, self.speed, moment, (width, height))
        if self.colour is None or self.half is None:
            planes.y.paste(self.light, (0, 0, width, height), mask)
            return
        half = _tile_at(self.half, (self.speed[0] / 2, self.speed[1] / 2), moment, (width // 2, height // 2))
        planes.tint(self.colour, (0, 0), Mask(mask, half))


@dataclass(frozen=True, slots=True)
class Glitter:
    """Light on water: two patterns that slide against each other, visible where both are bright."""

    tiles: tuple[Image.Image, Image.Image]
    horizon: float
    """Canvas pixels from the top."""
    depth: float
    light: int

    def draw(self, planes: Planes, canvas_size: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay the glitter over the water, below the horizon as the camera sees it."""
        width, height = planes.y.size
        box = window(view, self.depth, (width, height), canvas_size)
        top = max(0, round((self.horizon - box[1]) * height / (box[3] - box[1])))
        size = (width, min(height - top, self.tiles[0].height // 2))
        if size[1] < 2:
            return
        # Two speeds without a small common measure: the pattern as a whole does not repeat.
        first = _tile_at(self.tiles[0], (34.0, 0.0), moment, size)
        second = _tile_at(self.tiles[1], (-27.0, 0.0), moment, size)
        planes.y.paste(self.light, (0, top, width, top + size[1]), ImageChops.multiply(first, second))


AirPattern = Drift | Glitter


def air_of(canvas: SceneCanvas) -> list[AirPattern]:
    """The patterns that suit the prompt and the place."""
    prompt, noise = canvas.prompt, canvas.noise.substream("air")
    patterns: list[AirPattern] = []
    if canvas.has_water:
        patterns.append(_glitter(canvas, noise))
    if re.search(r"\bfog|\bmist|haze|smoke|steam|雾", prompt):
        patterns.append(_fog(canvas))
    if re.search(r"\brain(?!coat|bow)|storm|downpour|drizzle|雨(?!衣)|дождь|مطر|גשם", prompt):
        # At two distances: what falls at one looks like a curtain.
        patterns += [_rain(canvas, noise, near) for near in (0.6, 1.0)]
    elif re.search(r"\bsnow|blizzard|winter|雪", prompt):
        patterns += [_snow(canvas, noise, near) for near in (0.6, 1.0)]
    elif re.search(r"dust|\blight\b|forest|kitchen|candle|fireflies|sparkl|golden|beam|magic|confetti", prompt):
        patterns.append(_dust(canvas, noise))
    return patterns


def _rain(canvas: SceneCanvas, noise: SeededNoise, near: float) -> Drift:
    width, height = canvas.frame_size
    unit = canvas.unit

    def streaks(pen: MaskPen) -> None:
        for _ in range(round(90 * near)):
            x, y, long = noise.unit() * width, noise.unit() * height, unit * near * noise.between(0.5, 1.1)
            # Drawn again where it leaves the tile: repeated, the pattern has no seam.
            for dx in (0, -width):
                for dy in (0, -height):
                    at = (x + dx + unit * 0.12, y + dy)
                    pen.line([at, (at[0] - long * 0.16, at[1] + long)], unit * 0.022 * near, noise.integer(40, 85))

    return Drift(_tiled(canvas, streaks), (-unit * 2.6 * near, unit * 16 * near), 205)


def _snow(canvas: SceneCanvas, noise: SeededNoise, near: float) -> Drift:
    width, height = canvas.frame_size

    def flakes(pen: MaskPen) -> None:
        for _ in range(round(130 / near)):
            x, y, size = noise.unit() * width, noise.unit() * height, canvas.unit * near * noise.between(0.025, 0.07)
            for dx in (0, width, -width):
                pen.oval(x + dx, y, size, size, noise.integer(120, 230))

    return Drift(_tiled(canvas, flakes), (-canvas.unit * 0.35 * near, canvas.unit * 1.3 * near), 235)


def _dust(canvas: SceneCanvas, noise: SeededNoise) -> Drift:
    width, height = canvas.frame_size

    def dots(pen: MaskPen) -> None:
        for _ in range(46):
            x, y, size = noise.unit() * width, noise.unit() * height, canvas.unit * noise.pick((0.02, 0.03, 0.045))
            pen.oval(x, y, size, size, noise.integer(50, 150))

    return Drift(_tiled(canvas, dots), (canvas.unit * 0.22, -canvas.unit * 0.16), 235)


def _fog(canvas: SceneCanvas) -> Drift:
    width, height = canvas.frame_size
    # An eighth of the size: fog has no edges that would show the scaling.
    patch = cloud_mask((width // 8, height // 8), f"{canvas.prompt} fog", (3, 4), 105, 225)
    # Mirrored on both axes, the patch continues over its own edges.
    tile = Image.new("L", (width // 4, height // 4))
    flipped = patch.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for x, piece in ((0, patch), (width // 8, flipped)):
        tile.paste(piece, (x, 0))
        tile.paste(piece.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (x, height // 8))
    tile = tile.point([v * 120 // 255 for v in range(256)])
    row = Image.new("L", (tile.width * 2, tile.height))
    for x in (0, tile.width):
        row.paste(tile, (x, 0))
    whole = row.resize((width * 4, height * 2), Image.Resampling.BILINEAR)
    colour = mix(canvas.palette.sky[-1], canvas.palette.far, 0.2)
    return Drift(whole, (canvas.unit * 0.5, 0.0), 0, colour, whole.reduce(2))


def _glitter(canvas: SceneCanvas, noise: SeededNoise) -> Glitter:
    width = canvas.frame_size[0]
    horizon = canvas.y(canvas.horizon)
    tall = max(4, round(canvas.size[1] - horizon))
    tiles = []
    for _ in range(2):
        pen = MaskPen((width, tall))
        for _ in range(300):
            # More of it towards the horizon, where the water is seen at a flat angle.
            share = noise.unit() ** 1.4
            x, y, long = noise.unit() * width, share * tall, canvas.unit * (0.08 + 0.5 * share)
            for dx in (0, -width):
                pen.rect(x + dx, y, x + dx + long, y + max(1.0, canvas.unit * 0.022), noise.integer(90, 255))
        tile = pen.mask()
        doubled = Image.new("L", (width * 2, tall * 2))
        for x in (0, width):
            doubled.paste(tile, (x, 0))
        tiles.append(doubled)
    return Glitter((tiles[0], tiles[1]), horizon, 0.25, yuv(canvas.palette.sun)[0])


def _tiled(canvas: SceneCanvas, paint: Callable[[MaskPen], None]) -> Image.Image:
    """A pattern of the frame's size repeated twice in each direction, so that any cut of that size is seamless."""
    width, height = canvas.frame_size
    pen = MaskPen(canvas.frame_size)
    paint(pen)
    tile = pen.mask()
    whole = Image.new("L", (width * 2, height * 2))
    for x in (0, width):
        for y in (0, height):
            whole.paste(tile, (x, y))
    return whole


def _tile_at(tile: Image.Image, speed: tuple[float, float], moment: float, size: tuple[int, int]) -> Image.Image:
    """The part of a repeating pattern that lies over the frame at a moment."""
    x = round(-speed[0] * moment) % (tile.width // 2)
    y = round(-speed[1] * moment) % (tile.height // 2) if speed[1] else 0
    return tile.crop((x, y, x + size[0], y + size[1]))
