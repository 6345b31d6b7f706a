"""Rendering of a clip: read the prompt, compose the scene, draw each picture, write the file."""

from pathlib import Path
from typing import Protocol

from runner.animatic.camera import Camera, camera_of
from runner.animatic.encode import Scaler, empty_frame, open_writer
from runner.animatic.overlay import overlay_of
from runner.animatic.pictures import pictures_of
from runner.animatic.planes import Planes, planes_over
from runner.animatic.reference_cards import reference_cards_of
from runner.animatic.scenery import scene_of
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sound import loop_of, sound_track
from runner.animatic.spec import AnimaticSpec

RATE = 12
"""Pictures a second: motion on twos, as drawn films have it."""
# Largest short side of a drawn scene: it is scaled once to the clip's size, and the letters are set at that size.
_STAGE = 360
# Largest short side at which pictures of keyframe mode, cards and letters are drawn.
_LETTERS = 720


class Background(Protocol):
    """The content of the whole frame at a moment: a composed scene, or the pictures of keyframe mode."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height at which it is drawn."""

    def shoot(self, planes: Planes, camera: Camera, moment: float) -> None:
        """Paint the whole frame."""


def render(spec: AnimaticSpec, target: Path) -> None:
    """Write the clip to `target` as MP4; the same spec gives the same bytes on one machine.

    Material that cannot be read is drawn as a card that says so. Raises OSError when `target` cannot be written.
    """
    size = drawn_size(spec.width, spec.height, _LETTERS)
    noise = SeededNoise(spec.story)
    camera = camera_of(spec.prompt, spec.seconds, spec.variation, noise.substream("camera"))
    pictures = pictures_of(spec, size)
    scene = None if pictures is not None else scene_of(spec, stage_size(size), noise)
    background: Background | None = pictures or scene
    assert background is not None
    cards = reference_cards_of(spec, size, scene.materials if scene is not None else ())
    overlay = overlay_of(spec, size)
    scaler = Scaler()
    with open_writer(target, (spec.width, spec.height), RATE, spec.sound) as writer:
        for number in range(spec.seconds * RATE):
            # The last picture shows the very end of every move.
            moment = spec.seconds * number / max(1, spec.seconds * RATE - 1)
            frame = empty_frame(background.size)
            background.shoot(planes_over(frame), camera, moment)
            frame = scaler.scaled(frame, size)
            planes = planes_over(frame)
            cards.draw(planes, moment)
            overlay.draw(planes, moment)
            writer.picture(frame)
        if spec.sound:
            writer.sound(sound_track(spec, cards.sounds), loop_of(spec, cards.sounds))


def stage_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a scene is drawn for a frame of this size."""
    short = min(size)
    return drawn_size(*size, min(_STAGE, max(240, round(short * 0.6))))


def drawn_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """The size scaled down until its short side is `short_side` at most, and the long one in proportion to 7:3."""
    share = min(1.0, short_side / min(width, height), short_side * 7 / 3 / max(width, height))
    if share == 1:
        return (width, height)
    return (max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2))
