"""The picture behind it all, composed from the prompt: a sky, layers before it, and what moves in the air."""

from dataclasses import dataclass

from PIL import Image

from runner.sandbox.animatic.camera import MARGIN, Camera, window
from runner.sandbox.animatic.dice import Dice
from runner.sandbox.animatic.order import Order
from runner.sandbox.animatic.palette import Palette, mix, palette_of
from runner.sandbox.animatic.planes import Planes, planes_of


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed place."""

    size: tuple[int, int]
    sky: Planes

    def shoot(self, camera: Camera, moment: float) -> Planes:
        """The frame at a moment."""
        view = camera.view(moment)
        return self.sky.crop(window(view, 0.3, self.size, self.sky.y.size), self.size)


def scene_of(order: Order, size: tuple[int, int], dice: Dice) -> Scene:
    """Compose the place that the prompt speaks of."""
    palette = palette_of(order.prompt, order.variation, dice.apart("palette"))
    canvas = (round(size[0] * (0.5 + MARGIN)) * 2, round(size[1] * (0.5 + MARGIN)) * 2)
    return Scene(size, planes_of(_gradient(palette, canvas)))


def _gradient(palette: Palette, size: tuple[int, int]) -> Image.Image:
    column = Image.new("RGB", (1, 256))
    parts = len(palette.sky) - 1
    for y in range(256):
        place = y / 255 * parts
        at = min(parts - 1, int(place))
        column.putpixel((0, y), mix(palette.sky[at], palette.sky[at + 1], place - at))
    return column.resize(size, Image.Resampling.BICUBIC)
