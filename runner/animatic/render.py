"""Rendering of a clip: read the prompt, compose the scene, draw each picture, write the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from runner.animatic.camera import Camera, camera_of
from runner.animatic.encode import open_writer
from runner.animatic.overlay import Overlay, overlay_of
from runner.animatic.pictures import pictures_of
from runner.animatic.planes import Planes
from runner.animatic.reference_cards import ReferenceCards, reference_cards_of
from runner.animatic.scenery import scene_of
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sound import sound_track
from runner.animatic.spec import AnimaticSpec

FULL_RATE = 24
HALF_RATE = 12
_SHORT, _LONG = 720, 1680
"""Largest short and long side of a drawn picture; beyond, pictures are drawn smaller and scaled once."""


class Background(Protocol):
    """The content of the whole frame at a moment: a composed scene, or the pictures of keyframe mode."""

    def shoot(self, camera: Camera, moment: float) -> Planes:
        """The whole frame, free to be painted on."""


def render(spec: AnimaticSpec, target: Path) -> None:
    """Write the clip to `target` as MP4; the same spec gives the same bytes on one machine.

    Material that cannot be read is drawn as a card that says so. Raises OSError when `target` cannot be written.
    """
    size = drawn_size(spec.width, spec.height)
    fps = FULL_RATE if size == (spec.width, spec.height) else HALF_RATE
    noise = SeededNoise(spec.prompt)
    camera = camera_of(spec.prompt, spec.seconds, spec.variation, noise.substream("camera"))
    background = pictures_of(spec, size) or scene_of(spec, size, noise)
    cards = reference_cards_of(spec, size)
    overlay = overlay_of(spec, size)
    with open_writer(target, (spec.width, spec.height), fps, spec.sound) as writer:
        for planes in _shoot(spec, fps, background, camera, cards, overlay):
            writer.picture(planes.frame())
        writer.sound(sound_track(spec.prompt, spec.seconds, cards.sounds))


def _shoot(
    spec: AnimaticSpec, fps: int, background: Background, camera: Camera, cards: ReferenceCards, overlay: Overlay
) -> Iterator[Planes]:
    count = spec.seconds * fps
    for number in range(count):
        # The last picture shows the very end of every move.
        moment = spec.seconds * number / max(1, count - 1)
        planes = background.shoot(camera, moment)
        cards.draw(planes, moment)
        overlay.draw(planes, moment)
        yield planes


def drawn_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a clip is drawn: its own up to 720p, else scaled down to that."""
    share = min(1.0, _SHORT / min(width, height), _LONG / max(width, height))
    if share == 1:
        return (width, height)
    return (round(width * share / 2) * 2, round(height * share / 2) * 2)
