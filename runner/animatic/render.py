"""From an order to a clip: read the words, compose the scene, shoot it picture by picture, write the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from runner.animatic.camera import Camera, camera_of
from runner.animatic.encode import writing
from runner.animatic.overlay import Overlay, overlay_of
from runner.animatic.pictures import pictures_of
from runner.animatic.planes import Planes
from runner.animatic.reference_cards import Insets, insets_of
from runner.animatic.scenery import scene_of
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sound import sound_track
from runner.animatic.spec import AnimaticSpec

FULL_RATE = 24
HALF_RATE = 12
_SHORT, _LONG = 720, 1680
"""The largest sides at which a picture is drawn; beyond, it is drawn smaller and scaled once."""


class Background(Protocol):
    """What fills the frame at a moment: a composed scene, or the pictures of keyframe mode."""

    def shoot(self, camera: Camera, moment: float) -> Planes:
        """The whole frame, free to be painted on."""


def render(order: AnimaticSpec, target: Path) -> None:
    """Write the clip to `target` as MP4; the same order gives the same bytes on one machine.

    Material that cannot be read is drawn as a card that says so. Raises OSError when `target` cannot be written.
    """
    size = drawn_size(order.width, order.height)
    fps = FULL_RATE if size == (order.width, order.height) else HALF_RATE
    dice = SeededNoise(order.prompt)
    camera = camera_of(order.prompt, order.seconds, order.variation, dice.apart("camera"))
    background = pictures_of(order, size) or scene_of(order, size, dice)
    insets = insets_of(order, size)
    overlay = overlay_of(order, size)
    with writing(target, (order.width, order.height), fps, order.sound) as writer:
        for planes in _shoot(order, fps, background, camera, insets, overlay):
            writer.picture(planes.frame())
        writer.sound(sound_track(order.prompt, order.seconds, insets.sounds))


def _shoot(
    order: AnimaticSpec, fps: int, background: Background, camera: Camera, insets: Insets, overlay: Overlay
) -> Iterator[Planes]:
    count = order.seconds * fps
    for number in range(count):
        # The last picture stands at the very end of every move.
        moment = order.seconds * number / max(1, count - 1)
        planes = background.shoot(camera, moment)
        insets.draw(planes, moment)
        overlay.draw(planes, moment)
        yield planes


def drawn_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a clip is drawn: its own up to 720p, else scaled down to that."""
    share = min(1.0, _SHORT / min(width, height), _LONG / max(width, height))
    if share == 1:
        return (width, height)
    return (round(width * share / 2) * 2, round(height * share / 2) * 2)
