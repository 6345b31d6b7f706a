"""Places with houses: skylines, roofs, streets, roads."""

import math
from functools import partial

from PIL import Image

from runner.animatic.palette import mix
from runner.animatic.planes import Colour
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sky import paint_sky


def skyline(stage: SceneCanvas) -> None:
    """Towers behind towers, windows lit at night."""
    stage.horizon = 0.8
    paint_sky(stage)
    palette = stage.palette
    dice = stage.noise.apart("skyline")
    mist = palette.sky[-1]
    for number, (level, tall) in enumerate(((0.74, 3.2), (0.8, 2.9))):
        mask, _ = _towers(stage, dice, level, tall, 0.55)
        stage.bake(mask, mix(mist, palette.far, 0.4 + 0.32 * number), mix(mist, palette.far, 0.1 + 0.25 * number))
    _lit(stage, 0.6, 0.88, 3.6, 0.8, palette.depth(0.55), palette.depth(0.4), dice)
    _lit(stage, 0.95, 1.0, 2.7, 1.4, palette.depth(0.9), palette.depth(0.8), dice)
    ledge = stage.panel(0, stage.y(0.91), stage.canvas[0], stage.canvas[1])
    stage.add(ledge, 1.15, mix(palette.near, palette.sun, 0.08), palette.near)
    stage.ground = 0.92


def _towers(
    stage: SceneCanvas, dice: SeededNoise, foot: float, tall: float, wide: float
) -> tuple[Image.Image, list[tuple[float, float, float]]]:
    """Towers side by side over the canvas; left, right and top of each."""
    pen = MaskPen(stage.canvas)
    unit, bottom = stage.unit, stage.canvas[1]
    x, found = -unit, []
    while x < stage.canvas[0]:
        width = unit * wide * dice.between(0.7, 1.7)
        top = stage.y(foot) - unit * tall * dice.between(0.25, 1.0) ** 1.3
        pen.rect(x, top, x + width, bottom)
        _roof(pen, dice, x, x + width, top, unit * wide)
        found.append((x, x + width, top))
        x += width + unit * wide * dice.pick((0.02, 0.04, 0.3))
    return pen.mask.reduce(2), found


def _roof(pen: MaskPen, dice: SeededNoise, left: float, right: float, top: float, size: float) -> None:
    middle, width = (left + right) / 2, right - left
    kind = dice.whole(0, 6)
    if kind == 0:
        pen.line([(middle, top), (middle, top - size * 0.9)], size * 0.05)
    elif kind == 1:
        pen.rect(left + width * 0.2, top - size * 0.22, right - width * 0.2, top + 1)
        pen.line([(middle, top), (middle, top - size * 0.6)], size * 0.04)
    elif kind == 2:
        pen.shape([(left, top + 1), (right, top + 1), (right, top - size * 0.35)])
    elif kind == 3:
        pen.rect(left + width * 0.55, top - size * 0.4, left + width * 0.85, top - size * 0.12)
        pen.line([(left + width * 0.6, top), (left + width * 0.6, top - size * 0.2)], size * 0.05)
        pen.line([(left + width * 0.8, top), (left + width * 0.8, top - size * 0.2)], size * 0.05)


def _lit(
    stage: SceneCanvas, depth: float, foot: float, tall: float, wide: float, top: Colour, low: Colour, dice: SeededNoise
) -> None:
    """A row of towers as a layer, with windows."""
    mask, towers = _towers(stage, dice, foot, tall, wide)
    picture = gradient((mix(top, low, 0.2), top, low), stage.canvas)
    palette = stage.palette
    share = 0.42 if palette.night else 0.12
    glass = mix(top, palette.sky[-2], 0.3)
    bright = mix(palette.accent, (255, 226, 160), 0.55)
    for colour, chance, seed in ((glass, 0.5, "dark"), (bright, share, "lit")):
        throw = dice.apart(f"{seed} {depth}")
        windows = stage.mask(partial(_windows, towers, stage.unit * wide * 0.16, chance, throw))
        picture.paste(colour, (0, 0), windows)
    stage.paint(mask, depth, picture)


def _windows(
    towers: list[tuple[float, float, float]], step: float, chance: float, dice: SeededNoise, pen: MaskPen
) -> None:
    for left, right, top in towers:
        count = int((right - left - step) / step)
        edge = (right - left - count * step) / 2
        for row in range(26):
            for column in range(count):
                if dice.chance(chance * (0.7 if row % 3 else 1)):
                    x, y = left + edge + (column + 0.22) * step, top + step * (0.9 + row * 1.25)
                    pen.rect(x, y, x + step * 0.56, y + step * 0.72)


def roofs(stage: SceneCanvas) -> None:
    """An old town on its hills: gables, a dome, bell towers."""
    stage.horizon = 0.66
    paint_sky(stage)
    palette = stage.palette
    dice = stage.noise.apart("roofs")
    mist = palette.sky[-1]
    far = stage.area(stage.ridge(0.6, 0.05, 4, "far"))
    stage.bake(far, mix(mist, palette.far, 0.35), mix(mist, palette.far, 0.1))
    clay = mix(palette.far, (196, 98, 62), 0.5)
    for number, (level, size) in enumerate(((0.64, 0.34), (0.71, 0.5))):
        walls, tiles = _houses(stage, dice, level, size, landmarks=number == 1)
        tone = 0.5 - 0.3 * number
        stage.bake(walls, mix(mix(palette.far, palette.sun, 0.3), mist, tone))
        stage.bake(tiles, mix(clay, mist, tone))
    for level, size, depth, dark in ((0.77, 0.85, 0.7, 0.15), (0.9, 1.5, 1.15, 0.5)):
        walls, tiles = _houses(stage, dice, level, size, landmarks=False)
        picture = gradient((mix(palette.far, palette.near, dark), palette.near), stage.canvas)
        picture.paste(mix(clay, palette.near, dark), (0, 0), tiles)
        both = walls.copy()
        both.paste(255, (0, 0), tiles)
        lit = stage.mask(partial(_panes, stage, dice.apart(f"panes {depth}"), level, size))
        picture.paste(mix(palette.accent, (255, 226, 160), 0.6), (0, 0), lit)
        stage.paint(both, depth, picture)
    stage.ground = 0.87


def _houses(
    stage: SceneCanvas, dice: SeededNoise, level: float, size: float, landmarks: bool
) -> tuple[Image.Image, Image.Image]:
    walls, tiles = MaskPen(stage.canvas), MaskPen(stage.canvas)
    unit, bottom = stage.unit * size, stage.canvas[1]
    line = stage.ridge(level, 0.05, 3, f"town {level}")
    x = -unit
    while x < stage.canvas[0]:
        width = unit * dice.between(0.9, 1.9)
        at = min(len(line) - 3, max(0, int((x + width / 2) / stage.canvas[0] * (len(line) - 2))))
        top = line[at][1] + unit * dice.between(-0.35, 0.35)
        walls.rect(x, top, x + width + 1, bottom)
        pitch = unit * dice.between(0.3, 0.6)
        if dice.chance(0.75):
            tiles.shape(
                [
                    (x - unit * 0.08, top),
                    (x + width + unit * 0.08, top),
                    (x + width * 0.9, top - pitch),
                    (x + width * 0.1, top - pitch),
                ]
            )
        else:
            tiles.shape([(x - unit * 0.04, top), (x + width + unit * 0.04, top), (x + width / 2, top - pitch * 1.5)])
        if dice.chance(0.4):
            chimney = x + width * dice.between(0.25, 0.7)
            walls.rect(chimney, top - pitch * 1.35, chimney + unit * 0.16, top)
        if landmarks and dice.chance(0.13):
            _landmark(walls, tiles, dice, x + width / 2, top, unit)
        x += width * dice.between(0.82, 1.0)
    return walls.mask.reduce(2), tiles.mask.reduce(2)


def _landmark(walls: MaskPen, tiles: MaskPen, dice: SeededNoise, x: float, top: float, unit: float) -> None:
    if dice.chance(0.5):
        walls.rect(x - unit * 0.9, top - unit * 1.5, x + unit * 0.9, top)
        dome = [math.pi * step / 24 for step in range(25)]
        tiles.shape([(x + math.cos(a) * unit * 0.95, top - unit * (1.45 + math.sin(a))) for a in dome])
        walls.rect(x - unit * 0.16, top - unit * 3.0, x + unit * 0.16, top - unit * 2.4)
        return
    walls.rect(x - unit * 0.42, top - unit * 2.6, x + unit * 0.42, top)
    tiles.shape([(x - unit * 0.5, top - unit * 2.6), (x + unit * 0.5, top - unit * 2.6), (x, top - unit * 3.7)])


def _panes(stage: SceneCanvas, dice: SeededNoise, level: float, size: float, pen: MaskPen) -> None:
    unit = stage.unit * size
    for _ in range(60 if stage.palette.night else 14):
        x, y = stage.x(dice.between(-0.15, 1.15)), stage.y(level) + unit * dice.between(0.7, 2.4)
        pen.rect(x, y, x + unit * 0.16, y + unit * 0.26)


def street(stage: SceneCanvas) -> None:
    """House fronts that run to a point, lamps, a road that shines when it is wet."""
    stage.horizon = 0.56
    paint_sky(stage)
    palette = stage.palette
    dice = stage.noise.apart("street")
    x, y = stage.x(dice.between(0.44, 0.56)), stage.y(stage.horizon)
    stage.glow(x, y, stage.unit * 4, palette.sun, 0.8)
    width, height = stage.canvas
    road = gradient((mix(palette.sky[-1], palette.far, 0.4), palette.depth(0.7), palette.near), (width, height))
    ground = stage.area(
        [(x - stage.unit * 0.5, y), (x + stage.unit * 0.5, y), (width * 1.4, height), (-width * 0.4, height)]
    )
    stage.base.paste(
        road.crop((0, 0, width, height)).resize((width, height - round(y))),
        (0, round(y)),
        ground.crop((0, round(y), width, height)),
    )
    if any(word in stage.words for word in ("rain", "wet", "puddle", "neon", "雨")):
        shine = cloud_mask((width, height - round(y)), f"{stage.words} wet", (14, 3), 140, 230)
        stage.base.paste(
            mix(palette.sun, palette.accent, 0.4), (0, round(y)), shine.point([v * 110 // 255 for v in range(256)])
        )
    for number, depth in enumerate((0.4, 0.7, 0.95)):
        for side in (-1, 1):
            _front(stage, dice.apart(f"{number} {side}"), (x, y), side, number, depth)
    stage.ground = 0.88


def _front(
    stage: SceneCanvas, dice: SeededNoise, point: tuple[float, float], side: int, number: int, depth: float
) -> None:
    """One house of a row: from its near edge to its far edge, both on lines to the vanishing point."""
    near, far = ((2.8, 1.1), (5.6, 2.15), (12.0, 4.3))[number]
    unit, (x, y) = stage.unit, point
    tall = dice.between(0.95, 1.35)
    corners = [
        (x + side * unit * far, y - unit * far * tall),
        (x + side * unit * near, y - unit * near * tall),
        (x + side * unit * near, y + unit * near * 0.42),
        (x + side * unit * far, y + unit * far * 0.42),
    ]
    mask = stage.area(corners)
    palette = stage.palette
    colour = palette.depth(0.3 + number * 0.28)
    picture = gradient((colour, mix(colour, palette.far, 0.25)), stage.canvas)

    def panes(pen: MaskPen) -> None:
        share = 0.55 if palette.night else 0.2
        for row in range(5):
            for column in range(4):
                if not dice.chance(share):
                    continue
                one, two = (far + (near - far) * (column + part) / 4 for part in (0.25, 0.72))
                low, high = (0.18 - row * 0.26 * tall / 1.15, 0.02 - row * 0.26 * tall / 1.15)
                pen.shape(
                    [
                        (x + side * unit * one, y + unit * one * high),
                        (x + side * unit * two, y + unit * two * high),
                        (x + side * unit * two, y + unit * two * low),
                        (x + side * unit * one, y + unit * one * low),
                    ]
                )

    picture.paste(mix(palette.accent, (255, 220, 150), 0.5), (0, 0), stage.mask(panes))
    stage.paint(mask, depth, picture)


def lanterns(stage: SceneCanvas) -> None:
    """A string of paper lanterns across the upper part, each with its light."""
    unit, dice = stage.unit, stage.noise.apart("lanterns")
    left, right, high = stage.x(-0.12), stage.x(1.12), stage.y(dice.between(0.16, 0.2))
    places = []
    for number in range(8):
        share = (number + 0.5) / 8
        places.append((left + (right - left) * share, high + unit * 1.1 * (1 - (2 * share - 1) ** 2)))

    def string(pen: MaskPen) -> None:
        pen.line([(left, high), *places, (right, high)], unit * 0.03)

    def paper(pen: MaskPen) -> None:
        for x, y in places:
            pen.oval(x, y + unit * 0.3, unit * 0.26, unit * 0.32)

    warm = mix(stage.palette.accent, (255, 214, 140), 0.6)
    for x, y in places:
        stage.glow(x, y + unit * 0.3, unit * 1.3, warm, 0.5)
    stage.add(stage.mask(string), 0.6, stage.palette.near)
    stage.add(stage.mask(paper), 0.6, mix(warm, (255, 255, 255), 0.2), mix(warm, stage.palette.accent, 0.6))


def road(stage: SceneCanvas) -> None:
    """A road to the horizon, poles along it."""
    stage.horizon = 0.58
    paint_sky(stage)
    palette = stage.palette
    dice = stage.noise.apart("road")
    x, y = stage.x(dice.between(0.4, 0.6)), stage.y(stage.horizon)
    width, height = stage.canvas
    ranges = stage.area(stage.ridge(0.55, 0.06, 5, "range"))
    stage.bake(ranges, mix(palette.sky[-1], palette.far, 0.6), mix(palette.sky[-1], palette.far, 0.25))
    field = stage.panel(0, y, width, height)
    stage.bake(field, mix(palette.far, palette.sky[-2], 0.3), palette.depth(0.75))
    tar = stage.area([(x - 3, y), (x + 3, y), (x + stage.unit * 7, height), (x - stage.unit * 7, height)])
    stage.bake(tar, palette.depth(0.45), palette.depth(0.9))

    def dashes(pen: MaskPen) -> None:
        for number in range(9):
            start, end = (1.0 / (1.3 + (number + part) * 0.8) for part in (0.0, 0.34))
            top, low = (y + (height - y) * share for share in (end, start))
            pen.shape(
                [
                    (x - stage.unit * 0.16 * end, top),
                    (x + stage.unit * 0.16 * end, top),
                    (x + stage.unit * 0.16 * start, low),
                    (x - stage.unit * 0.16 * start, low),
                ]
            )

    stage.bake(stage.mask(dashes), mix(palette.sun, palette.far, 0.25))

    def poles(pen: MaskPen) -> None:
        side = dice.pick((-1, 1))
        for number in range(6):
            share = 1 / (1.25 + number * 0.75)
            px, foot = x + side * stage.unit * 8.2 * share, y + (height - y) * share * 0.72
            tall = stage.unit * 6.4 * share
            pen.line([(px, foot), (px, foot - tall)], max(1.0, stage.unit * 0.16 * share))
            pen.line(
                [(px - tall * 0.12, foot - tall * 0.9), (px + tall * 0.12, foot - tall * 0.9)],
                max(1.0, stage.unit * 0.1 * share),
            )

    stage.add(stage.mask(poles), 0.9, palette.near)
    stage.ground = 0.88
