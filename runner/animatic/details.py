"""Things in a close look: a plain shape of what an insert shows, large in the middle of the frame."""

import math
import re
from collections.abc import Callable, Mapping

from runner.animatic.palette import mix
from runner.animatic.planes import Colour
from runner.animatic.scene_canvas import MaskPen, Point, SceneCanvas

_Shape = Callable[[MaskPen, float, float, float], None]


def add_detail(canvas: SceneCanvas) -> None:
    """Add the thing that the words name first as a layer; a round one where they name none that can be drawn."""
    # Words in brackets describe an asset, which need not be what is looked at.
    words = re.sub(r"\([^()]*\)", " ", canvas.prompt)
    matches = {name: re.search(pattern, words) for name, (pattern, _) in _DETAILS.items()}
    names = [(match.start(), name) for name, match in matches.items() if match is not None]
    shape = _DETAILS[min(names)[1]][1] if names else _round
    palette, unit = canvas.palette, canvas.unit
    x, y = canvas.x(0.5 + canvas.noise.substream("detail").between(-0.08, 0.08)), canvas.y(0.46)
    body = mix(palette.near, palette.accent, 0.35)
    light = mix(palette.accent, palette.sun, 0.5)
    canvas.glow(x + unit * 2, y - unit * 2, unit * 6, palette.sun, 0.35)
    canvas.add_layer(canvas.mask(lambda pen: shape(pen, x, y, unit)), 1.0, _lit(body, light), body)


def _lit(body: Colour, light: Colour) -> Colour:
    return mix(body, light, 0.55)


# Measures of the shapes are set by eye, in tenths of the frame's height.
def _rope(pen: MaskPen, x: float, y: float, unit: float) -> None:
    """A post with a thick rope wound around it."""
    pen.rect(x - unit * 1.2, y - unit * 1.6, x + unit * 1.2, y + unit * 6, round_by=unit * 0.3)
    pen.oval(x, y - unit * 1.7, unit * 1.7, unit * 0.6)
    for number in range(3):
        low = y + unit * (0.2 + number * 0.95)
        pen.limb((x - unit * 1.7, low + unit * 0.3), (x + unit * 1.7, low - unit * 0.1), unit * 0.8)
    for step in range(26):
        at = step / 25
        pen.limb(
            (x + unit * (1.5 + 9 * at), y + unit * (0.1 - 1.9 * at) - unit * 0.3),
            (x + unit * (1.75 + 9 * at), y + unit * (0.1 - 1.9 * at) + unit * 0.35),
            unit * 0.4,
        )


def _lamp(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.line([(x - unit * 4.5, y - unit * 3), (x, y - unit * 3), (x, y - unit * 1.6)], unit * 0.28)
    pen.shape(
        [(x - unit * 0.5, y - unit * 1.7), (x + unit * 0.5, y - unit * 1.7), (x + unit * 1.9, y), (x - unit * 1.9, y)]
    )
    pen.oval(x, y + unit * 0.35, unit * 0.75, unit * 0.75)


def _cup(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.rect(x - unit * 1.5, y - unit * 1.4, x + unit * 1.5, y + unit * 2, round_by=unit * 0.4)
    ring = [(x + unit * (1.6 + math.cos(a / 6 - 1.5)), y + unit * (0.2 + math.sin(a / 6 - 1.5))) for a in range(19)]
    pen.line(ring, unit * 0.35)
    for dx in (-0.6, 0.0, 0.6):
        wave = [(x + unit * (dx + 0.16 * math.sin(s)), y - unit * (1.7 + 0.28 * s)) for s in range(7)]
        pen.line(wave, unit * 0.1, 120)


def _hand(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.oval(x, y + unit * 0.6, unit * 1.35, unit * 1.5)
    pen.limb((x, y + unit * 1.5), (x - unit * 0.6, y + unit * 6), unit * 1.9)
    for number, (dx, tall) in enumerate(((-1.0, 2.1), (-0.35, 2.6), (0.35, 2.5), (1.0, 2.0))):
        tip: Point = (x + unit * dx * (1.25 + number * 0.02), y - unit * tall)
        pen.limb((x + unit * dx, y), tip, unit * 0.56)
    pen.limb((x + unit * 1.1, y + unit * 1.2), (x + unit * 2.4, y - unit * 0.2), unit * 0.6)


def _sheet(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.shape(
        [
            (x - unit * 2.6, y - unit * 1.2),
            (x + unit * 1.9, y - unit * 1.9),
            (x + unit * 2.6, y + unit * 1.6),
            (x - unit * 1.9, y + unit * 2.3),
        ]
    )


def _phone(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.rect(x - unit * 1.3, y - unit * 2.7, x + unit * 1.3, y + unit * 2.7, round_by=unit * 0.35)


def _shoe(pen: MaskPen, x: float, y: float, unit: float) -> None:
    for dx in (-2.2, 0.8):
        px = x + unit * dx
        pen.limb((px, y + unit * 1.2), (px + unit * 2.1, y + unit * 1.6), unit * 1.1)
        pen.limb((px, y + unit * 1.2), (px - unit * 0.2, y - unit * 5), unit * 1.0)


def _eye(pen: MaskPen, x: float, y: float, unit: float) -> None:
    arch = [(x + unit * 3.2 * (step / 10 - 1), y - unit * 1.5 * math.sin(math.pi * step / 20)) for step in range(21)]
    low = [(px, 2 * y - py) for px, py in reversed(arch)]
    pen.line([*arch, *low], unit * 0.25)
    pen.oval(x, y, unit * 1.3, unit * 1.3)
    pen.line([(px, py - unit * 1.1) for px, py in arch[3:-3]], unit * 0.35)


def _key(pen: MaskPen, x: float, y: float, unit: float) -> None:
    ring = [(x - unit * (2 + math.cos(a / 3)), y + unit * math.sin(a / 3)) for a in range(20)]
    pen.line(ring, unit * 0.45)
    pen.limb((x - unit, y), (x + unit * 3, y), unit * 0.42)
    for dx in (2.1, 2.8):
        pen.limb((x + unit * dx, y), (x + unit * dx, y + unit * 0.9), unit * 0.36)


def _clock(pen: MaskPen, x: float, y: float, unit: float) -> None:
    ring = [(x + unit * 2.5 * math.cos(a / 6), y + unit * 2.5 * math.sin(a / 6)) for a in range(39)]
    pen.line(ring, unit * 0.4)
    pen.limb((x, y), (x, y - unit * 1.8), unit * 0.24)
    pen.limb((x, y), (x + unit * 1.2, y + unit * 0.5), unit * 0.3)


def _round(pen: MaskPen, x: float, y: float, unit: float) -> None:
    pen.oval(x, y, unit * 2.3, unit * 2.3)


_DETAILS: Mapping[str, tuple[str, _Shape]] = {
    "rope": (r"\brope|\bbollard|\bknot\b|\bcable\b|\bchain\b", _rope),
    "lamp": (r"\blamps?\b|\blantern|\bbulb\b|\bcandle", _lamp),
    "cup": (r"\bmugs?\b|\bcups?\b|\bcoffee\b|\btea\b|\bglass\b|\bbowl\b", _cup),
    "hand": (r"\bhands?\b|\bfingers?\b|\bfist\b|\bpalm\b", _hand),
    "sheet": (r"\bletter\b|\bpaper\b|\bphoto(?:graph)?s?\b|\bnote\b|\bbook\b|\bmap\b|\benvelope\b|\bticket\b", _sheet),
    "phone": (r"\bphone\b|\bscreen\b|\btablet\b|\bradio\b", _phone),
    "shoe": (r"\bshoes?\b|\bfeet\b|\bboots?\b|\bfoot(?:steps?)?\b", _shoe),
    "eye": (r"\beyes?\b", _eye),
    "key": (r"\bkeys?\b", _key),
    "clock": (r"\bclock\b|\bwatch\b|\bdial\b", _clock),
}
