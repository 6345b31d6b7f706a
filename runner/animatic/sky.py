"""The sky: gradient, sun or moon with its light, stars, clouds, a few birds."""

from runner.animatic.palette import mix
from runner.animatic.scene_canvas import MaskPen, SceneCanvas, cloud_mask, gradient
from runner.animatic.seeded_noise import SeededNoise


def paint_sky(canvas: SceneCanvas) -> None:
    """Fill the base from the top down to the horizon, and beyond."""
    width, height = canvas.size
    low = round(canvas.y(canvas.horizon)) + 2
    canvas.base.paste(gradient(canvas.palette.sky, (width, low)), (0, 0))
    canvas.base.paste(canvas.palette.sky[-1], (0, low, width, height))
    noise = canvas.noise.substream("sky")
    if canvas.palette.night:
        _stars(canvas, noise.substream("stars"))
    _sun(canvas, noise)
    if "clear sky" not in canvas.prompt:
        _clouds(canvas, noise)
    if not canvas.palette.night and noise.chance(0.6):
        _birds(canvas, noise.substream("birds"))


def _sun(canvas: SceneCanvas, noise: SeededNoise) -> None:
    palette = canvas.palette
    # Never in the middle, where people stand.
    x = canvas.x(noise.pick((0.24, 0.3, 0.64, 0.7, 0.76)))
    height = 0.2 if palette.night else noise.between(0.1, 0.2) + (canvas.horizon - 0.42 if not _high(canvas) else 0.08)
    y = canvas.y(canvas.horizon - 0.42 if palette.night else min(height, canvas.horizon - 0.09))
    unit = canvas.unit
    canvas.glow(x, y, unit * 8, palette.sun, 0.55)
    canvas.glow(x, y, unit * 3.2, palette.sun, 0.6)
    radius = unit * (0.55 if palette.night else 0.8)
    canvas.paint(canvas.disc(x, y, radius, radius), palette.sun)
    if palette.night:
        shade = mix(palette.sky[0], palette.sun, 0.78)
        for dx, dy, size in ((-0.3, -0.2, 0.2), (0.25, 0.15, 0.28), (-0.05, 0.4, 0.14)):
            canvas.paint(canvas.disc(x + dx * radius, y + dy * radius, size * radius, size * radius), shade)


def _high(canvas: SceneCanvas) -> bool:
    """Whether the sun stands high, as by day; in the morning and the evening it is near the horizon."""
    return canvas.palette.sky[-1][0] - canvas.palette.sky[-1][2] < 24


def _stars(canvas: SceneCanvas, noise: SeededNoise) -> None:
    def paint(pen: MaskPen) -> None:
        for _ in range(150):
            x, y = canvas.x(noise.between(-0.16, 1.16)), canvas.y(noise.between(-0.16, canvas.horizon - 0.12))
            size = canvas.unit * noise.pick((0.012, 0.012, 0.018, 0.026))
            pen.oval(x, y, size, size, noise.integer(60, 230))

    canvas.paint(canvas.mask(paint), (240, 244, 255))


def _clouds(canvas: SceneCanvas, noise: SeededNoise) -> None:
    width = canvas.size[0]
    tall = round(canvas.y(canvas.horizon))
    grey = "overcast" in canvas.prompt or "storm" in canvas.prompt
    low = 96 if grey else noise.integer(118, 138)
    for seed, bright in (("high", 0.72), ("low", 0.5)):
        mask = cloud_mask((width, tall), f"{canvas.prompt} {seed}", (4, 7), low, low + 110)
        colour = mix(canvas.palette.sky[1], canvas.palette.sun, bright)
        canvas.base.paste(colour, (0, 0), mask.point([round(v * 0.42) for v in range(256)]))


def _birds(canvas: SceneCanvas, noise: SeededNoise) -> None:
    x, y = canvas.x(noise.between(0.15, 0.7)), canvas.y(noise.between(0.14, 0.3))

    def paint(pen: MaskPen) -> None:
        for _ in range(noise.integer(3, 6)):
            wing = canvas.unit * noise.between(0.1, 0.2)
            px, py = x + canvas.unit * noise.between(-1.2, 1.2), y + canvas.unit * noise.between(-0.5, 0.5)
            dip = wing * noise.between(0.3, 0.6)
            left = [(px - wing, py - dip), (px - wing * 0.5, py - dip * 1.1), (px, py)]
            right = [(px, py), (px + wing * 0.5, py - dip * 1.1), (px + wing, py - dip)]
            pen.line(left + right, canvas.unit * 0.03, 190)

    canvas.paint(canvas.mask(paint), canvas.palette.depth(0.8))
