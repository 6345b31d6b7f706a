"""The body of a drawn person: its poses, its colours, its shape."""

import math

from PIL import Image, ImageChops

from runner.animatic.palette import mix
from runner.animatic.planes import Colour
from runner.animatic.scene_canvas import MaskPen, Point
from runner.lazy_dataclass import dataclass

# Height of a body, in pixels, from which its face can be seen.
_WITH_FACE = 260


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


SEATED = Pose(legs=(1.35, 1.2), knees=(1.3, 1.15), arms=(0.5, 0.35), elbows=(0.9, 0.8), lift=-0.2, open=0.5)


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


def striding(phase: float, running: bool) -> Pose:
    """The pose of a step at an angle of its cycle."""
    swing, bend = (0.72, 1.25) if running else (0.42, 0.55)
    return Pose(
        legs=(swing * math.sin(phase), -swing * math.sin(phase)),
        # A knee bends in one half of the cycle, while its leg comes forward.
        knees=(bend * max(0.0, math.cos(phase)) ** 1.5, bend * max(0.0, -math.cos(phase)) ** 1.5),
        arms=(-swing * 0.8 * math.sin(phase), swing * 0.8 * math.sin(phase)),
        elbows=(1.3, 1.3) if running else (0.3, 0.3),
        lean=0.12 if running else 0.03,
        lift=0.012 * abs(math.cos(phase)) * (2.2 if running else 1),
    )


def dancing(phase: float) -> Pose:
    """The pose of a dance at an angle of its cycle."""
    return Pose(
        legs=(0.28 + 0.2 * math.sin(phase), -0.3 + 0.14 * math.sin(phase)),
        knees=(0.25 * max(0.0, math.sin(phase)), 0.35 * max(0.0, -math.sin(phase))),
        arms=(2.2 + 0.5 * math.sin(phase), -1.9 + 0.6 * math.sin(phase + 1)),
        elbows=(0.4 + 0.3 * math.cos(phase), -0.3),
        lean=0.12 * math.sin(phase),
        lift=0.02 * abs(math.sin(phase)),
        open=0.8,
    )


def draw_person(
    size: tuple[int, int], appearance: Appearance, pose: Pose, tall: float
) -> tuple[Image.Image, Image.Image]:
    """A person `tall` pixels high as a picture of `size`, and the mask of the body."""
    x, foot = size[0] / 2, size[1] - tall * 0.06
    hip = (x, foot - tall * (0.47 + pose.lift))
    neck = (hip[0] + math.sin(pose.lean) * tall * 0.36, hip[1] - math.cos(pose.lean) * tall * 0.36)
    # Nothing but the coat's colour around the body: scaling mixes what is outside into the edges.
    picture, cover = Image.new("RGB", size, appearance.coat), Image.new("L", size)
    pen = MaskPen(size)

    def lay(colour: Colour) -> None:
        if (part := pen.part()) is not None:
            mask, (left, top) = part
            box = (left, top, left + mask.width, top + mask.height)
            picture.paste(colour, box, mask)
            cover.paste(255, box, mask)
        pen.clear()

    if pose == SEATED:
        _stool(pen, hip, foot, tall)
        lay(mix(appearance.legs, (0, 0, 0), 0.4))
    shade = mix(appearance.coat, appearance.legs, 0.35)
    # From the far side to the near one: what comes later covers what came before.
    for side, tone in ((1, mix(appearance.legs, (0, 0, 0), 0.25)), (0, appearance.legs)):
        _leg(pen, hip, pose.legs[side], pose.knees[side], tall)
        lay(tone)
        if side == 1:
            _arm(pen, neck, pose.arms[1], pose.elbows[1], tall, 0.062, -0.062 * pose.open)
            lay(shade)
    _throat(pen, neck, tall)
    lay(mix(appearance.skin, appearance.legs, 0.3))
    _hair(pen, neck, tall, appearance.long_hair)
    lay(appearance.hair)
    _coat(pen, hip, neck, tall)
    lay(appearance.coat)
    _face(pen, neck, tall)
    lay(appearance.skin)
    if pose.open >= 1 and tall > _WITH_FACE:
        _features(pen, neck, tall)
        lay(mix(appearance.hair, (20, 16, 20), 0.5))
    if appearance.beard:
        _beard(pen, neck, tall)
        lay(appearance.hair)
    if appearance.umbrella is not None:
        _umbrella(pen, neck, tall)
        lay(appearance.umbrella)
    _arm(pen, neck, pose.arms[0], pose.elbows[0], tall, 0.066, 0.062 * pose.open)
    lay(mix(appearance.coat, appearance.legs, 0.14))
    soft = _lit_from_the_left(size, cover)
    picture.paste(mix(appearance.coat, (255, 244, 224), 0.55), (0, 0), soft)
    return picture, cover


def _lit_from_the_left(size: tuple[int, int], cover: Image.Image) -> Image.Image:
    """Mask of a thin line of light along the left edges."""
    step = min(3, max(1, size[0] // 160))
    moved = ImageChops.offset(cover, step, step // 2)
    return ImageChops.subtract(cover, moved).point([v * 110 // 255 for v in range(256)])


def _stool(pen: MaskPen, hip: Point, foot: float, tall: float) -> None:
    """A plain seat, so that nobody sits on air."""
    top = hip[1] + tall * 0.075
    pen.rect(hip[0] - tall * 0.13, top, hip[0] + tall * 0.11, top + tall * 0.035, round_by=tall * 0.01)
    for x in (-0.11, 0.07):
        pen.rect(hip[0] + x * tall, top, hip[0] + (x + 0.022) * tall, foot + tall * 0.02)


def _leg(pen: MaskPen, hip: Point, angle: float, knee: float, tall: float) -> None:
    middle = (hip[0] + math.sin(angle) * tall * 0.235, hip[1] + math.cos(angle) * tall * 0.235)
    lower = angle - knee
    ankle = (middle[0] + math.sin(lower) * tall * 0.215, middle[1] + math.cos(lower) * tall * 0.215)
    pen.limb(hip, middle, tall * 0.088)
    pen.limb(middle, ankle, tall * 0.066)
    toe = (ankle[0] + math.cos(lower) * tall * 0.068, ankle[1] - math.sin(lower) * tall * 0.05 + tall * 0.008)
    pen.limb(ankle, toe, tall * 0.046)


def _arm(
    pen: MaskPen, neck: Point, angle: float, elbow: float, tall: float, thick: float, shoulder_offset: float
) -> None:
    shoulder = (neck[0] + shoulder_offset * tall, neck[1] + tall * 0.05)
    middle = (shoulder[0] + math.sin(angle) * tall * 0.165, shoulder[1] + math.cos(angle) * tall * 0.165)
    lower = angle + elbow
    hand = (middle[0] + math.sin(lower) * tall * 0.15, middle[1] + math.cos(lower) * tall * 0.15)
    pen.limb(shoulder, middle, tall * thick)
    pen.limb(middle, hand, tall * thick * 0.8)


def _umbrella(pen: MaskPen, neck: Point, tall: float) -> None:
    x, y = neck[0] + tall * 0.06, neck[1] - tall * 0.14
    arch = [
        (x - math.cos(math.pi * step / 24) * tall * 0.27, y - math.sin(math.pi * step / 24) * tall * 0.13)
        for step in range(25)
    ]
    scallops = [(x + tall * 0.27 * (1 - step / 6), y + tall * (0.018 if step % 2 else 0)) for step in range(13)]
    pen.shape(arch + scallops)
    pen.line([(x, y - tall * 0.16), (x, neck[1] + tall * 0.2)], tall * 0.012)


def _coat(pen: MaskPen, hip: Point, neck: Point, tall: float) -> None:
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


def _throat(pen: MaskPen, neck: Point, tall: float) -> None:
    pen.rect(neck[0] - tall * 0.024, neck[1] - tall * 0.05, neck[0] + tall * 0.024, neck[1] + tall * 0.03)


def _face(pen: MaskPen, neck: Point, tall: float) -> None:
    pen.oval(neck[0] + tall * 0.013, neck[1] - tall * 0.078, tall * 0.043, tall * 0.053)
    pen.oval(neck[0] - tall * 0.026, neck[1] - tall * 0.07, tall * 0.009, tall * 0.014)


def _features(pen: MaskPen, neck: Point, tall: float) -> None:
    """Eyes, brows and mouth of a face turned to the camera."""
    x, y = neck[0] + tall * 0.014, neck[1] - tall * 0.082
    for dx in (-0.017, 0.017):
        pen.oval(x + dx * tall, y, tall * 0.0042, tall * 0.0055)
        brow = y - tall * 0.0135
        pen.line([(x + (dx - 0.008) * tall, brow), (x + (dx + 0.008) * tall, brow)], tall * 0.003, 190)
    low, half = y + tall * 0.03, tall * 0.011
    pen.line([(x - half, low), (x, low + tall * 0.003), (x + half, low)], tall * 0.0035)


def _beard(pen: MaskPen, neck: Point, tall: float) -> None:
    x, y = neck[0] + tall * 0.016, neck[1] - tall * 0.05
    arch = [
        (x + math.cos(math.pi * step / 20) * tall * 0.041, y + math.sin(math.pi * step / 20) * tall * 0.05)
        for step in range(21)
    ]
    pen.shape(
        [*arch, (x - tall * 0.036, y - tall * 0.012), (x, y + tall * 0.004), (x + tall * 0.036, y - tall * 0.012)]
    )


def _hair(pen: MaskPen, neck: Point, tall: float, long_hair: bool) -> None:
    x, y = neck[0] - tall * 0.004, neck[1] - tall * 0.095
    pen.oval(x, y, tall * 0.056, tall * 0.06)
    pen.oval(x - tall * 0.014, y + tall * 0.02, tall * 0.046, tall * 0.05)
    if long_hair:
        pen.limb((x - tall * 0.02, y + tall * 0.02), (x - tall * 0.034, y + tall * 0.13), tall * 0.07)
