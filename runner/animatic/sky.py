"""The sky: gradient, sun or moon with its light, stars, clouds, a few birds."""

from runner.animatic.palette import mix
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise


def paint_sky(stage: SceneCanvas) -> None:
    """Fill the base from the top down to the horizon, and beyond."""
    width, height = stage.canvas
    low = round(stage.y(stage.horizon)) + 2
    stage.base.paste(gradient(stage.palette.sky, (width, low)), (0, 0))
    stage.base.paste(stage.palette.sky[-1], (0, low, width, height))
    dice = stage.noise.apart("sky")
    if stage.palette.night:
        _stars(stage, dice.apart("stars"))
    _sun(stage, dice)
    if "clear sky" not in stage.words:
        _clouds(stage, dice)
    if not stage.palette.night and dice.chance(0.6):
        _birds(stage, dice.apart("birds"))


def _sun(stage: SceneCanvas, dice: SeededNoise) -> None:
    palette = stage.palette
    x = stage.x(dice.pick((0.24, 0.3, 0.64, 0.7, 0.76)))
    height = 0.2 if palette.night else dice.between(0.1, 0.2) + (stage.horizon - 0.42 if not _high(stage) else 0.08)
    y = stage.y(stage.horizon - 0.42 if palette.night else min(height, stage.horizon - 0.09))
    unit = stage.unit
    stage.glow(x, y, unit * 8, palette.sun, 0.55)
    stage.glow(x, y, unit * 3.2, palette.sun, 0.6)
    radius = unit * (0.55 if palette.night else 0.8)
    stage.bake(stage.disc(x, y, radius, radius), palette.sun)
    if palette.night:
        shade = mix(palette.sky[0], palette.sun, 0.78)
        for dx, dy, size in ((-0.3, -0.2, 0.2), (0.25, 0.15, 0.28), (-0.05, 0.4, 0.14)):
            stage.bake(stage.disc(x + dx * radius, y + dy * radius, size * radius, size * radius), shade)


def _high(stage: SceneCanvas) -> bool:
    """By day the sun stands high; in the morning and the evening near the horizon."""
    return stage.palette.sky[-1][0] - stage.palette.sky[-1][2] < 24


def _stars(stage: SceneCanvas, dice: SeededNoise) -> None:
    def paint(pen: MaskPen) -> None:
        for _ in range(150):
            x, y = stage.x(dice.between(-0.16, 1.16)), stage.y(dice.between(-0.16, stage.horizon - 0.12))
            size = stage.unit * dice.pick((0.012, 0.012, 0.018, 0.026))
            pen.oval(x, y, size, size, dice.whole(60, 230))

    stage.bake(stage.mask(paint), (240, 244, 255))


def _clouds(stage: SceneCanvas, dice: SeededNoise) -> None:
    width = stage.canvas[0]
    tall = round(stage.y(stage.horizon))
    grey = "overcast" in stage.words or "storm" in stage.words
    low = 96 if grey else dice.whole(118, 138)
    for seed, bright in (("high", 0.72), ("low", 0.5)):
        mask = cloud_mask((width, tall), f"{stage.words} {seed}", (4, 7), low, low + 110)
        colour = mix(stage.palette.sky[1], stage.palette.sun, bright)
        stage.base.paste(colour, (0, 0), mask.point([round(v * 0.42) for v in range(256)]))


def _birds(stage: SceneCanvas, dice: SeededNoise) -> None:
    x, y = stage.x(dice.between(0.15, 0.7)), stage.y(dice.between(0.14, 0.3))

    def paint(pen: MaskPen) -> None:
        for _ in range(dice.whole(3, 6)):
            wing = stage.unit * dice.between(0.1, 0.2)
            px, py = x + stage.unit * dice.between(-1.2, 1.2), y + stage.unit * dice.between(-0.5, 0.5)
            dip = wing * dice.between(0.3, 0.6)
            left = [(px - wing, py - dip), (px - wing * 0.5, py - dip * 1.1), (px, py)]
            right = [(px, py), (px + wing * 0.5, py - dip * 1.1), (px + wing, py - dip)]
            pen.line(left + right, stage.unit * 0.03, 190)

    stage.bake(stage.mask(paint), stage.palette.depth(0.8))
