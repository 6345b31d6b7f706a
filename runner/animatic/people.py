"""People in a scene: plain figures that stand, walk, run or dance, in a coat of the accent colour."""

import math
import re
from collections.abc import Sequence

from PIL import Image, ImageChops

from runner.animatic.camera import CameraView
from runner.animatic.palette import mix
from runner.animatic.planes import Colour, Planes, planes_of
from runner.animatic.scene_canvas import Layer, MaskPen, Point, SceneCanvas, even
from runner.animatic.seeded_noise import SeededNoise
from runner.lazy_dataclass import dataclass, replace

_PEOPLE = re.compile(
    r"\b(?:wom[ae]n|m[ae]n|girls?|boys?|she|he|her|his|they|person|people|dancers?|child(?:ren)?|kids?|couple|friends?"
    r"|actor|actress|hero(?:ine)?|figure|singer|chef|fisher\w+|sailor|walker|runner|rider|astronaut|musician|player"
    r"|mother|father|old man|detective|barista|baker|waiter|performs?|dances?|walks?)\b|[她他人]|امرأة|رجل|אישה|איש"
)
_CLOSE = re.compile(r"close[ -]?up|portrait|face fills|head ?shot|\becu\b|特写")
_MEDIUM = re.compile(r"medium shot|waist|cowboy shot|mid[ -]?shot|over[ -]the[ -]shoulder|中景")
_WIDE = re.compile(r"wide|establishing|aerial|drone|long shot|far away|tiny|in the distance|远景")
_WALK = re.compile(r"walk|stroll|march|follow|approach|cross(?:es|ing)?\b|steps|wander|走")
_RUN = re.compile(r"\brun(?:s|ning)?\b|sprint|chas|rush|jog|跑")
_DANCE = re.compile(r"danc|twirl|spin|moves from|jump|舞")
_TWO = re.compile(r"\b(?:two|couple|they|both of|friends|together|men|women|people|dancers|children|kids)\b")
_CROWD = re.compile(r"\bcrowd|\bmany people|\bumbrellas\b|passers-?by|commuters")
_SHE = re.compile(r"\b(?:wom[ae]n|girls?|she|her|mother|actress|heroine|waitress|lady)\b|[她]|امرأة|אישה")
_SHORT = re.compile(r"short|\bbob\b|\bbun\b|shaved|\bcap\b|\bhat\b|\bhood")
_PHASES = 10


@dataclass(frozen=True, slots=True)
class Pose:
    """A moment of a body; angles in radians from straight down, positive forwards (to the right)."""

    legs: tuple[float, float] = (0.05, -0.07)
    knees: tuple[float, float] = (0.0, 0.0)
    arms: tuple[float, float] = (0.1, -0.12)
    elbows: tuple[float, float] = (0.12, 0.12)
    lean: float = 0.0
    open: float = 0.0
    """How far the shoulders are turned to the camera: 0 from the side, 1 from the front."""
    lift: float = 0.0
    """How far the body is above its stand, as a share of its height."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """The colours of a person."""

    skin: Colour
    hair: Colour
    coat: Colour
    legs: Colour
    long_hair: bool = False
    beard: bool = False
    umbrella: Colour | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A person that moves: the poses of one cycle, played at a rate."""

    poses: Sequence[Layer]
    rate: float
    """Poses a second."""

    def draw(self, planes: Planes, canvas: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay the pose of the moment over the frame."""
        self.poses[int(moment * self.rate) % len(self.poses)].draw(planes, canvas, view, moment)


def people_of(stage: SceneCanvas, seconds: float, crowded: bool) -> list[Figure]:
    """The people that the prompt speaks of, by their framing, smaller where cards lie above them."""
    crowd = bool(_CROWD.search(stage.words))
    if not (crowd or _PEOPLE.search(stage.words)) or stage.ground > 1.1:
        return []
    dice = stage.noise.apart("people")
    tall = _height(stage.words) * min(stage.size[1], stage.size[0] * 1.1) * (0.84 if crowded else 1)
    foot = stage.y(stage.ground)
    if tall > stage.size[1] * 0.7:
        # Nearer than the frame is high: the feet are below it, the head stays in the upper third.
        foot = stage.y(0.4 if crowded else 0.2) + tall * 0.96
    if crowd and tall < stage.size[1]:
        return _crowd(stage, tall * 0.8, foot, seconds, dice)
    count = 2 if _TWO.search(stage.words) and tall < stage.size[1] * 1.5 else 1
    figures = []
    middle = dice.pick((0.44, 0.56))
    for number in range(count):
        look = _look(stage, number)
        scale = tall * (1 - 0.07 * number)
        at = middle + (0.0 if count == 1 else (number - 0.5) * 0.42 * scale / stage.size[0] * 1.6)
        figures.append(_figure(stage, look, scale, at, foot - number * scale * 0.015, seconds, count))
    return figures


def _crowd(stage: SceneCanvas, tall: float, foot: float, seconds: float, dice: SeededNoise) -> list[Figure]:
    """Several at once, the nearer the larger, all on their way."""
    figures = []
    for number, at in enumerate((0.16, 0.84, 0.36, 0.66, 0.5)):
        scale = tall * (0.72 + 0.08 * number)
        place = at + dice.between(-0.03, 0.03)
        look = replace(_look(stage, number), coat=stage.palette.depth(0.45 + 0.1 * number)) if number < 4 else None
        low = foot - stage.unit * (0.55 - 0.14 * number)
        figures.append(_figure(stage, look or _look(stage, 0), scale, place, low, seconds, 5))
    return figures


def is_close(words: str) -> bool:
    """Whether the prompt (in lower case) asks for a face that fills the frame."""
    return bool(_CLOSE.search(words))


def _height(words: str) -> float:
    if _CLOSE.search(words):
        return 2.5
    if _MEDIUM.search(words):
        return 1.25
    return 0.24 if _WIDE.search(words) else 0.5


def _look(stage: SceneCanvas, number: int) -> Appearance:
    palette, dice = stage.palette, stage.noise.apart(f"look {number}")
    air = palette.depth(0.55)
    skin = mix(dice.pick(((236, 188, 158), (204, 150, 116), (150, 100, 72), (112, 74, 54))), air, 0.3)
    named = re.search(r"(black|dark|brown|red|blond|grey|gray|white)\w*(?:,? \w+)? (?:hair|beard)", stage.words)
    hairs = {"brown": (92, 60, 42), "red": (150, 70, 40), "blond": (214, 176, 110), "grey": (168, 168, 168)}
    hairs |= {"gray": hairs["grey"], "white": (222, 222, 218)}
    hair = hairs.get(named[1], (34, 28, 32)) if named else (44, 34, 36)
    coat = palette.accent if number == 0 else mix(palette.accent, palette.sky[0], 0.72)
    return Appearance(
        skin,
        mix(hair, air, 0.2),
        mix(coat, air, 0.14),
        mix(palette.near, palette.far, 0.18),
        "long hair" in stage.words or (bool(_SHE.search(stage.words)) and not _SHORT.search(stage.words)),
        bool(re.search(r"\bbeard", stage.words)) and number == 0,
        mix(palette.near, palette.far, 0.25) if "umbrella" in stage.words else None,
    )


def _figure(
    stage: SceneCanvas, look: Appearance, tall: float, at: float, foot: float, seconds: float, count: int
) -> Figure:
    words = stage.words
    if _CLOSE.search(words):
        return Figure([_layer(stage, look, Pose(arms=(0.2, -0.2), open=1), tall, stage.x(at), foot, 0.0, 1.05)], 1)
    if _DANCE.search(words):
        poses = [_dancing(step / _PHASES * math.tau) for step in range(_PHASES)]
        return Figure([_layer(stage, look, pose, tall, stage.x(at), foot, 0.0, 1) for pose in poses], 9)
    running = bool(_RUN.search(words))
    if running or _WALK.search(words):
        way = min(stage.size[0] * {1: 0.42, 2: 0.3}.get(count, 0.12), tall * (1.1 if running else 0.62) * seconds)
        start = stage.x(at) - way / 2
        poses = [_striding(step / _PHASES * math.tau, running) for step in range(_PHASES)]
        layers = [_layer(stage, look, pose, tall, start, foot, way / seconds, 1) for pose in poses]
        # A body's length forward is a little more than one double step: feet that fit the way do not slide.
        return Figure(layers, _PHASES * max(0.55, way / seconds / (tall * (1.15 if running else 0.78))))
    return Figure(
        [_layer(stage, look, Pose(arms=(0.14, -0.14), elbows=(0.05, -0.05), open=1), tall, stage.x(at), foot, 0.0, 1)],
        1,
    )


def _striding(phase: float, running: bool) -> Pose:
    swing, bend = (0.72, 1.25) if running else (0.42, 0.55)
    return Pose(
        legs=(swing * math.sin(phase), -swing * math.sin(phase)),
        knees=(bend * max(0.0, math.cos(phase)) ** 1.5, bend * max(0.0, -math.cos(phase)) ** 1.5),
        arms=(-swing * 0.8 * math.sin(phase), swing * 0.8 * math.sin(phase)),
        elbows=(1.3, 1.3) if running else (0.3, 0.3),
        lean=0.12 if running else 0.03,
        lift=0.012 * abs(math.cos(phase)) * (2.2 if running else 1),
    )


def _dancing(phase: float) -> Pose:
    return Pose(
        legs=(0.28 + 0.2 * math.sin(phase), -0.3 + 0.14 * math.sin(phase)),
        knees=(0.25 * max(0.0, math.sin(phase)), 0.35 * max(0.0, -math.sin(phase))),
        arms=(2.2 + 0.5 * math.sin(phase), -1.9 + 0.6 * math.sin(phase + 1)),
        elbows=(0.4 + 0.3 * math.cos(phase), -0.3),
        lean=0.12 * math.sin(phase),
        lift=0.02 * abs(math.sin(phase)),
        open=0.8,
    )


def _layer(
    stage: SceneCanvas, look: Appearance, pose: Pose, tall: float, x: float, foot: float, drift: float, depth: float
) -> Layer:
    """One pose as a layer whose standing point is (x, foot) on the canvas."""
    size = (round(tall * 0.62) * 2, round(tall * 0.66) * 2)
    picture, cover = _drawn(size, look, pose, tall)
    at = (round(x - size[0] / 2), round(foot - size[1] + tall * 0.06))
    # What is empty, or lies below the canvas, would only cost time.
    rows = min(size[1], max(2, stage.canvas[1] - at[1]))
    box = even(cover.crop((0, 0, size[0], rows)).getbbox() or (0, 0, 2, 2), (size[0], rows // 2 * 2))
    corner = (at[0] + box[0], at[1] + box[1])
    return Layer(corner, cover.crop(box), depth, None, planes_of(picture.crop(box)), drift)


def _drawn(size: tuple[int, int], look: Appearance, pose: Pose, tall: float) -> tuple[Image.Image, Image.Image]:
    x, foot = size[0] / 2, size[1] - tall * 0.06
    hip = (x, foot - tall * (0.47 + pose.lift))
    neck = (hip[0] + math.sin(pose.lean) * tall * 0.36, hip[1] - math.cos(pose.lean) * tall * 0.36)
    picture, cover = Image.new("RGB", size, look.coat), Image.new("L", size)

    def lay(pen: MaskPen, colour: Colour) -> None:
        mask = pen.mask.reduce(2)
        if box := mask.getbbox():
            picture.paste(colour, box, mask.crop(box))
            cover.paste(255, box, mask.crop(box))

    shade = mix(look.coat, look.legs, 0.35)
    for side, tone in ((1, mix(look.legs, (0, 0, 0), 0.25)), (0, look.legs)):
        lay(_leg(size, hip, pose.legs[side], pose.knees[side], tall), tone)
        if side == 1:
            lay(_arm(size, neck, pose.arms[1], pose.elbows[1], tall, 0.062, -0.062 * pose.open), shade)
    lay(_throat(size, neck, tall), mix(look.skin, look.legs, 0.3))
    lay(_hair(size, neck, tall, look.long_hair), look.hair)
    lay(_coat(size, hip, neck, tall), look.coat)
    lay(_face(size, neck, tall), look.skin)
    if look.beard:
        lay(_beard(size, neck, tall), look.hair)
    if look.umbrella is not None:
        lay(_umbrella(size, neck, tall), look.umbrella)
    lay(_arm(size, neck, pose.arms[0], pose.elbows[0], tall, 0.066, 0.062 * pose.open), mix(look.coat, look.legs, 0.14))
    soft = _lit_from_the_left(size, cover)
    picture.paste(mix(look.coat, (255, 244, 224), 0.55), (0, 0), soft)
    return picture, cover


def _lit_from_the_left(size: tuple[int, int], cover: Image.Image) -> Image.Image:
    """A thin line of light along the left edges."""
    step = min(3, max(1, size[0] // 160))
    moved = ImageChops.offset(cover, step, step // 2)
    return ImageChops.subtract(cover, moved).point([v * 110 // 255 for v in range(256)])


def _leg(size: tuple[int, int], hip: Point, angle: float, knee: float, tall: float) -> MaskPen:
    pen = MaskPen(size)
    middle = (hip[0] + math.sin(angle) * tall * 0.235, hip[1] + math.cos(angle) * tall * 0.235)
    lower = angle - knee
    ankle = (middle[0] + math.sin(lower) * tall * 0.215, middle[1] + math.cos(lower) * tall * 0.215)
    pen.limb(hip, middle, tall * 0.088)
    pen.limb(middle, ankle, tall * 0.066)
    toe = (ankle[0] + math.cos(lower) * tall * 0.068, ankle[1] - math.sin(lower) * tall * 0.05 + tall * 0.008)
    pen.limb(ankle, toe, tall * 0.046)
    return pen


def _arm(
    size: tuple[int, int], neck: Point, angle: float, elbow: float, tall: float, thick: float, aside: float
) -> MaskPen:
    pen = MaskPen(size)
    shoulder = (neck[0] + aside * tall, neck[1] + tall * 0.05)
    middle = (shoulder[0] + math.sin(angle) * tall * 0.165, shoulder[1] + math.cos(angle) * tall * 0.165)
    lower = angle + elbow
    hand = (middle[0] + math.sin(lower) * tall * 0.15, middle[1] + math.cos(lower) * tall * 0.15)
    pen.limb(shoulder, middle, tall * thick)
    pen.limb(middle, hand, tall * thick * 0.8)
    return pen


def _umbrella(size: tuple[int, int], neck: Point, tall: float) -> MaskPen:
    pen = MaskPen(size)
    x, y = neck[0] + tall * 0.06, neck[1] - tall * 0.14
    arch = [
        (x - math.cos(math.pi * step / 24) * tall * 0.27, y - math.sin(math.pi * step / 24) * tall * 0.13)
        for step in range(25)
    ]
    scallops = [(x + tall * 0.27 * (1 - step / 6), y + tall * (0.018 if step % 2 else 0)) for step in range(13)]
    pen.shape(arch + scallops)
    pen.line([(x, y - tall * 0.16), (x, neck[1] + tall * 0.2)], tall * 0.012)
    return pen


def _coat(size: tuple[int, int], hip: Point, neck: Point, tall: float) -> MaskPen:
    pen = MaskPen(size)
    half, hem = tall * 0.082, tall * 0.1
    top, low = neck[1] + tall * 0.012, hip[1] + tall * 0.1
    pen.oval(neck[0], top + tall * 0.05, half, tall * 0.06)
    pen.shape(
        [
            (neck[0] - half, top + tall * 0.05),
            (neck[0] + half, top + tall * 0.05),
            (hip[0] + hem * 0.82, hip[1] - tall * 0.02),
            (hip[0] + hem, low),
            (hip[0] - hem, low),
            (hip[0] - hem * 0.82, hip[1] - tall * 0.02),
        ]
    )
    return pen


def _throat(size: tuple[int, int], neck: Point, tall: float) -> MaskPen:
    pen = MaskPen(size)
    pen.rect(neck[0] - tall * 0.024, neck[1] - tall * 0.05, neck[0] + tall * 0.024, neck[1] + tall * 0.03)
    return pen


def _face(size: tuple[int, int], neck: Point, tall: float) -> MaskPen:
    pen = MaskPen(size)
    pen.oval(neck[0] + tall * 0.013, neck[1] - tall * 0.078, tall * 0.043, tall * 0.053)
    pen.oval(neck[0] - tall * 0.026, neck[1] - tall * 0.07, tall * 0.009, tall * 0.014)
    return pen


def _beard(size: tuple[int, int], neck: Point, tall: float) -> MaskPen:
    pen = MaskPen(size)
    x, y = neck[0] + tall * 0.016, neck[1] - tall * 0.05
    arch = [
        (x + math.cos(math.pi * step / 20) * tall * 0.041, y + math.sin(math.pi * step / 20) * tall * 0.05)
        for step in range(21)
    ]
    pen.shape(
        [*arch, (x - tall * 0.036, y - tall * 0.012), (x, y + tall * 0.004), (x + tall * 0.036, y - tall * 0.012)]
    )
    return pen


def _hair(size: tuple[int, int], neck: Point, tall: float, long_hair: bool) -> MaskPen:
    pen = MaskPen(size)
    x, y = neck[0] - tall * 0.004, neck[1] - tall * 0.095
    pen.oval(x, y, tall * 0.056, tall * 0.06)
    pen.oval(x - tall * 0.014, y + tall * 0.02, tall * 0.046, tall * 0.05)
    if long_hair:
        pen.limb((x - tall * 0.02, y + tall * 0.02), (x - tall * 0.034, y + tall * 0.13), tall * 0.07)
    return pen
