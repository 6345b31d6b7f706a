"""Slates: a picture with text in place of a clip that is missing."""

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from runner.animatic.caption import draw_line, wrap
from runner.animatic.fonts import Environment, faces_of
from runner.assembly.parts import FilmShape, Part

if TYPE_CHECKING:
    from runner.animatic.fonts import Faces

_BACKGROUND, _TITLE, _TEXT, _LINE = (18, 20, 25), (238, 236, 230), (152, 156, 166), (70, 74, 84)
# Lines of each text: a longer prompt would push the others out of the picture.
_MAX_LINES = 6
# Height of a line, as a multiple of its letters.
_LEADING = 1.45


def slate_picture(part: Part, shape: FilmShape, environment: Environment) -> Image.Image:
    """A slate of the film's size: the first line large, the others small below it."""
    image = Image.new("RGB", (shape.width, shape.height), _BACKGROUND)
    unit = min(shape.width, shape.height)
    margin = unit // 10
    width = shape.width - 2 * margin
    lines = []
    for number, text in enumerate(part.slate_lines):
        size = max(12, unit // 12 if number == 0 else unit // 26)
        faces = faces_of(text, environment)
        colour = _TITLE if number == 0 else _TEXT
        lines += [(line, size, faces, colour) for line, _ in wrap(text, size, width, faces)[:_MAX_LINES]]
    height = sum(round(size * _LEADING) for _, size, _, _ in lines)
    y = max(margin, (shape.height - height) // 2)
    draw = ImageDraw.Draw(image)
    draw.rectangle((margin, y - unit // 40, margin + unit // 8, y - unit // 40 + max(2, unit // 180)), fill=_LINE)
    for text, size, faces, colour in lines:
        image.paste(colour, (0, 0), _text_mask(text, size, faces, (margin, y), (shape.width, shape.height), width))
        y += round(size * _LEADING)
    return image


def _text_mask(
    text: str, size: int, faces: "Faces", at: tuple[int, int], canvas: tuple[int, int], width: int
) -> Image.Image:
    mask = Image.new("L", canvas)
    pen = ImageDraw.Draw(mask)
    draw_line((pen, pen), at, width, text, size, faces)
    return mask
