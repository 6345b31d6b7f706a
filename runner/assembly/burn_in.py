"""Burnt-in text: the shot, the take and the film's time code on a dark strip at the upper edge, clear of captions."""

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from runner.animatic.caption import label
from runner.animatic.fonts import Environment
from runner.animatic.planes import planes_of_frame
from runner.assembly.parts import FilmShape

if TYPE_CHECKING:
    import av

_STRIP_LUMA, _TEXT_LUMA, _GREY = 24, 220, 128


def time_code(number: int, rate: Fraction) -> str:
    """The time code of a frame, counted without dropping: `01:02:03:04` is hours, minutes, seconds, frames."""
    # As editors count: 23.976 frames a second are numbered as 24.
    whole = round(rate)
    seconds, frame = divmod(number, whole)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}"


def burn_in(
    frame: "av.VideoFrame", text: str, number: int, shape: FilmShape, environment: Environment
) -> "av.VideoFrame":
    """A frame of the film with `text` at the left and its time code at the right."""
    size = max(12, min(shape.width, shape.height) // 30)
    planes = planes_of_frame(frame)
    height = (round(size * 1.9) + 1) // 2 * 2
    planes.y.paste(_STRIP_LUMA, (0, 0, shape.width, height))
    for plane in (planes.u, planes.v):
        plane.paste(_GREY, (0, 0, shape.width // 2, height // 2))
    code = _mask(time_code(number, shape.rate), size, environment)
    room = shape.width - code.width - 3 * size
    name = _mask(text, size, environment)
    baseline = (height - code.height) // 2
    planes.y.paste(_TEXT_LUMA, (size, baseline), name.crop((0, 0, min(name.width, max(1, room)), name.height)))
    planes.y.paste(_TEXT_LUMA, (shape.width - size - code.width, baseline), code)
    return planes.frame()


# The name of a part is on each of its frames: its letters are drawn once.
@lru_cache(maxsize=256)
def _mask(text: str, size: int, environment: Environment) -> Image.Image:
    return label(text, size, environment=environment)
