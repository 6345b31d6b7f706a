"""A layer of a scene, as the camera sees it from moment to moment."""

import math

from PIL import Image

from runner.animatic.camera import CameraView, window
from runner.animatic.planes import Box, Colour, Mask, Planes, mask_of, sample
from runner.animatic.zoom import Zoom
from runner.lazy_dataclass import dataclass

# Pixels from which preparing the codec's scaler pays.
_LARGE = 30_000


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer as projected on the frame: position, mask and picture."""

    box: Box
    """Position on the frame in fractions of a pixel, compared to see whether the layer has moved."""
    at: tuple[int, int]
    mask: Mask
    picture: Planes | None
    below: Planes | None
    """The picture below the masked part, where the layer covers everything."""


@dataclass(slots=True)
class Layer:
    """A layer of the scene in front of the sky: picture, mask and depth."""

    at: tuple[int, int]
    """Upper left corner on the canvas."""
    cover: Image.Image
    """Mask (mode L) as large as the layer."""
    depth: float
    colour: Colour | None = None
    picture: Planes | None = None
    """None for a layer of one colour."""
    drift: float = 0.0
    """Motion of the layer itself, in canvas pixels a second to the right."""
    is_gradient: bool = False
    """Whether the picture is a vertical gradient, which need not be scaled to the pixel."""
    is_moving: bool = False
    """Whether the layer is one of a body's poses: a step hides what is less than a pixel, so it is never mixed."""
    solid_from: int | None = None
    """First row from which the layer covers the whole width of the canvas."""
    _zoom: Zoom | None = None
    _last_view: LayerView | None = None
    """Cache: a layer moved by less than half a pixel need not be cut again."""

    def draw(self, planes: Planes, canvas_size: tuple[int, int], view: CameraView, moment: float) -> None:
        """Draw the layer over the frame, to a fraction of a pixel."""
        size = planes.y.size
        box = window(view, self.depth, size, canvas_size)
        scale = size[0] / (box[2] - box[0])
        left, top = (self.at[0] + self.drift * moment - box[0]) * scale, (self.at[1] - box[1]) * scale
        place = (left, top, left + self.cover.width * scale, top + self.cover.height * scale)
        if self.is_moving:
            self._last_view = self._pose(place, size)
        elif self._last_view is None or not is_still(self._last_view.box, place):
            self._last_view = self._scaled(place, scale, size)
        layer_view = self._last_view
        if layer_view is None:
            return
        if layer_view.picture is not None:
            planes.paste(layer_view.picture, layer_view.at, layer_view.mask)
        elif self.colour is not None:
            planes.tint(self.colour, layer_view.at, layer_view.mask)
        if layer_view.below is not None:
            planes.paste(layer_view.below, (layer_view.at[0], layer_view.at[1] + layer_view.mask.full.height), None)

    def _pose(self, place: Box, frame_size: tuple[int, int]) -> LayerView | None:
        """The whole layer at the nearest pixel, scaled again only when its size changes; None outside the frame."""
        cover, picture = self._at_scale((place[2] - place[0]) / self.cover.width)
        at = (round(place[0]), round(place[1]))
        if at[0] >= frame_size[0] or at[1] >= frame_size[1] or at[0] + cover.width <= 0 or at[1] + cover.height <= 0:
            return None
        last = self._last_view
        mask = last.mask if last is not None and last.mask.full is cover else mask_of(cover)
        return LayerView(place, at, mask, picture, None)

    def _scaled(self, place: Box, scale: float, frame_size: tuple[int, int]) -> LayerView | None:
        """The part of the layer inside the frame, on even pixels; None when the layer lies outside."""
        left, top, right, bottom = place
        x0, y0 = max(0, math.ceil(left / 2) * 2), max(0, math.ceil(top / 2) * 2)
        x1, y1 = min(frame_size[0], math.floor(right / 2) * 2), min(frame_size[1], math.floor(bottom / 2) * 2)
        if x1 <= x0 or y1 <= y0:
            return None
        floor = y1
        if self.solid_from is not None and self.picture is not None:
            floor = min(y1, max(y0 + 2, math.ceil((top + self.solid_from * scale) / 2) * 2))
        size = (x1 - x0, floor - y0)
        # What is small, or seen only in part, is scaled sooner by itself than as a whole.
        if size[0] * size[1] > max(_LARGE, 0.7 * (right - left) * (bottom - top)):
            cover, picture = self._at_scale(scale)
            # The scaled layer has whole pixels; what it is too large or too small goes to both sides.
            left, top = (left + right - cover.width) / 2, (top + bottom - cover.height) / 2
            part = within((x0 - left, y0 - top, x1 - left, floor - top), cover.size)
        else:
            cover, picture = self.cover, None if self.is_gradient else self.picture
            part = ((x0 - left) / scale, (y0 - top) / scale, (x1 - left) / scale, (floor - top) / scale)
            # Rounding may reach beyond by a millionth of a pixel.
            part = (*part[:2], min(part[2], cover.width), min(part[3], cover.height))
        full = sample(cover, part, size)
        mask = Mask(full, full.reduce(2))
        if picture is not None:
            return LayerView(place, (x0, y0), mask, picture.crop(part, full.size), None)
        if self.picture is None:
            return LayerView(place, (x0, y0), mask, None, None)
        row = max(0, min(round((y0 - top) / 2) * 2, self.picture.y.height - (y1 - y0)))
        upper = self.picture.crop((0, row, x1 - x0, row + floor - y0), full.size)
        lower = (x1 - x0, y1 - floor)
        row += floor - y0
        below = self.picture.crop((0, row, lower[0], row + lower[1]), lower) if lower[1] else None
        return LayerView(place, (x0, y0), mask, upper, below)

    def _at_scale(self, scale: float) -> tuple[Image.Image, Planes | None]:
        """The mask at a scale, and the picture unless it is a gradient, which need not be scaled."""
        if self._zoom is None:
            self._zoom = Zoom(self.cover, None if self.is_gradient else self.picture)
        cover, picture = self._zoom.scaled(scale)
        assert cover is not None
        return cover, picture


# A little more than half a pixel: rounding to the nearest one must not count as motion.
def is_still(first: Box, second: Box, pixels: float = 0.55) -> bool:
    """Whether no edge of a box has moved by a visible amount."""
    return all(abs(a - b) < pixels for a, b in zip(first, second, strict=True))


def within(box: Box, size: tuple[int, int]) -> Box:
    """The box moved by at most a pixel, so that it lies on a picture of this size."""
    right = min(0.0, size[0] - box[2])
    low = min(0.0, size[1] - box[3])
    left, top = max(0.0, box[0] + right), max(0.0, box[1] + low)
    return (left, top, left + box[2] - box[0], top + box[3] - box[1])
