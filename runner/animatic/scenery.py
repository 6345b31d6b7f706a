"""The background of a clip, composed from the prompt: a sky, layers in front, moving air."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from PIL import Image, ImageFilter

from runner.animatic import inside, nature, town
from runner.animatic.air import AirPattern, Glitter, air_of
from runner.animatic.camera import Camera, window
from runner.animatic.depicted import Depicted, depicted_of, describes_place
from runner.animatic.details import add_detail
from runner.animatic.layer import Layer, is_still, within
from runner.animatic.overlay import caption_of, caption_share
from runner.animatic.palette import mix, palette_of
from runner.animatic.people import Cast, Figure, Standee, people_of
from runner.animatic.pictures import extend, fit, open_picture
from runner.animatic.place_words import place_in
from runner.animatic.planes import Box, Planes, planes_of
from runner.animatic.prompt_words import story
from runner.animatic.scene_canvas import SceneCanvas, add_paper_grain
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.shot_size import FRAMINGS, MOST_PEOPLE, PERSON_NOUNS, ShotSize, is_crowd, people_in, shot_size_of
from runner.animatic.spec import AnimaticSpec, Reference
from runner.animatic.speech import without_lines
from runner.animatic.standee import centre_of, standee
from runner.animatic.zoom import Zoom
from runner.lazy_dataclass import dataclass, replace
from runner.lazy_pattern import lazy_pattern

# Depth of the sky and everything painted into it, for the camera.
_SKY_DEPTH = 0.25


@dataclass(slots=True)
class Scene:
    """A composed place; `_last_base` caches the scaled base until the camera has moved visibly."""

    size: tuple[int, int]
    canvas: tuple[int, int]
    base: Zoom
    layers: tuple[Layer | Figure | AirPattern, ...]
    """Layers from the far to the near."""
    vignette: Image.Image
    """Darkness of the corners."""
    materials: tuple[Reference, ...] = ()
    """The materials of the request that are seen in the scene, and need no card."""
    _last_base: tuple[Box, Planes] | None = None

    def shoot(self, planes: Planes, camera: Camera, moment: float) -> None:
        """Paint the frame of a moment."""
        view = camera.view(moment)
        box = window(view, _SKY_DEPTH, self.size, self.canvas)
        if self._last_base is None or not is_still(self._last_base[0], box, 0.8):
            self._last_base = (box, self._base_in(box))
        planes.paste(self._last_base[1], (0, 0), None)
        for layer in self.layers:
            layer.draw(planes, self.canvas, view, moment)
        planes.y.paste(16, (0, 0, *self.size), self.vignette)

    def _base_in(self, box: Box) -> Planes:
        """The part of the base inside a box of the canvas, as large as the frame."""
        scale = self.size[0] / (box[2] - box[0])
        _, base = self.base.scaled(scale)
        assert base is not None
        # The scaled canvas has whole pixels; what it is too large or too small goes to both sides.
        left, top = (
            place * scale + (actual - side * scale) / 2
            for place, actual, side in zip(box, base.size, self.canvas, strict=False)
        )
        return base.crop(within((left, top, left + self.size[0], top + self.size[1]), base.size), self.size)


_DRAWINGS: Mapping[str, Callable[[SceneCanvas], None]] = {
    "space": nature.space,
    "product": inside.product,
    "concert": inside.concert,
    "door": inside.door,
    "bar": inside.bar,
    "room": inside.room,
    "roofs": town.roofs,
    "harbour": nature.harbour,
    "street": town.street,
    "skyline": town.skyline,
    "sea": nature.sea,
    "road": town.road,
    "desert": nature.desert,
    "forest": nature.forest,
    "hills": nature.hills,
}
# The height of a part of the body on its picture, as a share from the top, by the words for it.
_FOCUS = (
    (r"\bfeet\b|\bfoot\b|shoes?\b|\bboots?\b", 0.86),
    (r"\bhands?\b|\bfingers?\b", 0.52),
    (r"\bface|\beyes?\b", 0.25),
)


def scene_of(spec: AnimaticSpec, size: tuple[int, int], noise: SeededNoise) -> Scene:
    """Compose the place and the people of a shot: their pictures first, drawings where there are none."""
    own, framing_words = seen_in(spec), story(spec.prompt, "framing", "camera")
    shot_size = shot_size_of(framing_words)
    palette = palette_of(spec, noise.substream("palette"))
    caption_height = caption_share(caption_of(spec, size), size)
    place, scene_name = place_name(spec), spec.scene.split("\n")[0]
    canvas = SceneCanvas(
        size,
        palette,
        # The shots of one scene show one place, so its houses and hills stand where they stood.
        SeededNoise(f"{scene_name} {place}") if scene_name else noise.substream("stage"),
        own,
        framing_words,
        other_shots=spec.scene.partition("\n")[2].lower(),
        # Up to 0.17 of the height a caption covers ground alone; above, the scene moves up with it.
        lift=min(0.13, max(0.0, caption_height - 0.17)),
    )
    depicted = depicted_of(spec)
    cast = cast_of(spec, depicted, shot_size, size)
    places = [item for item in depicted if item.role == "place"]
    picture = next((_place_picture(item, canvas, shot_size) for item in places), None)
    framing = FRAMINGS[shot_size]
    if (portrait := _near_picture(cast, depicted, canvas)) is not None:
        picture, places, cast = portrait, [], replace(cast, standees=())
    if picture is None:
        _DRAWINGS[place](canvas)
        if "lantern" in own:
            town.lanterns(canvas)
        if framing.blur:
            _soften(canvas, framing.blur)
    else:
        canvas.base = picture
        # Feet stand above the caption, wherever the floor of the picture is.
        canvas.ground_level = min(0.9, max(0.66, 1.04 - caption_height)) + canvas.lift
    if (cast.standees or cast.drawn) and picture is None:
        _stand_on_ground(canvas, place)
    if shot_size is ShotSize.MACRO and not cast.standees and not cast.drawn:
        add_detail(canvas)
    people = people_of(canvas, cast, spec.seconds)
    far = [layer for layer in canvas.layers if layer.depth < 1]
    near = [layer for layer in canvas.layers if layer.depth >= 1]
    air = air_of(canvas)
    on_water = [pattern for pattern in air if isinstance(pattern, Glitter)]
    falling = [pattern for pattern in air if not isinstance(pattern, Glitter)]
    # People stand at depth 1: what is nearer covers them, and rain covers all.
    layers: list[Layer | Figure | AirPattern] = [*on_water, *far, *people, *near, *falling]
    base = canvas.base if picture is not None else add_paper_grain(canvas.base, "paper", 9)
    seen_places = places if picture is not None else []
    materials = cast.materials + tuple(part for item in seen_places for part in item.pictures)
    return Scene(size, canvas.size, Zoom(None, planes_of(base)), tuple(layers), _vignette(size), materials)


def _stand_on_ground(canvas: SceneCanvas, place: str) -> None:
    """Give people a place to stand where a drawing has none: a shore at the sea, the floor of a studio."""
    if place == "sea":
        shore = mix(canvas.palette.near, canvas.palette.sun, 0.18)
        canvas.add_layer(canvas.range(0.82, 0.012, 2, "shore"), 0.95, shore, canvas.palette.near)
    if place in ("sea", "product"):
        canvas.ground_level = 0.9


def seen_in(spec: AnimaticSpec) -> str:
    """The shot's own words for what is seen, in lower case: without sound, light, style and spoken lines."""
    return story(without_lines(spec.story))


def place_name(spec: AnimaticSpec) -> str:
    """The drawing of the place that the shot names, else of the one that its scene names, else hills."""
    if (named := place_in(_place_words(seen_in(spec)))) is not None:
        return named
    scene_name, *others = spec.scene.split("\n")
    # Each other shot names its place, so that a long list of words in one of them outweighs nothing.
    votes = Counter(name for line in others if (name := place_in(story(_place_words(without_lines(line))))) is not None)
    if votes:
        return votes.most_common(1)[0][0]
    return place_in(scene_name.lower().replace("-", " ")) or "hills"


def _place_words(text: str) -> str:
    """The text without the words in brackets that describe something else than a place."""
    return _BRACKETS.sub(lambda match: match[0] if describes_place(match[1].lower()) else " ", text)


_BRACKETS = lazy_pattern(r"\(([^()]*)\)")


def _place_picture(place: Depicted, canvas: SceneCanvas, shot_size: ShotSize) -> Image.Image | None:
    """The picture of a place over the whole canvas, nearer and softer where the camera looks at a face."""
    path = place.pictures[0].path
    image = None if path is None else open_picture(path, canvas.frame_size)
    if image is None:
        return None
    framing = FRAMINGS[shot_size]
    if framing.place_zoom > 1:
        width, height = image.width / framing.place_zoom, image.height / framing.place_zoom
        left, top = (image.width - width) / 2, (image.height - height) * 0.45
        image = image.crop((round(left), round(top), round(left + width), round(top + height)))
    whole = extend(fit(image, canvas.frame_size)).resize(canvas.size)
    return whole.filter(ImageFilter.BoxBlur(canvas.unit * framing.blur)) if framing.blur else whole


def _near_picture(cast: Cast, depicted: Sequence[Depicted], canvas: SceneCanvas) -> Image.Image | None:
    """The picture of the only person over the whole canvas, where the camera is near and the ground cannot be cut away.

    A card larger than the frame would show two of its borders.
    """
    framing = FRAMINGS[cast.size]
    if framing.picture < _NEAR or cast.drawn or len(cast.standees) != 1 or not cast.standees[0].is_card:
        return None
    path = next(item.pictures[0].path for item in depicted if set(item.pictures) <= set(cast.materials))
    image = None if path is None else open_picture(path, canvas.frame_size)
    if image is None:
        return None
    shape = canvas.frame_size[0] / canvas.frame_size[1]
    tall = min(image.height / framing.picture, image.width / shape)
    left = min(max(0.0, centre_of(image) * image.width - tall * shape / 2), image.width - tall * shape)
    top = min(max(0.0, cast.standees[0].focus * image.height - 0.36 * tall), image.height - tall)
    part = image.crop((round(left), round(top), round(left + tall * shape), round(top + tall)))
    return extend(fit(part, canvas.frame_size)).resize(canvas.size)


# Height of a person's picture, as a multiple of the frame's, from which it fills the frame.
_NEAR = 1.2


def cast_of(spec: AnimaticSpec, depicted: Sequence[Depicted], shot_size: ShotSize, size: tuple[int, int]) -> Cast:
    """The people of a shot: each mentioned person with a picture, and as many drawn ones as the words name besides."""
    own = seen_in(spec)
    people = [item for item in depicted if item.role == "person"]
    things = [item for item in depicted if item.role == "thing"]
    standing = people or things[:1]
    focus = next((height for pattern, height in _FOCUS if re.search(pattern, own)), 0.25 if people else 0.5)
    tall = round(size[1] * min(1.2, FRAMINGS[shot_size].picture))
    standees: list[Standee] = []
    materials: list[Reference] = []
    for item in standing[:MOST_PEOPLE]:
        picture = _view_of(item, own)
        image = None if picture.path is None else standee(picture.path, tall, is_person=item.role == "person")
        if image is not None:
            # A thing alone is what the shot is about: larger than its shot size would make a person.
            standees.append(Standee(image.picture, image.mask, 1.0 if people else 1.35, focus, image.is_card))
            materials += item.pictures
    words = _without_pictured(own)
    drawn = people_in(words)
    if standees and people:
        drawn = len(re.findall(_DRAWN_PERSON, words)) or max(0, people_in(_THEY.sub("", words)) - 1)
    if shot_size is ShotSize.MACRO and not re.search(r"\bface|\beyes?\b", own):
        drawn = 0
    return Cast(shot_size, tuple(standees), min(drawn, MOST_PEOPLE), is_crowd(own), tuple(materials))


_THEY = lazy_pattern(r"\b(?:they|their|them)\b")
_PICTURED = lazy_pattern(r"@image\d+(?: @image\d+)*(?: \([^()]*\))?")
# A mention of a person that has words and no picture: `tomas (an old ferryman …)`.
_DRAWN_PERSON = rf"\b[\w-]+ \((?=[^()]*?)(?:an?|the) (?:[\w-]+ ){{0,4}}(?:{PERSON_NOUNS})\b"


def _without_pictured(own: str) -> str:
    """The words without the mentions of pictures, whose people are counted by themselves."""
    return _PICTURED.sub(" ", own)


def _view_of(item: Depicted, own: str) -> Reference:
    """The picture of a person that suits the action: the one from the side for a walk, where there is one."""
    sideways = re.search(r"\bwalk|\bprofile\b|\bruns?\b|from the side", own)
    named = [picture for picture in item.pictures if re.search(r"side|profile", picture.name.lower())]
    return named[0] if sideways and named else item.pictures[0]


def _soften(canvas: SceneCanvas, blur: float) -> None:
    """Blur everything behind what the camera looks at from near."""
    soft = ImageFilter.BoxBlur(canvas.unit * blur)
    canvas.base = canvas.base.filter(soft)
    for layer in canvas.layers:
        layer.cover = layer.cover.filter(soft)


def _vignette(size: tuple[int, int]) -> Image.Image:
    """Mask that darkens the corners, as a lens does."""
    table = [round(60 * max(0.0, (value - 120) / 135) ** 1.6) for value in range(256)]
    return Image.radial_gradient("L").point(table).resize(size, Image.Resampling.BILINEAR)
