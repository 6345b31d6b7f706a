"""The picture behind it all, composed from the prompt: a sky, layers before it, and what moves in the air."""

import re
from collections.abc import Callable, Mapping

from PIL import Image, ImageFilter

from runner.animatic import inside, nature, town
from runner.animatic.air import Glitter, Moving, air_of
from runner.animatic.camera import Camera, window
from runner.animatic.overlay import caption_of, caption_share
from runner.animatic.palette import palette_of
from runner.animatic.people import Figure, is_close, people_of
from runner.animatic.planes import Box, Planes, planes_of
from runner.animatic.prompt_words import story
from runner.animatic.scene_canvas import Layer, SceneCanvas, paper, still
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec
from runner.lazy_dataclass import dataclass

_SKY = 0.25
"""How near the sky and everything painted into it are, for the camera."""


@dataclass(slots=True)
class Scene:
    """A composed place; `_seen` is how its base stood last, where it need not be scaled again."""

    size: tuple[int, int]
    canvas: tuple[int, int]
    base: Planes
    layers: tuple[Layer | Figure | Moving, ...]
    """From the far to the near."""
    edge: Image.Image
    """How dark the corners are."""
    _seen: tuple[Box, Planes] | None = None

    def shoot(self, camera: Camera, moment: float) -> Planes:
        """The frame at a moment, free to be painted on."""
        view = camera.view(moment)
        box = window(view, _SKY, self.size, self.canvas)
        if self._seen is None or not still(self._seen[0], box, 0.8):
            self._seen = (box, self.base.crop(box, self.size))
        planes = self._seen[1].copy()
        for layer in self.layers:
            layer.draw(planes, self.canvas, view, moment)
        planes.y.paste(16, (0, 0, *self.size), self.edge)
        return planes


_PLACES: Mapping[str, Callable[[SceneCanvas], None]] = {
    r"\bspace\b|planet|galaxy|astronaut|spaceship|太空": nature.space,
    r"packshot|product shot|\bproduct\b|plinth|turntable|seamless|perfume|bottle of|sneaker|macro shot": inside.product,
    r"concert|on stage|\bstage\b|spotlight|nightclub|dance ?floor|\bband\b|festival|\bgig\b|ballroom": inside.show,
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


def scene_of(order: AnimaticSpec, size: tuple[int, int], dice: SeededNoise) -> Scene:
    """Compose the place that the prompt speaks of."""
    words = story(order.prompt, "framing", "camera")
    palette = palette_of(order.prompt, order.variation, dice.apart("palette"))
    covered = caption_share(caption_of(order, size), size)
    stage = SceneCanvas(size, palette, dice.apart("stage"), words, lift=min(0.13, max(0.0, covered - 0.17)))
    place_of(story(order.prompt))(stage)
    if "lantern" in words:
        town.lanterns(stage)
    people = people_of(stage, order.seconds, bool(order.references))
    if is_close(words):
        _blur(stage)
    before = [layer for layer in stage.layers if layer.depth < 1]
    near = [layer for layer in stage.layers if layer.depth >= 1]
    moving = air_of(stage)
    on_water = [one for one in moving if isinstance(one, Glitter)]
    falling = [one for one in moving if not isinstance(one, Glitter)]
    layers: list[Layer | Figure | Moving] = [*on_water, *before, *people, *near, *falling]
    return Scene(size, stage.canvas, planes_of(paper(stage.base, "paper", 9)), tuple(layers), _edge(size))


def place_of(words: str) -> Callable[[SceneCanvas], None]:
    """The place that the words name most often, of several the first that they name; hills, if none."""
    named: list[tuple[int, int, int, Callable[[SceneCanvas], None]]] = []
    for pattern, place in _PLACES.items():
        found = list(re.finditer(pattern, words))
        if found:
            named.append((-len(found), found[0].start(), len(named), place))
    return min(named)[3] if named else nature.hills


def _blur(stage: SceneCanvas) -> None:
    """What is behind a face in close-up is out of focus."""
    soft = ImageFilter.BoxBlur(stage.unit * 0.09)
    stage.base = stage.base.filter(soft)
    for layer in stage.layers:
        layer.cover = layer.cover.filter(soft)


def _edge(size: tuple[int, int]) -> Image.Image:
    """Corners a little darker, as a lens leaves them."""
    table = [round(96 * max(0.0, (value - 120) / 135) ** 1.6) for value in range(256)]
    return Image.radial_gradient("L").point(table).resize(size, Image.Resampling.BILINEAR)
