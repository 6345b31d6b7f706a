"""The background of a clip, composed from the prompt: a sky, layers in front, moving air."""

import re
from collections.abc import Callable, Mapping

from PIL import Image, ImageFilter

from runner.animatic import inside, nature, town
from runner.animatic.air import AirPattern, Glitter, air_of
from runner.animatic.camera import Camera, window
from runner.animatic.overlay import caption_of, caption_share
from runner.animatic.palette import palette_of
from runner.animatic.people import Figure, is_close, people_of
from runner.animatic.planes import Box, Planes, planes_of
from runner.animatic.prompt_words import story
from runner.animatic.scene_canvas import Layer, SceneCanvas, add_paper_grain, is_still
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec
from runner.lazy_dataclass import dataclass

_SKY_DEPTH = 0.25
"""Depth of the sky and everything painted into it, for the camera."""


@dataclass(slots=True)
class Scene:
    """A composed place; `_last_base` caches the scaled base until the camera has moved visibly."""

    size: tuple[int, int]
    canvas: tuple[int, int]
    base: Planes
    layers: tuple[Layer | Figure | AirPattern, ...]
    """Layers from the far to the near."""
    vignette: Image.Image
    """Darkness of the corners."""
    _last_base: tuple[Box, Planes] | None = None

    def shoot(self, camera: Camera, moment: float) -> Planes:
        """The frame at a moment, free to be painted on."""
        view = camera.view(moment)
        box = window(view, _SKY_DEPTH, self.size, self.canvas)
        if self._last_base is None or not is_still(self._last_base[0], box, 0.8):
            self._last_base = (box, self.base.crop(box, self.size))
        planes = self._last_base[1].copy()
        for layer in self.layers:
            layer.draw(planes, self.canvas, view, moment)
        planes.y.paste(16, (0, 0, *self.size), self.vignette)
        return planes


_PLACES: Mapping[str, Callable[[SceneCanvas], None]] = {
    r"\bspace\b|planet|galaxy|astronaut|spaceship|太空": nature.space,
    r"packshot|product shot|\bproduct\b|plinth|turntable|seamless|perfume|bottle of|sneaker|macro shot": inside.product,
    r"concert|on stage|\bstage\b|spotlight|nightclub|dance ?floor|\bband\b|festival|\bgig\b|ballroom": inside.concert,
    r"\bdoor\b|doorway|corridor|hallway|threshold": inside.door,
    r"\bbar\b|tavern|\bpub\b|counter|bartender|cocktail": inside.bar,
    r"kitchen|\broom\b|caf[eé]|bedroom|office|library|interior|\btable\b|bakery|workshop|restaurant|厨房": inside.room,
    r"\broofs?\b|rooftop|old town|village|terracotta|alfama": town.roofs,
    r"harbou?r|quay|\bdocks?\b|\bport\b|pier\b|fishing boat|港": nature.harbour,
    r"street|alley|market|neon|tram\b|sidewalk|crossing|shop|街": town.street,
    r"skyline|\bcity\b|downtown|skyscraper|tokyo|new york|lisbon|porto\b|berlin|paris|london|城": town.skyline,
    r"\bsea\b|ocean|beach|shore|\bwaves?\b|\blake\b|river|\bboat|\bship|island|coast|海": nature.sea,
    r"\broads?\b|highway|\bcar\b|drives?\b|driving|motorcycle|truck drives": town.road,
    r"desert|\bdunes?\b|sahara": nature.desert,
    r"forest|\bwoods\b|jungle|\btrees\b|\bpark\b|garden|林": nature.forest,
    r"studio|watch\b|\bshoe\b": inside.product,
}


def scene_of(spec: AnimaticSpec, size: tuple[int, int], noise: SeededNoise) -> Scene:
    """Compose the place that the prompt names."""
    prompt = story(spec.prompt, "framing", "camera")
    palette = palette_of(spec.prompt, spec.variation, noise.substream("palette"))
    caption_height = caption_share(caption_of(spec, size), size)
    canvas = SceneCanvas(
        size, palette, noise.substream("stage"), prompt, lift=min(0.13, max(0.0, caption_height - 0.17))
    )
    place_of(story(spec.prompt))(canvas)
    if "lantern" in prompt:
        town.lanterns(canvas)
    people = people_of(canvas, spec.seconds, bool(spec.references))
    if is_close(prompt):
        _blur(canvas)
    far = [layer for layer in canvas.layers if layer.depth < 1]
    near = [layer for layer in canvas.layers if layer.depth >= 1]
    air = air_of(canvas)
    on_water = [pattern for pattern in air if isinstance(pattern, Glitter)]
    falling = [pattern for pattern in air if not isinstance(pattern, Glitter)]
    layers: list[Layer | Figure | AirPattern] = [*on_water, *far, *people, *near, *falling]
    return Scene(size, canvas.size, planes_of(add_paper_grain(canvas.base, "paper", 9)), tuple(layers), _vignette(size))


def place_of(prompt: str) -> Callable[[SceneCanvas], None]:
    """The place that the prompt names most often, the earlier one of two equals; hills without any."""
    candidates: list[tuple[int, int, int, Callable[[SceneCanvas], None]]] = []
    for pattern, place in _PLACES.items():
        matches = list(re.finditer(pattern, prompt))
        if matches:
            candidates.append((-len(matches), matches[0].start(), len(candidates), place))
    return min(candidates)[3] if candidates else nature.hills


def _blur(canvas: SceneCanvas) -> None:
    """Blur everything behind a face in close-up."""
    soft = ImageFilter.BoxBlur(canvas.unit * 0.09)
    canvas.base = canvas.base.filter(soft)
    for layer in canvas.layers:
        layer.cover = layer.cover.filter(soft)


def _vignette(size: tuple[int, int]) -> Image.Image:
    """Mask that darkens the corners, as a lens does."""
    table = [round(96 * max(0.0, (value - 120) / 135) ** 1.6) for value in range(256)]
    return Image.radial_gradient("L").point(table).resize(size, Image.Resampling.BILINEAR)
