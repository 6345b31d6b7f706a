"""Places with walls: rooms, kitchens, bars, doors, concerts, and the seamless backdrop of a product shot."""

import math

from PIL import Image

from runner.animatic.palette import mix
from runner.animatic.scene_canvas import MaskPen, Point, SceneCanvas, gradient
from runner.animatic.seeded_noise import SeededNoise


def room(canvas: SceneCanvas) -> None:
    """Draw a room: a wall, a window whose light falls across it, a table in front."""
    noise = canvas.noise.substream("room")
    _wall(canvas)
    _window(canvas, noise.pick((0.24, 0.76)), noise)
    if "kitchen" in canvas.prompt or "bakery" in canvas.prompt:
        _shelf(canvas, noise, 0.32)
    else:
        _frames(canvas, noise)
    _lamp(canvas, 0.5 + noise.between(-0.06, 0.06), 0.2)
    table(canvas, noise)


def bar(canvas: SceneCanvas) -> None:
    """Draw a bar: a counter, shelves of bottles, lamps in a row."""
    noise = canvas.noise.substream("bar")
    _wall(canvas)
    for level in (0.3, 0.46):
        _shelf(canvas, noise, level, bottles=True)
    for at in (0.2, 0.5, 0.8):
        _lamp(canvas, at, 0.16)
    table(canvas, noise)


def _wall(canvas: SceneCanvas) -> None:
    palette = canvas.palette
    width, height = canvas.size
    paint = (92, 68, 66) if palette.night else (196, 164, 132)
    wall = mix(mix(palette.sky[1], palette.far, 0.4), paint, 0.6)
    canvas.base.paste(
        gradient((mix(wall, palette.near, 0.35), wall, mix(wall, palette.near, 0.2)), (width, height)), (0, 0)
    )
    skirting = canvas.panel(0, canvas.y(0.8), width, height)
    canvas.paint(skirting, mix(wall, palette.near, 0.62), mix(wall, palette.near, 0.8))


def _window(canvas: SceneCanvas, at: float, noise: SeededNoise) -> None:
    unit, palette = canvas.unit, canvas.palette
    x, top, wide, tall = canvas.x(at), canvas.y(0.14), unit * 1.45, unit * 3.9
    canvas.glow(x, top + tall / 2, unit * 7, palette.sun, 0.42)
    view = gradient(palette.sky, (round(wide * 2), round(tall)))
    canvas.base.paste(view, (round(x - wide), round(top)))
    canvas.glow(x + wide * 0.3, top + tall * 0.62, unit * 1.7, palette.sun, 0.8)
    edge = unit * 0.1

    def bars(pen: MaskPen) -> None:
        pen.rect(x - wide - edge * 2, top - edge * 2, x + wide + edge * 2, top)
        pen.rect(x - wide - edge * 4, top + tall, x + wide + edge * 4, top + tall + edge * 2.4)
        for px in (x - wide - edge, x, x + wide + edge):
            pen.rect(px - edge, top, px + edge, top + tall)
        pen.rect(x - wide, top + tall * 0.38 - edge / 2, x + wide, top + tall * 0.38 + edge / 2)

    canvas.paint(canvas.mask(bars), mix(palette.near, palette.sky[-1], 0.18))
    slant = unit * 3.2 * (1 if at < 0.5 else -1)
    floor = canvas.y(0.98)

    def beam(pen: MaskPen) -> None:
        for left, right in ((-0.92, -0.08), (0.08, 0.92)):
            pen.shape(
                [
                    (x + wide * left, top + tall * 0.2),
                    (x + wide * right, top + tall * 0.2),
                    (x + wide * right * 1.5 + slant, floor),
                    (x + wide * left * 1.5 + slant, floor),
                ]
            )

    light = canvas.mask(beam, blur=unit * 0.14)
    # By night the lamps give the light, and the window hardly any.
    canvas.paint(light.point([v * (24 if palette.night else 52) // 255 for v in range(256)]), palette.sun)


def _shelf(canvas: SceneCanvas, noise: SeededNoise, level: float, bottles: bool = False) -> None:
    unit, palette = canvas.unit, canvas.palette
    dark = mix(palette.near, palette.far, 0.25)
    left, right = (canvas.x(0.04), canvas.x(0.96)) if bottles else (canvas.x(0.4), canvas.x(0.96))
    y = canvas.y(level)
    canvas.paint(canvas.panel(left, y, right, y + unit * 0.12), dark)
    shades = [mix(palette.far, palette.near, noise.between(0.1, 0.7)) for _ in range(3)]
    shades += [mix(palette.accent, palette.near, 0.25), mix(palette.sun, palette.far, 0.5)]
    for number, shade in enumerate(shades):
        row_noise = noise.substream(f"jars {number} {level}")

        def jars(pen: MaskPen, row_noise: SeededNoise = row_noise, number: int = number) -> None:
            x = left + unit * (0.2 + number * 0.42)
            while x < right - unit * 0.4:
                wide, tall = unit * row_noise.between(0.12, 0.19), unit * row_noise.between(0.5, 1.0)
                if bottles:
                    pen.rect(x - wide * 0.8, y - tall * 0.7, x + wide * 0.8, y, round_by=wide * 0.4)
                    pen.rect(x - wide * 0.3, y - tall * 1.15, x + wide * 0.3, y - tall * 0.6)
                else:
                    pen.rect(x - wide, y - tall * 0.75, x + wide, y, round_by=wide * 0.3)
                    pen.rect(x - wide * 0.8, y - tall * 0.86, x + wide * 0.8, y - tall * 0.7)
                x += unit * 2.1 * row_noise.between(0.8, 1.2)

        canvas.paint(canvas.mask(jars), shade)


def _frames(canvas: SceneCanvas, noise: SeededNoise) -> None:
    unit, palette = canvas.unit, canvas.palette
    for at, level, wide, tall in ((0.5, 0.3, 0.8, 0.6), (0.62, 0.36, 0.5, 0.7)):
        x, y = canvas.x(at + noise.between(-0.02, 0.02)), canvas.y(level)
        frame = canvas.panel(x - unit * wide, y - unit * tall, x + unit * wide, y + unit * tall)
        canvas.paint(frame, mix(palette.near, palette.far, 0.3))
        inner = (x - unit * (wide - 0.1), y - unit * (tall - 0.1), x + unit * (wide - 0.1), y + unit * (tall - 0.1))
        canvas.paint(canvas.panel(*inner), mix(palette.sky[-1], palette.accent, 0.3), palette.far)


def _lamp(canvas: SceneCanvas, at: float, low: float) -> None:
    unit, palette = canvas.unit, canvas.palette
    x, y = canvas.x(at), canvas.y(low)
    canvas.glow(x, y + unit * 0.5, unit * 3.4, mix(palette.sun, (255, 206, 130), 0.5), 0.6)

    def shade(pen: MaskPen) -> None:
        pen.line([(x, 0), (x, y)], unit * 0.04)
        pen.shape(
            [
                (x - unit * 0.18, y - unit * 0.2),
                (x + unit * 0.18, y - unit * 0.2),
                (x + unit * 0.75, y + unit * 0.42),
                (x - unit * 0.75, y + unit * 0.42),
            ]
        )

    canvas.paint(canvas.disc(x, y + unit * 0.42, unit * 0.5, unit * 0.16), (255, 240, 205))
    canvas.add_layer(canvas.mask(shade), 0.45, mix(palette.near, palette.accent, 0.16))


def table(canvas: SceneCanvas, noise: SeededNoise) -> None:
    """Draw a table across the foreground, with a cup and a bowl."""
    unit, palette = canvas.unit, canvas.palette
    width, height = canvas.size
    edge = canvas.y(0.84)
    wood = mix(palette.near, (96, 58, 40), 0.35)

    def things(pen: MaskPen) -> None:
        cup = canvas.x(noise.between(0.62, 0.8))
        pen.rect(cup - unit * 0.32, edge - unit * 0.55, cup + unit * 0.32, edge + unit * 0.1, round_by=unit * 0.1)
        pen.oval(cup + unit * 0.36, edge - unit * 0.25, unit * 0.2, unit * 0.2)
        bowl = canvas.x(noise.between(0.18, 0.34))
        pen.shape(
            [
                (bowl - unit * 0.9, edge - unit * 0.42),
                (bowl + unit * 0.9, edge - unit * 0.42),
                (bowl + unit * 0.45, edge + unit * 0.06),
                (bowl - unit * 0.45, edge + unit * 0.06),
            ]
        )
        for dx, size in ((-0.4, 0.26), (0.05, 0.32), (0.45, 0.25)):
            pen.oval(bowl + dx * unit, edge - unit * 0.5, size * unit, size * unit)

    # Nearer than people, at 1: they stand behind their table.
    canvas.add_layer(canvas.mask(things), 1.05, mix(wood, palette.accent, 0.3), palette.near)
    canvas.add_layer(canvas.panel(0, edge, width, height), 1.05, mix(wood, palette.sun, 0.22), palette.near)
    canvas.ground_level = 0.86


def door(canvas: SceneCanvas) -> None:
    """Draw a wall with a door ajar and the light that falls through it."""
    noise = canvas.noise.substream("door")
    _wall(canvas)
    unit, palette = canvas.unit, canvas.palette
    x, top, foot, wide = canvas.x(noise.pick((0.36, 0.62))), canvas.y(0.16), canvas.y(0.86), unit * 1.5
    canvas.glow(x, (top + foot) / 2, unit * 6, palette.sun, 0.55)
    frame = canvas.panel(x - wide - unit * 0.22, top - unit * 0.22, x + wide + unit * 0.22, foot)
    canvas.paint(frame, mix(palette.near, palette.far, 0.2))
    opening = canvas.panel(x - wide, top, x + wide, foot)
    canvas.paint(opening, mix(palette.sun, (255, 255, 255), 0.25), mix(palette.sun, palette.accent, 0.3))
    fan = [(x - wide, foot), (x + wide, foot), (x + wide * 2.6, canvas.size[1]), (x - wide * 2.1, canvas.size[1])]
    light = canvas.area(fan, blur=unit * 0.12)
    canvas.paint(light.point([v * 110 // 255 for v in range(256)]), palette.sun)
    leaf = [
        (x - wide, top),
        (x + wide * 0.35, top + unit * 0.35),
        (x + wide * 0.35, foot + unit * 0.3),
        (x - wide, foot),
    ]
    wood = mix(palette.near, palette.accent, 0.22)
    picture = Image.new("RGB", canvas.size, wood)

    def panels(pen: MaskPen) -> None:
        for high, low in ((0.08, 0.42), (0.52, 0.9)):
            pen.rect(
                x - wide * 0.72,
                top + (foot - top) * high + unit * 0.1,
                x + wide * 0.12,
                top + (foot - top) * low + unit * 0.1,
            )

    picture.paste(mix(wood, palette.near, 0.4), (0, 0), canvas.mask(panels))
    knob = canvas.disc(x + wide * 0.22, (top + foot) / 2 + unit * 0.4, unit * 0.11, unit * 0.11)
    picture.paste(palette.sun, (0, 0), knob)
    canvas.add_picture(canvas.area(leaf), 0.5, picture)
    canvas.ground_level = 0.93


def concert(canvas: SceneCanvas) -> None:
    """Draw a concert: beams of light on a stage, heads in front."""
    palette = canvas.palette
    width, height = canvas.size
    noise = canvas.noise.substream("show")
    dark = mix(palette.sky[0], palette.near, 0.8)
    canvas.base.paste(gradient((palette.near, dark, mix(dark, palette.sky[1], 0.35)), (width, height)), (0, 0))
    floor = canvas.y(0.76)
    for number in range(6):
        at = canvas.x(0.08 + number * 0.168)
        aim = canvas.x(0.5 + (number - 2.5) * noise.between(-0.1, 0.14))
        wide = canvas.unit * noise.between(0.8, 1.4)
        beam = [
            (at - canvas.unit * 0.08, 0.0),
            (at + canvas.unit * 0.08, 0.0),
            (aim + wide, floor),
            (aim - wide, floor),
        ]
        mask = canvas.area(beam, blur=canvas.unit * 0.1)
        colour = palette.accent if number % 2 else palette.sun
        canvas.paint(mask.point([v * 86 // 255 for v in range(256)]), colour)
        pool = canvas.disc(aim, floor + canvas.unit * 0.2, wide, wide * 0.2, blur=canvas.unit * 0.08)
        canvas.paint(pool.point([v * 140 // 255 for v in range(256)]), colour)
    planks = canvas.panel(0, floor + canvas.unit * 0.55, width, height)
    canvas.paint(planks, palette.near)
    canvas.add_layer(canvas.mask(lambda pen: _crowd(pen, canvas, noise)), 1.2, mix(palette.near, (0, 0, 0), 0.35))
    canvas.ground_level = 0.79


def _crowd(pen: MaskPen, canvas: SceneCanvas, noise: SeededNoise) -> None:
    unit = canvas.unit
    for row in range(2):
        x = -unit * noise.unit()
        while x < canvas.size[0] + unit:
            y = canvas.y(0.9 + row * 0.07) + unit * noise.between(-0.2, 0.2)
            pen.oval(x, y, unit * 0.36, unit * 0.42)
            pen.oval(x, y + unit * 1.15, unit * 0.85, unit * 0.8)
            if noise.chance(0.16):
                pen.limb((x + unit * 0.5, y + unit), (x + unit * 0.62, y - unit * 0.9), unit * 0.2)
            x += unit * noise.between(1.2, 1.7)
    pen.rect(0, canvas.y(1.02), canvas.size[0], canvas.size[1])


def product(canvas: SceneCanvas) -> None:
    """Draw a product shot: a seamless backdrop, one light, a product on a plinth."""
    palette = canvas.palette
    width, height = canvas.size
    noise = canvas.noise.substream("product")
    ground = mix(palette.sky[2], palette.accent, 0.18)
    canvas.base.paste(
        gradient(
            (
                mix(ground, palette.near, 0.45),
                ground,
                mix(ground, palette.sky[-1], 0.4),
                mix(ground, palette.near, 0.2),
            ),
            (width, height),
        ),
        (0, 0),
    )
    unit, x, y = canvas.unit, canvas.x(0.5), canvas.y(0.74)
    canvas.glow(x - unit * 1.5, canvas.y(0.3), unit * 6.5, palette.sun, 0.75)
    shadow = canvas.disc(x + unit * 0.7, y + unit * 0.42, unit * 2.7, unit * 0.42, blur=unit * 0.22)
    canvas.paint(shadow.point([v * 130 // 255 for v in range(256)]), palette.near)

    def plinth(pen: MaskPen) -> None:
        pen.oval(x, y + unit * 0.4, unit * 1.9, unit * 0.36)
        pen.rect(x - unit * 1.9, y, x + unit * 1.9, y + unit * 0.4)

    canvas.add_layer(canvas.mask(plinth), 0.9, mix(ground, palette.near, 0.35), mix(ground, palette.near, 0.6))
    canvas.add_layer(canvas.disc(x, y, unit * 1.9, unit * 0.36), 0.9, mix(ground, (255, 255, 255), 0.42))
    body, light, cap = _product_shape(canvas, x, y + unit * 0.05, noise)
    deep = mix(palette.accent, palette.near, 0.25)
    tones = (mix(deep, palette.near, 0.5), deep, palette.accent, mix(deep, palette.near, 0.35))
    # The gradient runs over the product itself, not over the whole canvas.
    box = body.getbbox() or (0, 0, 2, 2)
    picture = Image.new("RGB", canvas.size)
    across = gradient(tones, (box[3] - box[1], box[2] - box[0]))
    picture.paste(across.transpose(Image.Transpose.ROTATE_90), box[:2])
    picture.paste((255, 255, 255), (0, 0), light.point([v * 120 // 255 for v in range(256)]))
    picture.paste(mix(palette.near, palette.sun, 0.2), (0, 0), cap)
    body.paste(255, (0, 0), cap)
    canvas.add_picture(body, 1, picture)
    # Below the frame: nobody stands in a product shot unless its words name somebody.
    canvas.ground_level = 1.2


def _product_shape(
    canvas: SceneCanvas, x: float, foot: float, noise: SeededNoise
) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Masks of a bottle, a box or a ball, by the prompt: its body, the light on it, its cap."""
    unit, prompt = canvas.unit, canvas.prompt
    empty = Image.new("L", canvas.size)
    if any(
        word in prompt for word in ("bottle", "perfume", "drink", "juice", "wine", "serum", "cola", "beer", "tonic")
    ):
        body = canvas.mask(lambda pen: _bottle(pen, x, foot, unit))
        light = canvas.panel(
            x - unit * 0.62,
            foot - unit * 2.1,
            x - unit * 0.46,
            foot - unit * 0.3,
            round_by=unit * 0.08,
            blur=unit * 0.04,
        )
        cap = canvas.panel(x - unit * 0.3, foot - unit * 3.95, x + unit * 0.3, foot - unit * 3.5, round_by=unit * 0.06)
        return body, light, cap
    if any(
        word in prompt for word in ("box", "book", "phone", "speaker", "camera", "laptop", "package", "tin", "radio")
    ):
        body = canvas.panel(x - unit * 1.15, foot - unit * 2.4, x + unit * 1.15, foot, round_by=unit * 0.16)
        light = canvas.panel(
            x - unit * 0.95,
            foot - unit * 2.2,
            x - unit * 0.8,
            foot - unit * 0.3,
            round_by=unit * 0.06,
            blur=unit * 0.05,
        )
        cap = canvas.disc(x + unit * 0.2, foot - unit * 1.2, unit * 0.55, unit * 0.55)
        return body, light, cap
    if "umbrella" in prompt:
        return _parasol(canvas, x, foot)
    # A ball for every product without a shape of its own.
    body = canvas.disc(x, foot - unit * 1.25, unit * 1.3, unit * 1.3)
    light = canvas.disc(x - unit * 0.48, foot - unit * 1.8, unit * 0.28, unit * 0.2, blur=unit * 0.1)
    return body, light, empty


def _parasol(canvas: SceneCanvas, x: float, foot: float) -> tuple[Image.Image, Image.Image, Image.Image]:
    unit = canvas.unit
    y = foot - unit * 2.1
    arch = [
        (x - math.cos(math.pi * step / 30) * unit * 2.3, y - math.sin(math.pi * step / 30) * unit * 1.5)
        for step in range(31)
    ]
    edge = [(x + unit * 2.3 * (1 - step / 6), y + unit * (0.22 if step % 2 else 0)) for step in range(13)]
    inner = [(x + unit * 2.3 * (1 - step / 6), y + unit * (0.22 if step % 2 else 0.0)) for step in range(13)]
    light = canvas.area([*inner, (x, y - unit * 0.55)], blur=unit * 0.05)
    stick = canvas.panel(x - unit * 0.05, y - unit * 1.75, x + unit * 0.05, foot, round_by=unit * 0.04)
    return canvas.area(arch + edge), light, stick


def _bottle(pen: MaskPen, x: float, foot: float, unit: float) -> None:
    pen.rect(x - unit * 0.8, foot - unit * 2.5, x + unit * 0.8, foot, round_by=unit * 0.16)
    shoulder: list[Point] = []
    for step in range(13):
        angle = math.pi / 2 * step / 12
        shoulder.append((x + unit * (0.26 + 0.54 * math.cos(angle)), foot - unit * (2.35 + 0.75 * math.sin(angle))))
    pen.shape(shoulder + [(2 * x - px, py) for px, py in reversed(shoulder)])
    pen.rect(x - unit * 0.26, foot - unit * 3.6, x + unit * 0.26, foot - unit * 2.9)
