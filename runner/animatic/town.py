"""Places with houses: skylines, roofs, streets, roads."""

import math
from functools import partial

from PIL import Image

from runner.animatic.palette import mix
from runner.animatic.planes import Colour
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sky import paint_sky


def skyline(canvas: SceneCanvas) -> None:
    """Draw a skyline: rows of towers, windows lit at night."""
    canvas.horizon = 0.8
    paint_sky(canvas)
    palette = canvas.palette
    noise = canvas.noise.substream("skyline")
    mist = palette.sky[-1]
    for number, (level, tall) in enumerate(((0.74, 3.2), (0.8, 2.9))):
        mask, _ = _towers(canvas, noise, level, tall, 0.55)
        canvas.paint(mask, mix(mist, palette.far, 0.4 + 0.32 * number), mix(mist, palette.far, 0.1 + 0.25 * number))
    _lit(canvas, 0.6, 0.88, 3.6, 0.8, palette.depth(0.55), palette.depth(0.4), noise)
    _lit(canvas, 0.95, 1.0, 2.7, 1.4, palette.depth(0.9), palette.depth(0.8), noise)
    ledge = canvas.panel(0, canvas.y(0.91), canvas.size[0], canvas.size[1])
    canvas.add_layer(ledge, 1.15, mix(palette.near, palette.sun, 0.08), palette.near)
    canvas.ground_level = 0.92


def _towers(
    canvas: SceneCanvas, noise: SeededNoise, foot: float, tall: float, wide: float
) -> tuple[Image.Image, list[tuple[float, float, float]]]:
    """Towers side by side over the canvas; left, right and top of each."""
    pen = MaskPen(canvas.size)
    unit, bottom = canvas.unit, canvas.size[1]
    x, towers = -unit, []
    while x < canvas.size[0]:
        width = unit * wide * noise.between(0.7, 1.7)
        top = canvas.y(foot) - unit * tall * noise.between(0.25, 1.0) ** 1.3
        pen.rect(x, top, x + width, bottom)
        _roof(pen, noise, x, x + width, top, unit * wide)
        towers.append((x, x + width, top))
        x += width + unit * wide * noise.pick((0.02, 0.04, 0.3))
    return pen.mask(), towers


def _roof(pen: MaskPen, noise: SeededNoise, left: float, right: float, top: float, size: float) -> None:
    middle, width = (left + right) / 2, right - left
    kind = noise.integer(0, 6)
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
    canvas: SceneCanvas,
    depth: float,
    foot: float,
    tall: float,
    wide: float,
    top: Colour,
    low: Colour,
    noise: SeededNoise,
) -> None:
    """Add a row of towers with windows as a layer."""
    mask, towers = _towers(canvas, noise, foot, tall, wide)
    picture = gradient((mix(top, low, 0.2), top, low), canvas.size)
    palette = canvas.palette
    share = 0.42 if palette.night else 0.12
    glass = mix(top, palette.sky[-2], 0.3)
    bright = mix(palette.accent, (255, 226, 160), 0.55)
    for colour, chance, seed in ((glass, 0.5, "dark"), (bright, share, "lit")):
        window_noise = noise.substream(f"{seed} {depth}")
        windows = canvas.mask(partial(_windows, towers, canvas.unit * wide * 0.16, chance, window_noise))
        picture.paste(colour, (0, 0), windows)
    canvas.add_picture(mask, depth, picture)


def _windows(
    towers: list[tuple[float, float, float]], step: float, chance: float, noise: SeededNoise, pen: MaskPen
) -> None:
    for left, right, top in towers:
        count = int((right - left - step) / step)
        edge = (right - left - count * step) / 2
        # More rows than the tallest tower has: those below it are behind the next layer.
        for row in range(26):
            for column in range(count):
                if noise.chance(chance * (0.7 if row % 3 else 1)):
                    x, y = left + edge + (column + 0.22) * step, top + step * (0.9 + row * 1.25)
                    pen.rect(x, y, x + step * 0.56, y + step * 0.72)


def roofs(canvas: SceneCanvas) -> None:
    """Draw an old town on its hills: gables, a dome, bell towers."""
    canvas.horizon = 0.66
    paint_sky(canvas)
    palette = canvas.palette
    noise = canvas.noise.substream("roofs")
    mist = palette.sky[-1]
    far = canvas.area(canvas.ridge(0.6, 0.05, 4, "far"))
    canvas.paint(far, mix(mist, palette.far, 0.35), mix(mist, palette.far, 0.1))
    clay = mix(palette.far, (196, 98, 62), 0.5)
    for number, (level, size) in enumerate(((0.64, 0.34), (0.71, 0.5))):
        walls, tiles = _houses(canvas, noise, level, size, landmarks=number == 1)
        tone = 0.5 - 0.3 * number
        canvas.paint(walls, mix(mix(palette.far, palette.sun, 0.3), mist, tone))
        canvas.paint(tiles, mix(clay, mist, tone))
    for level, size, depth, dark in ((0.77, 0.85, 0.7, 0.15), (0.9, 1.5, 1.15, 0.5)):
        walls, tiles = _houses(canvas, noise, level, size, landmarks=False)
        picture = gradient((mix(palette.far, palette.near, dark), palette.near), canvas.size)
        picture.paste(mix(clay, palette.near, dark), (0, 0), tiles)
        both = walls.copy()
        both.paste(255, (0, 0), tiles)
        lit = canvas.mask(partial(_panes, canvas, noise.substream(f"panes {depth}"), level, size))
        picture.paste(mix(palette.accent, (255, 226, 160), 0.6), (0, 0), lit)
        canvas.add_picture(both, depth, picture)
    canvas.ground_level = 0.87


def _houses(
    canvas: SceneCanvas, noise: SeededNoise, level: float, size: float, landmarks: bool
) -> tuple[Image.Image, Image.Image]:
    walls, tiles = MaskPen(canvas.size), MaskPen(canvas.size)
    unit, bottom = canvas.unit * size, canvas.size[1]
    line = canvas.ridge(level, 0.05, 3, f"town {level}")
    x = -unit
    while x < canvas.size[0]:
        width = unit * noise.between(0.9, 1.9)
        at = min(len(line) - 3, max(0, int((x + width / 2) / canvas.size[0] * (len(line) - 2))))
        top = line[at][1] + unit * noise.between(-0.35, 0.35)
        walls.rect(x, top, x + width + 1, bottom)
        pitch = unit * noise.between(0.3, 0.6)
        if noise.chance(0.75):
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
        if noise.chance(0.4):
            chimney = x + width * noise.between(0.25, 0.7)
            walls.rect(chimney, top - pitch * 1.35, chimney + unit * 0.16, top)
        if landmarks and noise.chance(0.13):
            _landmark(walls, tiles, noise, x + width / 2, top, unit)
        x += width * noise.between(0.82, 1.0)
    return walls.mask(), tiles.mask()


def _landmark(walls: MaskPen, tiles: MaskPen, noise: SeededNoise, x: float, top: float, unit: float) -> None:
    if noise.chance(0.5):
        walls.rect(x - unit * 0.9, top - unit * 1.5, x + unit * 0.9, top)
        dome = [math.pi * step / 24 for step in range(25)]
        tiles.shape([(x + math.cos(a) * unit * 0.95, top - unit * (1.45 + math.sin(a))) for a in dome])
        walls.rect(x - unit * 0.16, top - unit * 3.0, x + unit * 0.16, top - unit * 2.4)
        return
    walls.rect(x - unit * 0.42, top - unit * 2.6, x + unit * 0.42, top)
    tiles.shape([(x - unit * 0.5, top - unit * 2.6), (x + unit * 0.5, top - unit * 2.6), (x, top - unit * 3.7)])


def _panes(canvas: SceneCanvas, noise: SeededNoise, level: float, size: float, pen: MaskPen) -> None:
    unit = canvas.unit * size
    for _ in range(60 if canvas.palette.night else 14):
        x, y = canvas.x(noise.between(-0.15, 1.15)), canvas.y(level) + unit * noise.between(0.7, 2.4)
        pen.rect(x, y, x + unit * 0.16, y + unit * 0.26)


def street(canvas: SceneCanvas) -> None:
    """Draw a street: house fronts that run to a point, a road that shines when it is wet."""
    canvas.horizon = 0.56
    paint_sky(canvas)
    palette = canvas.palette
    noise = canvas.noise.substream("street")
    x, y = canvas.x(noise.between(0.44, 0.56)), canvas.y(canvas.horizon)
    canvas.glow(x, y, canvas.unit * 4, palette.sun, 0.8)
    width, height = canvas.size
    road = gradient((mix(palette.sky[-1], palette.far, 0.4), palette.depth(0.7), palette.near), (width, height))
    ground = canvas.area(
        [(x - canvas.unit * 0.5, y), (x + canvas.unit * 0.5, y), (width * 1.4, height), (-width * 0.4, height)]
    )
    canvas.base.paste(
        road.crop((0, 0, width, height)).resize((width, height - round(y))),
        (0, round(y)),
        ground.crop((0, round(y), width, height)),
    )
    if any(word in canvas.prompt for word in ("rain", "wet", "puddle", "neon", "雨")):
        shine = cloud_mask((width, height - round(y)), f"{canvas.prompt} wet", (14, 3), 140, 230)
        canvas.base.paste(
            mix(palette.sun, palette.accent, 0.4), (0, round(y)), shine.point([v * 110 // 255 for v in range(256)])
        )
    for number, depth in enumerate((0.4, 0.7, 0.95)):
        for side in (-1, 1):
            _front(canvas, noise.substream(f"{number} {side}"), (x, y), side, number, depth)
    canvas.ground_level = 0.88


def _front(
    canvas: SceneCanvas, noise: SeededNoise, point: tuple[float, float], side: int, number: int, depth: float
) -> None:
    """Add one house of a row: from its near edge to its far edge, both on lines to the vanishing point."""
    # Each house twice as near as the one behind it, as equal houses stand in perspective.
    near, far = ((2.8, 1.1), (5.6, 2.15), (12.0, 4.3))[number]
    unit, (x, y) = canvas.unit, point
    tall = noise.between(0.95, 1.35)
    corners = [
        (x + side * unit * far, y - unit * far * tall),
        (x + side * unit * near, y - unit * near * tall),
        (x + side * unit * near, y + unit * near * 0.42),
        (x + side * unit * far, y + unit * far * 0.42),
    ]
    mask = canvas.area(corners)
    palette = canvas.palette
    colour = palette.depth(0.3 + number * 0.28)
    picture = gradient((colour, mix(colour, palette.far, 0.25)), canvas.size)

    def panes(pen: MaskPen) -> None:
        share = 0.55 if palette.night else 0.2
        for row in range(5):
            for column in range(4):
                if not noise.chance(share):
                    continue
                near_edge, far_edge = (far + (near - far) * (column + part) / 4 for part in (0.25, 0.72))
                low, high = (0.18 - row * 0.26 * tall / 1.15, 0.02 - row * 0.26 * tall / 1.15)
                pen.shape(
                    [
                        (x + side * unit * near_edge, y + unit * near_edge * high),
                        (x + side * unit * far_edge, y + unit * far_edge * high),
                        (x + side * unit * far_edge, y + unit * far_edge * low),
                        (x + side * unit * near_edge, y + unit * near_edge * low),
                    ]
                )

    pen = MaskPen(canvas.size)
    panes(pen)
    if (lit := pen.part()) is not None:
        picture.paste(mix(palette.accent, (255, 220, 150), 0.5), lit[1], lit[0])
    canvas.add_picture(mask, depth, picture)


def lanterns(canvas: SceneCanvas) -> None:
    """Add a string of paper lanterns across the upper part, each with its light."""
    unit, noise = canvas.unit, canvas.noise.substream("lanterns")
    left, right, high = canvas.x(-0.12), canvas.x(1.12), canvas.y(noise.between(0.16, 0.2))
    places = []
    for number in range(8):
        share = (number + 0.5) / 8
        places.append((left + (right - left) * share, high + unit * 1.1 * (1 - (2 * share - 1) ** 2)))

    def string(pen: MaskPen) -> None:
        pen.line([(left, high), *places, (right, high)], unit * 0.03)

    def paper(pen: MaskPen) -> None:
        for x, y in places:
            pen.oval(x, y + unit * 0.3, unit * 0.26, unit * 0.32)

    warm = mix(canvas.palette.accent, (255, 214, 140), 0.6)
    for x, y in places:
        canvas.glow(x, y + unit * 0.3, unit * 1.3, warm, 0.5)
    canvas.add_layer(canvas.mask(string), 0.6, canvas.palette.near)
    canvas.add_layer(canvas.mask(paper), 0.6, mix(warm, (255, 255, 255), 0.2), mix(warm, canvas.palette.accent, 0.6))


def road(canvas: SceneCanvas) -> None:
    """Draw a road to the horizon with poles along it."""
    canvas.horizon = 0.58
    paint_sky(canvas)
    palette = canvas.palette
    noise = canvas.noise.substream("road")
    x, y = canvas.x(noise.between(0.4, 0.6)), canvas.y(canvas.horizon)
    width, height = canvas.size
    ranges = canvas.area(canvas.ridge(0.55, 0.06, 5, "range"))
    canvas.paint(ranges, mix(palette.sky[-1], palette.far, 0.6), mix(palette.sky[-1], palette.far, 0.25))
    field = canvas.panel(0, y, width, height)
    canvas.paint(field, mix(palette.far, palette.sky[-2], 0.3), palette.depth(0.75))
    tar = canvas.area([(x - 3, y), (x + 3, y), (x + canvas.unit * 7, height), (x - canvas.unit * 7, height)])
    canvas.paint(tar, palette.depth(0.45), palette.depth(0.9))

    def dashes(pen: MaskPen) -> None:
        for number in range(9):
            # Equal distances in space grow smaller with one over the distance.
            start, end = (1.0 / (1.3 + (number + part) * 0.8) for part in (0.0, 0.34))
            top, low = (y + (height - y) * share for share in (end, start))
            pen.shape(
                [
                    (x - canvas.unit * 0.16 * end, top),
                    (x + canvas.unit * 0.16 * end, top),
                    (x + canvas.unit * 0.16 * start, low),
                    (x - canvas.unit * 0.16 * start, low),
                ]
            )

    canvas.paint(canvas.mask(dashes), mix(palette.sun, palette.far, 0.25))

    def poles(pen: MaskPen) -> None:
        side = noise.pick((-1, 1))
        for number in range(6):
            share = 1 / (1.25 + number * 0.75)
            px, foot = x + side * canvas.unit * 8.2 * share, y + (height - y) * share * 0.72
            tall = canvas.unit * 6.4 * share
            pen.line([(px, foot), (px, foot - tall)], max(1.0, canvas.unit * 0.16 * share))
            pen.line(
                [(px - tall * 0.12, foot - tall * 0.9), (px + tall * 0.12, foot - tall * 0.9)],
                max(1.0, canvas.unit * 0.1 * share),
            )

    canvas.add_layer(canvas.mask(poles), 0.9, palette.near)
    canvas.ground_level = 0.88
