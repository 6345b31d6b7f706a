"""People in a scene: plain figures that stand, walk, run or dance, in a coat of the accent colour."""

import math
import re
from collections.abc import Sequence

from PIL import Image, ImageChops

from runner.animatic.camera import CameraView
from runner.animatic.palette import mix
from runner.animatic.planes import Colour, Planes, planes_of
from runner.animatic.scene_canvas import Layer, MaskPen, Point, SceneCanvas, even_box
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
    """One pose of a body; angles in radians from straight down, positive forwards (to the right)."""

    legs: tuple[float, float] = (0.05, -0.07)
    knees: tuple[float, float] = (0.0, 0.0)
    arms: tuple[float, float] = (0.1, -0.12)
    elbows: tuple[float, float] = (0.12, 0.12)
    lean: float = 0.0
    open: float = 0.0
    """Turn of the shoulders to the camera: 0 from the side, 1 from the front."""
    lift: float = 0.0
    """Height of the body above its standing point, as a share of its size."""


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
    """A moving person: the poses of one cycle, played at a rate."""

    poses: Sequence[Layer]
    rate: float
    """Poses a second."""

    def draw(self, planes: Planes, canvas_size: tuple[int, int], view: CameraView, moment: float) -> None:
        """Lay the pose of the moment over the frame."""
        self.poses[int(moment * self.rate) % len(self.poses)].draw(planes, canvas_size, view, moment)


def people_of(canvas: SceneCanvas, seconds: float, crowded: bool) -> list[Figure]:
    """The people that the prompt names, sized by its framing, smaller where cards lie above them."""
    crowd = bool(_CROWD.search(canvas.prompt))
    if not (crowd or _PEOPLE.search(canvas.prompt)) or canvas.ground_level > 1.1:
        return []
    noise = canvas.noise.substream("people")
    tall = _height(canvas.prompt) * min(canvas.frame_size[1], canvas.frame_size[0] * 1.1) * (0.84 if crowded else 1)
    foot = canvas.y(canvas.ground_level)
    if tall > canvas.frame_size[1] * 0.7:
        # A close-up is taller than the frame: the feet are below it, the head stays in the upper third.
        foot = canvas.y(0.4 if crowded else 0.2) + tall * 0.96
    if crowd and tall < canvas.frame_size[1]:
        return _crowd(canvas, tall * 0.8, foot, seconds, noise)
    count = 2 if _TWO.search(canvas.prompt) and tall < canvas.frame_size[1] * 1.5 else 1
    figures = []
    middle = noise.pick((0.44, 0.56))
    for number in range(count):
        appearance = _appearance(canvas, number)
        scale = tall * (1 - 0.07 * number)
        at = middle + (0.0 if count == 1 else (number - 0.5) * 0.42 * scale / canvas.frame_size[0] * 1.6)
        figures.append(_figure(canvas, appearance, scale, at, foot - number * scale * 0.015, seconds, count))
    return figures


def _crowd(canvas: SceneCanvas, tall: float, foot: float, seconds: float, noise: SeededNoise) -> list[Figure]:
    """Five walkers, the nearer the larger."""
    figures = []
    for number, at in enumerate((0.16, 0.84, 0.36, 0.66, 0.5)):
        scale = tall * (0.72 + 0.08 * number)
        place = at + noise.between(-0.03, 0.03)
        appearance = (
            replace(_appearance(canvas, number), coat=canvas.palette.depth(0.45 + 0.1 * number)) if number < 4 else None
        )
        low = foot - canvas.unit * (0.55 - 0.14 * number)
        figures.append(_figure(canvas, appearance or _appearance(canvas, 0), scale, place, low, seconds, 5))
    return figures


def is_close(prompt: str) -> bool:
    """Whether the prompt (in lower case) asks for a face that fills the frame."""
    return bool(_CLOSE.search(prompt))


def _height(prompt: str) -> float:
    if _CLOSE.search(prompt):
        return 2.5
    if _MEDIUM.search(prompt):
        return 1.25
    return 0.24 if _WIDE.search(prompt) else 0.5


def _appearance(canvas: SceneCanvas, number: int) -> Appearance:
    palette, noise = canvas.palette, canvas.noise.substream(f"look {number}")
    air = palette.depth(0.55)
    skin = mix(noise.pick(((236, 188, 158), (204, 150, 116), (150, 100, 72), (112, 74, 54))), air, 0.3)
    hair_match = re.search(r"(black|dark|brown|red|blond|grey|gray|white)\w*(?:,? \w+)? (?:hair|beard)", canvas.prompt)
    hairs = {"brown": (92, 60, 42), "red": (150, 70, 40), "blond": (214, 176, 110), "grey": (168, 168, 168)}
    hairs |= {"gray": hairs["grey"], "white": (222, 222, 218)}
    hair = hairs.get(hair_match[1], (34, 28, 32)) if hair_match else (44, 34, 36)
    coat = palette.accent if number == 0 else mix(palette.accent, palette.sky[0], 0.72)
    return Appearance(
        skin,
        mix(hair, air, 0.2),
        mix(coat, air, 0.14),
        mix(palette.near, palette.far, 0.18),
        "long hair" in canvas.prompt or (bool(_SHE.search(canvas.prompt)) and not _SHORT.search(canvas.prompt)),
        bool(re.search(r"\bbeard", canvas.prompt)) and number == 0,
        mix(palette.near, palette.far, 0.25) if "umbrella" in canvas.prompt else None,
    )


def _figure(
    canvas: SceneCanvas, appearance: Appearance, tall: float, at: float, foot: float, seconds: float, count: int
) -> Figure:
    prompt = canvas.prompt
    if _CLOSE.search(prompt):
        return Figure(
            [_layer(canvas, appearance, Pose(arms=(0.2, -0.2), open=1), tall, canvas.x(at), foot, 0.0, 1.05)], 1
        )
    if _DANCE.search(prompt):
        poses = [_dancing(step / _PHASES * math.tau) for step in range(_PHASES)]
        return Figure([_layer(canvas, appearance, pose, tall, canvas.x(at), foot, 0.0, 1) for pose in poses], 9)
    running = bool(_RUN.search(prompt))
    if running or _WALK.search(prompt):
        distance = min(
            canvas.frame_size[0] * {1: 0.42, 2: 0.3}.get(count, 0.12), tall * (1.1 if running else 0.62) * seconds
        )
        start = canvas.x(at) - distance / 2
        poses = [_striding(step / _PHASES * math.tau, running) for step in range(_PHASES)]
        layers = [_layer(canvas, appearance, pose, tall, start, foot, distance / seconds, 1) for pose in poses]
        # A body's height is a little more than one double step: at this rate feet do not slide.
        return Figure(layers, _PHASES * max(0.55, distance / seconds / (tall * (1.15 if running else 0.78))))
    return Figure(
        [
            _layer(
                canvas,
                appearance,
                Pose(arms=(0.14, -0.14), elbows=(0.05, -0.05), open=1),
                tall,
                canvas.x(at),
                foot,
                0.0,
                1,
            )
        ],
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
    canvas: SceneCanvas,
    appearance: Appearance,
    pose: Pose,
    tall: float,
    x: float,
    foot: float,
    drift: float,
    depth: float,
) -> Layer:
    """One pose as a layer whose standing point is (x, foot) on the canvas."""
    size = (round(tall * 0.62) * 2, round(tall * 0.66) * 2)
    picture, cover = _draw_person(size, appearance, pose, tall)
    at = (round(x - size[0] / 2), round(foot - size[1] + tall * 0.06))
    # Empty rows, and rows below the canvas, would only cost time.
    rows = min(size[1], max(2, canvas.size[1] - at[1]))
    box = even_box(cover.crop((0, 0, size[0], rows)).getbbox() or (0, 0, 2, 2), (size[0], rows // 2 * 2))
    corner = (at[0] + box[0], at[1] + box[1])
    return Layer(corner, cover.crop(box), depth, None, planes_of(picture.crop(box)), drift)


def _draw_person(
    size: tuple[int, int], appearance: Appearance, pose: Pose, tall: float
) -> tuple[Image.Image, Image.Image]:
    x, foot = size[0] / 2, size[1] - tall * 0.06
    hip = (x, foot - tall * (0.47 + pose.lift))
    neck = (hip[0] + math.sin(pose.lean) * tall * 0.36, hip[1] - math.cos(pose.lean) * tall * 0.36)
    picture, cover = Image.new("RGB", size, appearance.coat), Image.new("L", size)

    def lay(pen: MaskPen, colour: Colour) -> None:
        mask = pen.mask.reduce(2)
        if box := mask.getbbox():
            picture.paste(colour, box, mask.crop(box))
            cover.paste(255, box, mask.crop(box))

    shade = mix(appearance.coat, appearance.legs, 0.35)
    for side, tone in ((1, mix(appearance.legs, (0, 0, 0), 0.25)), (0, appearance.legs)):
        lay(_leg(size, hip, pose.legs[side], pose.knees[side], tall), tone)
        if side == 1:
            lay(_arm(size, neck, pose.arms[1], pose.elbows[1], tall, 0.062, -0.062 * pose.open), shade)
    lay(_throat(size, neck, tall), mix(appearance.skin, appearance.legs, 0.3))
    lay(_hair(size, neck, tall, appearance.long_hair), appearance.hair)
    lay(_coat(size, hip, neck, tall), appearance.coat)
    lay(_face(size, neck, tall), appearance.skin)
    if appearance.beard:
        lay(_beard(size, neck, tall), appearance.hair)
    if appearance.umbrella is not None:
        lay(_umbrella(size, neck, tall), appearance.umbrella)
    lay(
        _arm(size, neck, pose.arms[0], pose.elbows[0], tall, 0.066, 0.062 * pose.open),
        mix(appearance.coat, appearance.legs, 0.14),
    )
    soft = _lit_from_the_left(size, cover)
    picture.paste(mix(appearance.coat, (255, 244, 224), 0.55), (0, 0), soft)
    return picture, cover


def _lit_from_the_left(size: tuple[int, int], cover: Image.Image) -> Image.Image:
    """Mask of a thin line of light along the left edges."""
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
    size: tuple[int, int], neck: Point, angle: float, elbow: float, tall: float, thick: float, shoulder_offset: float
) -> MaskPen:
    pen = MaskPen(size)
    shoulder = (neck[0] + shoulder_offset * tall, neck[1] + tall * 0.05)
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
