"""Places outside: water and harbours, hills and mountains, woods, the desert, space."""

from PIL import ImageChops

from runner.animatic.palette import mix
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sky import paint_sky


def harbour(stage: SceneCanvas) -> None:
    """Water to the horizon, boats and a crane, the quay before it."""
    sea(stage, boats=False)
    dice = stage.noise.apart("harbour")
    near, far = stage.palette.near, stage.palette.far
    side = dice.pick((-1, 1))
    stage.add(stage.mask(lambda pen: _crane(pen, stage, 0.5 + side * 0.33, side)), 0.55, mix(far, near, 0.45))
    pier = stage.panel(0, stage.y(0.735), stage.canvas[0], stage.y(0.755))
    stage.add(pier, 0.55, mix(far, near, 0.45))

    def boats(pen: MaskPen) -> None:
        for at in (0.5 - side * 0.3, 0.5 - side * 0.02, 0.5 + side * 0.22):
            _boat(pen, stage, at + dice.between(-0.05, 0.05), 0.715, stage.unit * dice.between(0.9, 1.5), dice)

    stage.add(stage.mask(boats), 0.75, mix(far, near, 0.72))
    at = dice.pick((0.1, 0.9))
    stage.add(stage.mask(lambda pen: _lamp(pen, stage, at)), 0.98, near)
    stage.add(stage.mask(lambda pen: _quay(pen, stage, dice)), 0.98, near, mix(near, (0, 0, 0), 0.4))
    stage.ground = 0.9


def sea(stage: SceneCanvas, boats: bool = True) -> None:
    """Water to the horizon, a coast far away."""
    stage.horizon = 0.6
    stage.water = True
    paint_sky(stage)
    dice = stage.noise.apart("sea")
    palette = stage.palette
    coast = stage.range(0.57, 0.05, 4, "coast")
    stage.bake(coast, mix(palette.far, palette.sky[-1], 0.35), mix(palette.sky[-1], palette.far, 0.4))
    width, height = stage.canvas
    top = round(stage.y(stage.horizon))
    sky = palette.sky
    deep = mix(mix(sky[0], sky[1], 0.5), palette.near, 0.35)
    stage.base.paste(
        gradient((mix(sky[-1], sky[-2], 0.5), mix(sky[-2], deep, 0.6), deep), (width, height - top)), (0, top)
    )
    swell = cloud_mask((width, height - top), f"{stage.words} swell", (3, 26), 128, 220)
    stage.base.paste(mix(deep, palette.near, 0.5), (0, top), swell.point([v * 90 // 255 for v in range(256)]))
    if boats:
        where = dice.between(0.25, 0.75)
        stage.add(
            stage.mask(lambda pen: _boat(pen, stage, where, 0.7, stage.unit * 1.3, dice)),
            0.8,
            palette.depth(0.8),
            drift=stage.unit * 0.12,
        )
        if "beach" in stage.words or "shore" in stage.words or "sand" in stage.words:
            stage.add(
                stage.range(0.9, 0.025, 2, "sand"),
                1.1,
                mix(palette.sun, palette.far, 0.5),
            )


def _crane(pen: MaskPen, stage: SceneCanvas, at: float, side: int) -> None:
    x, foot, unit = stage.x(at), stage.y(0.74), stage.unit
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


def _boat(pen: MaskPen, stage: SceneCanvas, at: float, level: float, long: float, dice: SeededNoise) -> None:
    x, y = stage.x(at), stage.y(level)
    hull = [
        (x - long, y - long * 0.26),
        (x + long * 1.1, y - long * 0.34),
        (x + long * 0.82, y + long * 0.1),
        (x - long * 0.84, y + long * 0.1),
    ]
    pen.shape(hull)
    cabin = dice.between(-0.45, 0.1)
    pen.rect(x + cabin * long, y - long * 0.62, x + (cabin + 0.45) * long, y - long * 0.2, round_by=long * 0.04)
    mast = x + (cabin + 0.62) * long
    tall = long * dice.between(1.3, 1.9)
    pen.line([(mast, y - long * 0.2), (mast, y - tall)], long * 0.045)
    pen.line([(mast, y - tall), (x + long * 1.08, y - long * 0.34)], long * 0.02, 180)
    pen.line([(mast, y - tall), (x - long * 0.97, y - long * 0.26)], long * 0.02, 180)
    pen.line([(mast, y - tall * 0.55), (mast - long * 0.6, y - tall * 0.42)], long * 0.03)


def _quay(pen: MaskPen, stage: SceneCanvas, dice: SeededNoise) -> None:
    unit, edge = stage.unit, stage.y(0.83)
    width, height = stage.canvas
    pen.shape([(0, edge + unit * 0.15), (width, edge - unit * 0.1), (width, height), (0, height)])
    step = unit * 2.1
    x = dice.between(0, 1) * step
    while x < width:
        pen.rect(x, edge - unit * 0.38, x + unit * 0.3, edge + unit * 0.2, round_by=unit * 0.05)
        pen.oval(x + unit * 0.15, edge - unit * 0.4, unit * 0.24, unit * 0.1)
        x += step


def _lamp(pen: MaskPen, stage: SceneCanvas, at: float) -> None:
    unit, edge, pole = stage.unit, stage.y(0.83), stage.x(at)
    pen.line([(pole, edge + unit), (pole, edge - unit * 3.6), (pole + unit * 0.7, edge - unit * 3.8)], unit * 0.09)
    shade = (pole + unit * 0.5, pole + unit, pole + unit * 0.75)
    pen.shape([(shade[0], edge - unit * 3.7), (shade[1], edge - unit * 3.7), (shade[2], edge - unit * 3.95)])


def hills(stage: SceneCanvas) -> None:
    """Ranges one behind the other, mist between them."""
    stage.horizon = 0.7
    paint_sky(stage)
    palette = stage.palette
    steep = 0.16 if any(word in stage.words for word in ("mountain", "alp", "peak", "cliff", "volcano")) else 0.09
    mist = palette.sky[-1]
    for number, level in enumerate((0.5, 0.58)):
        mask = stage.range(level, steep * (1 - number * 0.2), 6, f"far {number}")
        stage.bake(mask, mix(mist, palette.far, 0.45 + 0.3 * number), mix(mist, palette.far, 0.12 + 0.2 * number))
    middle = stage.range(0.68, steep * 0.7, 5, "middle")
    stage.add(middle, 0.55, palette.depth(0.35), mix(mist, palette.far, 0.6))
    dice = stage.noise.apart("trees")

    def slope(pen: MaskPen) -> None:
        line = stage.ridge(0.84, 0.05, 3, "near")
        pen.shape(line)
        for x, y in line[2:-4:7]:
            if dice.chance(0.4):
                _pine(pen, x, y + stage.unit * 0.1, stage.unit * dice.between(0.5, 1.3))

    stage.add(stage.mask(slope), 0.85, palette.depth(0.75), palette.depth(0.95))
    stage.add(stage.mask(lambda pen: _grass(pen, stage, dice)), 1.25, palette.near)


def _pine(pen: MaskPen, x: float, foot: float, tall: float) -> None:
    for step in range(4):
        y, half = foot - tall * (0.16 + step * 0.21), tall * (0.26 - step * 0.055)
        pen.shape([(x - half, y), (x + half, y), (x, y - tall * 0.36)])
    pen.rect(x - tall * 0.03, foot - tall * 0.2, x + tall * 0.03, foot + tall * 0.05)


def _grass(pen: MaskPen, stage: SceneCanvas, dice: SeededNoise) -> None:
    line = stage.ridge(0.97, 0.015, 2, "grass")
    pen.shape(line)
    for x, y in line[:-3:2]:
        for _ in range(2):
            lean, tall = stage.unit * dice.between(-0.15, 0.15), stage.unit * dice.between(0.15, 0.5)
            px = x + dice.between(-4, 4)
            pen.shape([(px - stage.unit * 0.03, y + 4), (px + stage.unit * 0.03, y + 4), (px + lean, y - tall)])


def desert(stage: SceneCanvas) -> None:
    """Dunes in long curves, their shadow sides dark."""
    stage.horizon = 0.62
    paint_sky(stage)
    palette = stage.palette
    sand = mix(palette.sun, (214, 142, 84), 0.6)
    for number, level in enumerate((0.6, 0.68)):
        mask = stage.range(level, 0.04, 2, f"dune {number}")
        stage.bake(mask, mix(sand, palette.sky[-1], 0.45 - 0.25 * number), mix(sand, palette.far, 0.35))
    for number, (level, depth) in enumerate(((0.78, 0.7), (0.92, 1.1))):
        mask = stage.range(level, 0.06, 2, f"near {number}")
        stage.add(
            mask, depth, mix(sand, palette.near, 0.28 + number * 0.3), mix(sand, palette.near, 0.5 + number * 0.3)
        )


def forest(stage: SceneCanvas) -> None:
    """Trunks behind trunks, light that falls between them."""
    palette = stage.palette
    stage.horizon = 0.95
    width, height = stage.canvas
    leaf = mix(palette.far, (70, 120, 84), 0.45)
    light = mix(palette.sky[-1], leaf, 0.25)
    stage.base.paste(gradient((mix(leaf, palette.near, 0.35), light, mix(light, leaf, 0.5)), (width, height)), (0, 0))
    dice = stage.noise.apart("forest")
    x = stage.x(dice.pick((0.3, 0.66)))
    stage.glow(x, stage.y(0.42), stage.unit * 6, palette.sun, 0.75)
    stage.bake(stage.mask(lambda pen: _trunks(pen, stage, dice, 16, 0.12, 0.76)), mix(leaf, light, 0.35))
    shafts = stage.mask(lambda pen: _shafts(pen, stage, x), blur=stage.unit * 0.25)
    stage.bake(shafts.point([v * 70 // 255 for v in range(256)]), palette.sun)
    stage.add(stage.mask(lambda pen: _trunks(pen, stage, dice, 9, 0.24, 0.83)), 0.6, mix(leaf, palette.near, 0.55))
    stage.add(stage.mask(lambda pen: _trunks(pen, stage, dice, 4, 0.55, 0.95)), 1.2, mix(leaf, palette.near, 0.88))
    stage.add(stage.mask(lambda pen: _grass(pen, stage, dice)), 1.25, palette.near)


def _trunks(pen: MaskPen, stage: SceneCanvas, dice: SeededNoise, count: int, thick: float, foot: float) -> None:
    pen.shape(stage.ridge(foot, 0.015, 3, f"floor {count}"))
    for number in range(count):
        x = stage.x(-0.16 + 1.32 * (number + dice.between(0.1, 0.9)) / count)
        wide, lean = stage.unit * thick * dice.between(0.7, 1.3), stage.unit * dice.between(-0.3, 0.3)
        y = stage.y(foot) + stage.unit * 0.3
        pen.shape([(x - wide, y), (x + wide, y), (x + wide * 0.6 + lean, 0), (x - wide * 0.6 + lean, 0)])
        for _ in range(3):
            start = dice.between(0.05, 0.5)
            side, reach = dice.pick((-1, 1)), stage.unit * dice.between(0.6, 1.8)
            py = y * (1 - start) * 0.8
            pen.shape([(x, py), (x, py + wide * 0.9), (x + side * reach, py - reach * 0.6)])


def _shafts(pen: MaskPen, stage: SceneCanvas, x: float) -> None:
    for number in range(5):
        lean = (number - 2) * stage.unit * 1.6
        wide = stage.unit * (0.3 + 0.2 * (number % 2))
        foot = stage.y(0.95)
        pen.shape(
            [
                (x + lean * 0.1 - wide * 0.2, 0),
                (x + lean * 0.1 + wide * 0.2, 0),
                (x + lean + wide * 2, foot),
                (x + lean - wide, foot),
            ]
        )


def space(stage: SceneCanvas) -> None:
    """Stars, a nebula, a planet with the sun behind it."""
    palette = stage.palette
    width, height = stage.canvas
    dark = mix(palette.sky[0], (4, 5, 14), 0.75)
    stage.base.paste(dark, (0, 0, width, height))
    dice = stage.noise.apart("space")
    for seed, colour in (("one", palette.sky[-2]), ("two", palette.accent)):
        veil = cloud_mask((width, height), f"{stage.words} {seed}", (3, 3), 130, 255)
        stage.base.paste(colour, (0, 0), veil.point([v * 80 // 255 for v in range(256)]))

    def stars(pen: MaskPen) -> None:
        for _ in range(420):
            size = stage.unit * dice.pick((0.01, 0.012, 0.016, 0.03))
            pen.oval(dice.unit() * width, dice.unit() * height, size, size, dice.whole(50, 255))

    stage.bake(stage.mask(stars), (236, 240, 255))
    x, y, radius = stage.x(dice.pick((0.28, 0.7))), stage.y(0.5), stage.unit * 2.7
    stage.glow(x - radius * 0.5, y - radius * 0.5, radius * 2.4, palette.sun, 0.5)
    globe = stage.disc(x, y, radius, radius)
    stage.add(globe, 0.7, mix(palette.sky[-1], palette.far, 0.4), mix(palette.far, dark, 0.8))
    lit = stage.disc(x - radius * 0.42, y - radius * 0.36, radius, radius, blur=radius * 0.16)
    stage.add(ImageChops.multiply(ImageChops.invert(lit), globe), 0.7, dark)
    stage.ground = 1.2
