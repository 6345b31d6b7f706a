"""Places outside: water and harbours, hills and mountains, woods, the desert, space."""

from PIL import ImageChops

from runner.animatic.palette import mix
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sky import paint_sky


def harbour(canvas: SceneCanvas) -> None:
    """Draw a harbour: water to the horizon, boats and a crane, the quay in front."""
    sea(canvas, boats=False)
    noise = canvas.noise.substream("harbour")
    near, far = canvas.palette.near, canvas.palette.far
    side = noise.pick((-1, 1))
    canvas.add_layer(canvas.mask(lambda pen: _crane(pen, canvas, 0.5 + side * 0.33, side)), 0.55, mix(far, near, 0.45))
    pier = canvas.panel(0, canvas.y(0.735), canvas.size[0], canvas.y(0.755))
    canvas.add_layer(pier, 0.55, mix(far, near, 0.45))

    def boats(pen: MaskPen) -> None:
        for at in (0.5 - side * 0.3, 0.5 - side * 0.02, 0.5 + side * 0.22):
            _boat(pen, canvas, at + noise.between(-0.05, 0.05), 0.715, canvas.unit * noise.between(0.9, 1.5), noise)

    canvas.add_layer(canvas.mask(boats), 0.75, mix(far, near, 0.72))
    at = noise.pick((0.1, 0.9))
    canvas.add_layer(canvas.mask(lambda pen: _lamp(pen, canvas, at)), 0.98, near)
    canvas.add_layer(canvas.mask(lambda pen: _quay(pen, canvas, noise)), 0.98, near, mix(near, (0, 0, 0), 0.4))
    canvas.ground_level = 0.9


def sea(canvas: SceneCanvas, boats: bool = True) -> None:
    """Draw the sea: water to the horizon, a distant coast."""
    canvas.horizon = 0.6
    canvas.has_water = True
    paint_sky(canvas)
    noise = canvas.noise.substream("sea")
    palette = canvas.palette
    coast = canvas.range(0.57, 0.05, 4, "coast")
    canvas.paint(coast, mix(palette.far, palette.sky[-1], 0.35), mix(palette.sky[-1], palette.far, 0.4))
    width, height = canvas.size
    top = round(canvas.y(canvas.horizon))
    sky = palette.sky
    deep = mix(mix(sky[0], sky[1], 0.5), palette.near, 0.35)
    canvas.base.paste(
        gradient((mix(sky[-1], sky[-2], 0.5), mix(sky[-2], deep, 0.6), deep), (width, height - top)), (0, top)
    )
    swell = cloud_mask((width, height - top), f"{canvas.prompt} swell", (3, 26), 128, 220)
    canvas.base.paste(mix(deep, palette.near, 0.5), (0, top), swell.point([v * 90 // 255 for v in range(256)]))
    if boats:
        where = noise.between(0.25, 0.75)
        canvas.add_layer(
            canvas.mask(lambda pen: _boat(pen, canvas, where, 0.7, canvas.unit * 1.3, noise)),
            0.8,
            palette.depth(0.8),
            drift=canvas.unit * 0.12,
        )
        if "beach" in canvas.prompt or "shore" in canvas.prompt or "sand" in canvas.prompt:
            canvas.add_layer(
                canvas.range(0.9, 0.025, 2, "sand"),
                1.1,
                mix(palette.sun, palette.far, 0.5),
            )


def _crane(pen: MaskPen, canvas: SceneCanvas, at: float, side: int) -> None:
    x, foot, unit = canvas.x(at), canvas.y(0.74), canvas.unit
    top = foot - unit * 4.4
    for dx in (-0.35, 0.35):
        pen.line([(x + dx * unit, foot), (x + dx * unit * 0.5, top + unit)], unit * 0.1)
    for step in range(7):
        y = foot - (foot - top - unit) * step / 7
        pen.line([(x - 0.33 * unit, y), (x + 0.28 * unit, y - unit * 0.45)], unit * 0.045)
        pen.line([(x + 0.33 * unit, y), (x - 0.28 * unit, y - unit * 0.45)], unit * 0.045)
    pen.rect(x - 0.32 * unit, top + 0.6 * unit, x + 0.32 * unit, top + 1.1 * unit)
    tip = (x - side * unit * 3.4, top - unit * 0.5)
    pen.line([(x + side * unit * 1.3, top + unit * 0.75), (x, top + unit * 0.7), tip], unit * 0.11)
    pen.line([(x, top - unit * 0.5), tip], unit * 0.04)
    pen.line([(x, top + unit * 0.7), (x, top - unit * 0.5), (x + side * unit * 1.3, top + unit * 0.75)], unit * 0.06)
    pen.rect(
        min(x + side * unit * 1.1, x + side * unit * 1.6),
        top + unit * 0.7,
        max(x + side * unit * 1.1, x + side * unit * 1.6),
        top + unit * 1.15,
    )
    hook = x - side * unit * 2.6
    pen.line([(hook, top - unit * 0.25), (hook, top + unit * 1.7)], unit * 0.035)
    pen.rect(hook - unit * 0.22, top + unit * 1.7, hook + unit * 0.22, top + unit * 2.05)


def _boat(pen: MaskPen, canvas: SceneCanvas, at: float, level: float, long: float, noise: SeededNoise) -> None:
    x, y = canvas.x(at), canvas.y(level)
    hull = [
        (x - long, y - long * 0.26),
        (x + long * 1.1, y - long * 0.34),
        (x + long * 0.82, y + long * 0.1),
        (x - long * 0.84, y + long * 0.1),
    ]
    pen.shape(hull)
    cabin = noise.between(-0.45, 0.1)
    pen.rect(x + cabin * long, y - long * 0.62, x + (cabin + 0.45) * long, y - long * 0.2, round_by=long * 0.04)
    mast = x + (cabin + 0.62) * long
    tall = long * noise.between(1.3, 1.9)
    pen.line([(mast, y - long * 0.2), (mast, y - tall)], long * 0.045)
    pen.line([(mast, y - tall), (x + long * 1.08, y - long * 0.34)], long * 0.02, 180)
    pen.line([(mast, y - tall), (x - long * 0.97, y - long * 0.26)], long * 0.02, 180)
    pen.line([(mast, y - tall * 0.55), (mast - long * 0.6, y - tall * 0.42)], long * 0.03)


def _quay(pen: MaskPen, canvas: SceneCanvas, noise: SeededNoise) -> None:
    unit, edge = canvas.unit, canvas.y(0.83)
    width, height = canvas.size
    pen.shape([(0, edge + unit * 0.15), (width, edge - unit * 0.1), (width, height), (0, height)])
    step = unit * 2.1
    x = noise.between(0, 1) * step
    while x < width:
        pen.rect(x, edge - unit * 0.38, x + unit * 0.3, edge + unit * 0.2, round_by=unit * 0.05)
        pen.oval(x + unit * 0.15, edge - unit * 0.4, unit * 0.24, unit * 0.1)
        x += step


def _lamp(pen: MaskPen, canvas: SceneCanvas, at: float) -> None:
    unit, edge, pole = canvas.unit, canvas.y(0.83), canvas.x(at)
    pen.line([(pole, edge + unit), (pole, edge - unit * 3.6), (pole + unit * 0.7, edge - unit * 3.8)], unit * 0.09)
    shade = (pole + unit * 0.5, pole + unit, pole + unit * 0.75)
    pen.shape([(shade[0], edge - unit * 3.7), (shade[1], edge - unit * 3.7), (shade[2], edge - unit * 3.95)])


def hills(canvas: SceneCanvas) -> None:
    """Draw ranges of hills with mist between them."""
    canvas.horizon = 0.7
    paint_sky(canvas)
    palette = canvas.palette
    steep = 0.16 if any(word in canvas.prompt for word in ("mountain", "alp", "peak", "cliff", "volcano")) else 0.09
    mist = palette.sky[-1]
    for number, level in enumerate((0.5, 0.58)):
        mask = canvas.range(level, steep * (1 - number * 0.2), 6, f"far {number}")
        canvas.paint(mask, mix(mist, palette.far, 0.45 + 0.3 * number), mix(mist, palette.far, 0.12 + 0.2 * number))
    middle = canvas.range(0.68, steep * 0.7, 5, "middle")
    canvas.add_layer(middle, 0.55, palette.depth(0.35), mix(mist, palette.far, 0.6))
    noise = canvas.noise.substream("trees")

    def slope(pen: MaskPen) -> None:
        line = canvas.ridge(0.84, 0.05, 3, "near")
        pen.shape(line)
        # Without the last points, which close the shape at the bottom.
        for x, y in line[2:-4:7]:
            if noise.chance(0.4):
                _pine(pen, x, y + canvas.unit * 0.1, canvas.unit * noise.between(0.5, 1.3))

    canvas.add_layer(canvas.mask(slope), 0.85, palette.depth(0.75), palette.depth(0.95))
    canvas.add_layer(canvas.mask(lambda pen: _grass(pen, canvas, noise)), 1.25, palette.near)


def _pine(pen: MaskPen, x: float, foot: float, tall: float) -> None:
    for step in range(4):
        y, half = foot - tall * (0.16 + step * 0.21), tall * (0.26 - step * 0.055)
        pen.shape([(x - half, y), (x + half, y), (x, y - tall * 0.36)])
    pen.rect(x - tall * 0.03, foot - tall * 0.2, x + tall * 0.03, foot + tall * 0.05)


def _grass(pen: MaskPen, canvas: SceneCanvas, noise: SeededNoise) -> None:
    line = canvas.ridge(0.97, 0.015, 2, "grass")
    pen.shape(line)
    for x, y in line[:-3:2]:
        for _ in range(2):
            lean, tall = canvas.unit * noise.between(-0.15, 0.15), canvas.unit * noise.between(0.15, 0.5)
            px = x + noise.between(-4, 4)
            pen.shape([(px - canvas.unit * 0.03, y + 4), (px + canvas.unit * 0.03, y + 4), (px + lean, y - tall)])


def desert(canvas: SceneCanvas) -> None:
    """Draw dunes in long curves, their shadow sides dark."""
    canvas.horizon = 0.62
    paint_sky(canvas)
    palette = canvas.palette
    sand = mix(palette.sun, (214, 142, 84), 0.6)
    for number, level in enumerate((0.6, 0.68)):
        mask = canvas.range(level, 0.04, 2, f"dune {number}")
        canvas.paint(mask, mix(sand, palette.sky[-1], 0.45 - 0.25 * number), mix(sand, palette.far, 0.35))
    for number, (level, depth) in enumerate(((0.78, 0.7), (0.92, 1.1))):
        mask = canvas.range(level, 0.06, 2, f"near {number}")
        canvas.add_layer(
            mask, depth, mix(sand, palette.near, 0.28 + number * 0.3), mix(sand, palette.near, 0.5 + number * 0.3)
        )


def forest(canvas: SceneCanvas) -> None:
    """Draw a forest: rows of trunks, light that falls between them."""
    palette = canvas.palette
    canvas.horizon = 0.95
    width, height = canvas.size
    leaf = mix(palette.far, (70, 120, 84), 0.45)
    light = mix(palette.sky[-1], leaf, 0.25)
    canvas.base.paste(gradient((mix(leaf, palette.near, 0.35), light, mix(light, leaf, 0.5)), (width, height)), (0, 0))
    noise = canvas.noise.substream("forest")
    x = canvas.x(noise.pick((0.3, 0.66)))
    canvas.glow(x, canvas.y(0.42), canvas.unit * 6, palette.sun, 0.75)
    canvas.paint(canvas.mask(lambda pen: _trunks(pen, canvas, noise, 16, 0.12, 0.76)), mix(leaf, light, 0.35))
    shafts = canvas.mask(lambda pen: _shafts(pen, canvas, x), blur=canvas.unit * 0.25)
    canvas.paint(shafts.point([v * 70 // 255 for v in range(256)]), palette.sun)
    canvas.add_layer(
        canvas.mask(lambda pen: _trunks(pen, canvas, noise, 9, 0.24, 0.83)), 0.6, mix(leaf, palette.near, 0.55)
    )
    canvas.add_layer(
        canvas.mask(lambda pen: _trunks(pen, canvas, noise, 4, 0.55, 0.95)), 1.2, mix(leaf, palette.near, 0.88)
    )
    canvas.add_layer(canvas.mask(lambda pen: _grass(pen, canvas, noise)), 1.25, palette.near)


def _trunks(pen: MaskPen, canvas: SceneCanvas, noise: SeededNoise, count: int, thick: float, foot: float) -> None:
    pen.shape(canvas.ridge(foot, 0.015, 3, f"floor {count}"))
    for number in range(count):
        x = canvas.x(-0.16 + 1.32 * (number + noise.between(0.1, 0.9)) / count)
        wide, lean = canvas.unit * thick * noise.between(0.7, 1.3), canvas.unit * noise.between(-0.3, 0.3)
        y = canvas.y(foot) + canvas.unit * 0.3
        pen.shape([(x - wide, y), (x + wide, y), (x + wide * 0.6 + lean, 0), (x - wide * 0.6 + lean, 0)])
        for _ in range(3):
            start = noise.between(0.05, 0.5)
            side, reach = noise.pick((-1, 1)), canvas.unit * noise.between(0.6, 1.8)
            py = y * (1 - start) * 0.8
            pen.shape([(x, py), (x, py + wide * 0.9), (x + side * reach, py - reach * 0.6)])


def _shafts(pen: MaskPen, canvas: SceneCanvas, x: float) -> None:
    for number in range(5):
        lean = (number - 2) * canvas.unit * 1.6
        wide = canvas.unit * (0.3 + 0.2 * (number % 2))
        foot = canvas.y(0.95)
        pen.shape(
            [
                (x + lean * 0.1 - wide * 0.2, 0),
                (x + lean * 0.1 + wide * 0.2, 0),
                (x + lean + wide * 2, foot),
                (x + lean - wide, foot),
            ]
        )


def space(canvas: SceneCanvas) -> None:
    """Draw space: stars, a nebula, a planet with the sun behind it."""
    palette = canvas.palette
    width, height = canvas.size
    dark = mix(palette.sky[0], (4, 5, 14), 0.75)
    canvas.base.paste(dark, (0, 0, width, height))
    noise = canvas.noise.substream("space")
    for seed, colour in (("one", palette.sky[-2]), ("two", palette.accent)):
        veil = cloud_mask((width, height), f"{canvas.prompt} {seed}", (3, 3), 130, 255)
        canvas.base.paste(colour, (0, 0), veil.point([v * 80 // 255 for v in range(256)]))

    def stars(pen: MaskPen) -> None:
        for _ in range(420):
            size = canvas.unit * noise.pick((0.01, 0.012, 0.016, 0.03))
            pen.oval(noise.unit() * width, noise.unit() * height, size, size, noise.integer(50, 255))

    canvas.paint(canvas.mask(stars), (236, 240, 255))
    x, y, radius = canvas.x(noise.pick((0.28, 0.7))), canvas.y(0.5), canvas.unit * 2.7
    canvas.glow(x - radius * 0.5, y - radius * 0.5, radius * 2.4, palette.sun, 0.5)
    globe = canvas.disc(x, y, radius, radius)
    canvas.add_layer(globe, 0.7, mix(palette.sky[-1], palette.far, 0.4), mix(palette.far, dark, 0.8))
    lit = canvas.disc(x - radius * 0.42, y - radius * 0.36, radius, radius, blur=radius * 0.16)
    canvas.add_layer(ImageChops.multiply(ImageChops.invert(lit), globe), 0.7, dark)
    # There is no ground: nobody stands in space.
    canvas.ground_level = 1.2
