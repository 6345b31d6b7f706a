"""People in a scene: plain figures that stand, walk, run or dance, in a coat of the accent colour."""

import math
import re
from collections.abc import Sequence

from PIL import Image

from runner.animatic.body import SEATED, Appearance, Pose, dancing, draw_person, striding
from runner.animatic.camera import CameraView
from runner.animatic.layer import Layer
from runner.animatic.palette import coat_of, mix
from runner.animatic.planes import Planes, planes_of
from runner.animatic.scene_canvas import SceneCanvas, even_box
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.shot_size import FRAMINGS, Framing, ShotSize, named_people
from runner.animatic.spec import Reference
from runner.lazy_dataclass import dataclass, replace
from runner.lazy_pattern import lazy_pattern

_WALK = lazy_pattern(r"walk|stroll|march|follow|approach|cross(?:es|ing)?\b|steps|wander|走")
_RUN = lazy_pattern(r"\brun(?:s|ning)?\b|sprint|chas|rush|jog|跑")
_DANCE = lazy_pattern(r"danc|twirl|spin|moves from|jump|舞")
_SHE = lazy_pattern(
    r"wom[ae]n|girl|she|her|mother|daughter|sister|actress|heroine|waitress|lad(?:y|ies)|bride|queen|她"
)
_CHILD = lazy_pattern(r"girl|boy|child|kid|son|daughter")
_SHORT = lazy_pattern(r"short|\bbob\b|\bbun\b|shaved|\bcap\b|\bhat\b|\bhood")
_PRONOUN = lazy_pattern(r"\b(?:she|he|her|his|him)\b")
_SIDE = lazy_pattern(r"\b(left|right)(?: third| half|-hand| of cent(?:re|er)| of frame| side of (?:the )?frame)")
_SIT = lazy_pattern(r"\bsits?\b|\bsitting\b|\bseated\b|\bkneel")
_OLD = ("old", "grand")
# Drawn poses of one cycle of steps; twelve pictures a second show no more.
_PHASES = 6


@dataclass(frozen=True, slots=True)
class Standee:
    """A picture that stands in a scene."""

    picture: Image.Image
    mask: Image.Image
    scale: float = 1.0
    """Height as a multiple of what the shot size gives a person."""
    focus: float = 0.25
    """The height of the part that a near shot shows, as a share from the top."""
    is_card: bool = False
    """Whether the picture could not be cut out, and is a card with a border."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The people and things of a shot, and the distance of the camera."""

    size: ShotSize
    standees: tuple[Standee, ...] = ()
    drawn: int = 0
    """The number of people without pictures."""
    is_crowd: bool = False
    materials: tuple[Reference, ...] = ()
    """The materials of the request that the standees show."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of the people of a shot, by its words."""

    seconds: float
    count: int
    walks: bool
    runs: bool
    dances: bool

    @classmethod
    def of(cls, prompt: str, seconds: float, count: int) -> "Motion":
        runs, dances = bool(_RUN.search(prompt)), bool(_DANCE.search(prompt))
        return cls(seconds, count, bool(_WALK.search(prompt)) and not runs, runs, dances and not runs)

    def distance(self, tall: float, frame_width: int) -> float:
        """The way of a body through the frame in pixels."""
        if self.dances or not (self.walks or self.runs):
            return 0.0
        share = {1: 0.42, 2: 0.3}.get(self.count, 0.14)
        return min(frame_width * share, tall * (1.1 if self.runs else 0.62) * self.seconds)


@dataclass(frozen=True, slots=True)
class Figure:
    """A moving person: the poses of one cycle, played at a rate."""

    poses: Sequence[Layer]
    rate: float
    """Poses a second."""

    def draw(self, planes: Planes, canvas_size: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay the pose of the moment over the frame."""
        self.poses[int(moment * self.rate) % len(self.poses)].draw(planes, canvas_size, view, moment)


def people_of(canvas: SceneCanvas, cast: Cast, seconds: float) -> list[Figure]:
    """The people and things of a shot: those with pictures as their pictures, the others drawn, side by side."""
    # Places without ground, such as space.
    if canvas.ground_level > 1.1 and not cast.standees:
        return []
    framing, noise = FRAMINGS[cast.size], canvas.noise.substream("people")
    # By the width as well: in an upright frame a body by its height alone would not fit in.
    tall = framing.body * min(canvas.frame_size[1], canvas.frame_size[0] * 1.1)
    foot = canvas.y(canvas.ground_level)
    if tall > canvas.frame_size[1] * 0.7:
        # A body taller than the frame has its feet below it, and the head in the upper third, whatever the caption.
        foot = canvas.y((0.2 if tall > canvas.frame_size[1] * 1.5 else 0.16) + canvas.lift) + tall * 0.96
    if cast.is_crowd and not cast.standees and tall < canvas.frame_size[1]:
        return _crowd(canvas, tall * 0.8, foot, seconds, noise)
    total = len(cast.standees) + cast.drawn
    places = _places(canvas, cast, total, tall, noise)
    moving = Motion.of(canvas.prompt, seconds, total)
    figures = [
        _standing(canvas, standee_of, framing, at, moving)
        for standee_of, at in zip(cast.standees, places, strict=False)
    ]
    for number, at in enumerate(places[len(cast.standees) :]):
        scale = tall * (1 - 0.05 * number)
        appearance = _appearance(canvas, number)
        if _CHILD.match(_noun_of(canvas, number)) and scale < canvas.frame_size[1] * 0.7:
            scale *= 0.74
        figures.append(_figure(canvas, appearance, scale, at, foot - number * scale * 0.012, moving, cast.size))
    return figures


def _places(canvas: SceneCanvas, cast: Cast, total: int, tall: float, noise: SeededNoise) -> list[float]:
    """Positions as shares of the frame's width: by the words for a side, else near the middle."""
    side = _SIDE.search(canvas.framing)
    middle = noise.pick((0.45, 0.55)) if total == 1 else 0.5
    if side and total <= 2:
        middle = 0.33 if side[1] == "left" else 0.67
    width = max(tall * 0.4, canvas.frame_size[1] * 0.2) / canvas.frame_size[0]
    step = min(width * 1.1, 0.84 / max(1, total))
    return [middle + (number - (total - 1) / 2) * step for number in range(total)]


def _standing(canvas: SceneCanvas, standing: Standee, framing: Framing, at: float, moving: "Motion") -> Figure:
    """A picture that stands, sways or goes through the frame."""
    height = canvas.frame_size[1]
    tall = framing.picture * height * standing.scale
    picture, cover = standing.picture, standing.mask
    zoom = tall / picture.height
    size = (max(2, round(picture.width * zoom / 2) * 2), max(2, round(tall / 2) * 2))
    picture, cover = picture.resize(size), cover.resize(size)
    if canvas.palette.night:
        # A picture taken by day would glow in a night.
        picture = Image.blend(picture, Image.new("RGB", size, canvas.palette.sky[0]), 0.22)
    if tall > height * 0.9:
        # The wanted part of a picture larger than the frame lies in its upper half.
        top = canvas.y(0.36 + canvas.lift) - standing.focus * tall
        if tall <= height * 1.15:
            top = canvas.y(0.06 + canvas.lift)
    else:
        top = canvas.y(canvas.ground_level) - tall
    swings = (0.0, 3.5, 0.0, -3.5) if moving.dances else (0.0,)
    lifts = (0.0, -0.012, 0.0, -0.012) if moving.distance(tall, canvas.frame_size[0]) else (0.0,)
    drift = moving.distance(tall, canvas.frame_size[0]) / moving.seconds
    x = canvas.x(at) - size[0] / 2 - drift * moving.seconds / 2
    poses = []
    for swing in swings:
        turned, mask = (
            (picture, cover)
            if not swing
            else (picture.rotate(swing, Image.Resampling.BILINEAR), cover.rotate(swing, Image.Resampling.BILINEAR))
        )
        for lift in lifts:
            rows = min(size[1], max(2, (canvas.size[1] - round(top)) // 2 * 2))
            box = (0, 0, size[0], rows)
            corner = (round(x), round(top + lift * tall))
            poses.append(
                Layer(corner, mask.crop(box), 1, None, planes_of(turned.crop(box)), drift, is_moving=bool(drift))
            )
    return Figure(poses, 3.2)


def _crowd(canvas: SceneCanvas, tall: float, foot: float, seconds: float, noise: SeededNoise) -> list[Figure]:
    """Seven walkers, the nearer the larger."""
    figures = []
    moving = Motion.of(canvas.prompt, seconds, 7)
    # From the far ones at the edges to the near one in the middle, which covers them.
    for number, at in enumerate((0.06, 0.94, 0.2, 0.8, 0.36, 0.66, 0.5)):
        scale = tall * (0.62 + 0.07 * number)
        place = at + noise.between(-0.03, 0.03)
        appearance = _appearance(canvas, number)
        # Muted coats for all but the nearest: the eye needs one to follow.
        if number < 6:
            appearance = replace(appearance, coat=canvas.palette.depth(0.4 + 0.08 * number))
        low = foot - canvas.unit * (0.7 - 0.12 * number)
        figures.append(_figure(canvas, appearance, scale, place, low, moving, ShotSize.FULL))
    return figures


def _appearance(canvas: SceneCanvas, number: int) -> Appearance:
    palette, noun = canvas.palette, _noun_of(canvas, number)
    is_another = not noun or (number > 0 and noun == _noun_of(canvas, number - 1))
    # The woman of a scene has one face in all of its shots; of two women each has her own.
    noise, air = canvas.noise.substream(f"look {number if is_another else noun}"), palette.depth(0.55)
    skin = mix(noise.pick(((236, 188, 158), (204, 150, 116), (150, 100, 72), (124, 84, 62))), air, 0.15)
    hair_match = re.search(
        r"(black|dark|brown|red|blond|grey|gray|white)\w*(?:,? \w+)? (?:hair|beard|bob|bun|braids?|curls)\b",
        canvas.prompt,
    )
    hairs = {"brown": (92, 60, 42), "red": (150, 70, 40), "blond": (214, 176, 110), "grey": (168, 168, 168)}
    hairs |= {"gray": hairs["grey"], "white": (222, 222, 218)}
    # "old man" is a word of its own, so that the man beside him is not old.
    is_old = noun.startswith(_OLD) or (noun != "man" and f"old {noun}" in canvas.prompt)
    hair = hairs.get(hair_match[1], (34, 28, 32)) if hair_match else hairs["grey"] if is_old else (44, 34, 36)
    coat = coat_of(noun, canvas.prompt) or coat_of(noun, canvas.other_shots)
    coat = coat or (palette.accent if number == 0 else mix(palette.accent, palette.sky[0], 0.5))
    return Appearance(
        skin,
        mix(hair, air, 0.2),
        mix(coat, air, 0.14),
        mix(palette.near, palette.far, 0.18),
        "long hair" in canvas.prompt or (bool(_SHE.match(noun)) and not _SHORT.search(canvas.prompt)),
        bool(re.search(r"\bbeard", canvas.prompt)) and number == 0,
        mix(palette.near, palette.far, 0.25) if "umbrella" in canvas.prompt else None,
    )


def _noun_of(canvas: SceneCanvas, number: int) -> str:
    """The word for a person of a shot, in the order in which they are named, then by the scene's other shots.

    For `she` alone it is the woman of the scene, where there is one; else the pronoun.
    """
    nouns, others = named_people(canvas.prompt), named_people(canvas.other_shots)
    if nouns:
        nouns += dict.fromkeys(noun for noun in others if noun not in nouns)
        return nouns[min(number, len(nouns) - 1)]
    pronoun = next(iter(_PRONOUN.findall(canvas.prompt)), "")
    same = [noun for noun in others if bool(_SHE.match(noun)) == bool(_SHE.match(pronoun))]
    return same[0] if pronoun and same else pronoun


def _figure(
    canvas: SceneCanvas, appearance: Appearance, tall: float, at: float, foot: float, moving: Motion, size: ShotSize
) -> Figure:
    x = canvas.x(at)
    near = size in (ShotSize.CLOSE, ShotSize.MEDIUM_CLOSE, ShotSize.MACRO)
    if near or not (moving.dances or moving.walks or moving.runs):
        pose = Pose(arms=(0.2, -0.2), open=1) if near else Pose(arms=(0.14, -0.14), elbows=(0.05, -0.05), open=1)
        if not near and _SIT.search(canvas.prompt):
            pose = SEATED
        return Figure([_layer(canvas, appearance, pose, tall, x, foot, 0.0, 1.05 if near else 1, moves=False)], 1)
    steps = [step / _PHASES * math.tau for step in range(_PHASES)]
    if moving.dances:
        return Figure([_layer(canvas, appearance, dancing(step), tall, x, foot, 0.0, 1) for step in steps], 9)
    distance = moving.distance(tall, canvas.frame_size[0])
    start, speed = x - distance / 2, distance / moving.seconds
    layers = [_layer(canvas, appearance, striding(step, moving.runs), tall, start, foot, speed, 1) for step in steps]
    # A body's height is a little more than one double step: at this rate feet do not slide.
    return Figure(layers, _PHASES * max(0.55, speed / (tall * (1.15 if moving.runs else 0.78))))


def _layer(
    canvas: SceneCanvas,
    appearance: Appearance,
    pose: Pose,
    tall: float,
    x: float,
    foot: float,
    drift: float,
    depth: float,
    *,
    moves: bool = True,
) -> Layer:
    """One pose as a layer whose standing point is (x, foot) on the canvas."""
    # Room for both arms of a dance, and for an umbrella.
    size = (round(tall * 0.62) * 2, round(tall * 0.66) * 2)
    picture, cover = draw_person(size, appearance, pose, tall)
    at = (round(x - size[0] / 2), round(foot - size[1] + tall * 0.06))
    # Empty rows, and rows below the canvas, would only cost time.
    rows = min(size[1], max(2, canvas.size[1] - at[1]))
    box = even_box(cover.crop((0, 0, size[0], rows)).getbbox() or (0, 0, 2, 2), (size[0], rows // 2 * 2))
    corner = (at[0] + box[0], at[1] + box[1])
    return Layer(corner, cover.crop(box), depth, None, planes_of(picture.crop(box)), drift, is_moving=moves)
