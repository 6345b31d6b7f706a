"""What moves in the air and on the water: rain, snow, drifting fog, dust in the light, the glitter of the sun."""

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
    """A pattern, twice the frame so that it can run on for ever, moving over the frame at a speed in pixels."""

    tile: Image.Image
    speed: tuple[float, float]
    light: int
    """Luma that it is painted with; colours below stay, as rain and dust have none."""
    colour: Colour | None = None

    def draw(self, planes: Planes, canvas: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay it over the frame."""
        width, height = planes.y.size
        if self.colour is None:
            # Twelve steps a second are enough for what falls, and half the work of writing it down.
            moment = int(moment * 12) / 12
        mask = _shifted(self.tile, self.speed, moment, (width, height))
        if self.colour is None:
            planes.y.paste(self.light, (0, 0, width, height), mask)
        else:
            planes.tint(self.colour, (0, 0), Mask(mask, mask.reduce(2)))


@dataclass(frozen=True, slots=True)
class Glitter:
    """Light on water: two patterns that slide against each other, seen where both are bright."""

    tiles: tuple[Image.Image, Image.Image]
    horizon: float
    """Canvas pixels from the top."""
    depth: float
    light: int

    def draw(self, planes: Planes, canvas: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay it over the water, below the horizon as the camera sees it."""
        width, height = planes.y.size
        box = window(view, self.depth, (width, height), canvas)
        top = max(0, round((self.horizon - box[1]) * height / (box[3] - box[1])))
        size = (width, min(height - top, self.tiles[0].height // 2))
        if size[1] < 2:
            return
        one = _shifted(self.tiles[0], (34.0, 0.0), moment, size)
        other = _shifted(self.tiles[1], (-27.0, 0.0), moment, size)
        planes.y.paste(self.light, (0, top, width, top + size[1]), ImageChops.multiply(one, other))


Moving = Drift | Glitter


def air_of(stage: SceneCanvas) -> list[Moving]:
    """What the words and the place let one expect."""
    words, dice = stage.words, stage.noise.apart("air")
    found: list[Moving] = []
    if stage.water:
        found.append(_glitter(stage, dice))
    if re.search(r"\bfog|\bmist|haze|smoke|steam|雾", words):
        found.append(_fog(stage))
    if re.search(r"\brain(?!coat|bow)|storm|downpour|drizzle|雨(?!衣)|дождь|مطر|גשם", words):
        found += [_rain(stage, dice, near) for near in (0.6, 1.0)]
    elif re.search(r"\bsnow|blizzard|winter|雪", words):
        found += [_snow(stage, dice, near) for near in (0.6, 1.0)]
    elif re.search(r"dust|\blight\b|forest|kitchen|candle|fireflies|sparkl|golden|beam|magic|confetti", words):
        found.append(_motes(stage, dice))
    return found


def _rain(stage: SceneCanvas, dice: SeededNoise, near: float) -> Drift:
    width, height = stage.size
    unit = stage.unit

    def streaks(pen: MaskPen) -> None:
        for _ in range(round(90 * near)):
            x, y, long = dice.unit() * width, dice.unit() * height, unit * near * dice.between(0.5, 1.1)
            for dx in (0, -width):
                for dy in (0, -height):
                    at = (x + dx + unit * 0.12, y + dy)
                    pen.line([at, (at[0] - long * 0.16, at[1] + long)], unit * 0.022 * near, dice.whole(40, 85))

    return Drift(_endless(stage, streaks), (-unit * 2.6 * near, unit * 16 * near), 205)


def _snow(stage: SceneCanvas, dice: SeededNoise, near: float) -> Drift:
    width, height = stage.size

    def flakes(pen: MaskPen) -> None:
        for _ in range(round(130 / near)):
            x, y, size = dice.unit() * width, dice.unit() * height, stage.unit * near * dice.between(0.025, 0.07)
            for dx in (0, width, -width):
                pen.oval(x + dx, y, size, size, dice.whole(120, 230))

    return Drift(_endless(stage, flakes), (-stage.unit * 0.35 * near, stage.unit * 1.3 * near), 235)


def _motes(stage: SceneCanvas, dice: SeededNoise) -> Drift:
    width, height = stage.size

    def dots(pen: MaskPen) -> None:
        for _ in range(46):
            x, y, size = dice.unit() * width, dice.unit() * height, stage.unit * dice.pick((0.02, 0.03, 0.045))
            pen.oval(x, y, size, size, dice.whole(50, 150))

    return Drift(_endless(stage, dots), (stage.unit * 0.22, -stage.unit * 0.16), 235)


def _fog(stage: SceneCanvas) -> Drift:
    width, height = stage.size
    patch = cloud_mask((width // 8, height // 8), f"{stage.words} fog", (3, 4), 105, 225)
    # Mirrored, it meets itself at its edges.
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
    return Drift(whole, (stage.unit * 0.5, 0.0), 0, mix(stage.palette.sky[-1], stage.palette.far, 0.2))


def _glitter(stage: SceneCanvas, dice: SeededNoise) -> Glitter:
    width = stage.size[0]
    horizon = stage.y(stage.horizon)
    tall = max(4, round(stage.canvas[1] - horizon))
    tiles = []
    for _ in range(2):
        pen = MaskPen((width, tall))
        for _ in range(300):
            share = dice.unit() ** 1.4
            x, y, long = dice.unit() * width, share * tall, stage.unit * (0.08 + 0.5 * share)
            for dx in (0, -width):
                pen.rect(x + dx, y, x + dx + long, y + max(1.0, stage.unit * 0.022), dice.whole(90, 255))
        tile = pen.mask.reduce(2)
        doubled = Image.new("L", (width * 2, tall * 2))
        for x in (0, width):
            doubled.paste(tile, (x, 0))
        tiles.append(doubled)
    return Glitter((tiles[0], tiles[1]), horizon, 0.25, yuv(stage.palette.sun)[0])


def _endless(stage: SceneCanvas, paint: Callable[[MaskPen], None]) -> Image.Image:
    """A pattern of the frame's size, four times, so that any cut of a frame's size is seamless."""
    width, height = stage.size
    pen = MaskPen(stage.size)
    paint(pen)
    tile = pen.mask.reduce(2)
    whole = Image.new("L", (width * 2, height * 2))
    for x in (0, width):
        for y in (0, height):
            whole.paste(tile, (x, y))
    return whole


def _shifted(tile: Image.Image, speed: tuple[float, float], moment: float, size: tuple[int, int]) -> Image.Image:
    """The part of an endless pattern that is over the frame now."""
    x = round(-speed[0] * moment) % (tile.width // 2)
    y = round(-speed[1] * moment) % (tile.height // 2) if speed[1] else 0
    return tile.crop((x, y, x + size[0], y + size[1]))
