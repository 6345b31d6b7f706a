"""The camera: words of motion in a prompt become a view for every moment of the clip."""

import math
import re
from collections.abc import Mapping

from runner.animatic.prompt_words import beats
from runner.animatic.seeded_noise import SeededNoise
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

MARGIN = 0.16
"""How far every picture reaches beyond the frame, as a share of its width and height: the room for camera moves."""


@dataclass(frozen=True, slots=True)
class CameraView:
    """Position of the camera: shifts as shares of the frame's width; `zoom` 1 shows the frame unscaled."""

    pan: float = 0.0
    """Turn of the camera: near and far layers move alike."""
    tilt: float = 0.0
    truck: float = 0.0
    """Sideways motion: near layers move more."""
    boom: float = 0.0
    zoom: float = 1.0

    def since(self, other: "CameraView") -> "CameraView":
        """The view relative to another, which becomes the unshifted frame."""
        return CameraView(
            self.pan - other.pan,
            self.tilt - other.tilt,
            self.truck - other.truck,
            self.boom - other.boom,
            self.zoom / other.zoom,
        )


@dataclass(frozen=True, slots=True)
class Move:
    """One motion over a stretch of the clip: how much each part of the view changes."""

    start: float
    end: float
    change: CameraView
    """Total change over the stretch; `zoom` is a factor."""


@dataclass(frozen=True, slots=True)
class Camera:
    """All the motions of a clip."""

    seconds: float
    moves: tuple[Move, ...]
    shake: float = 0.0
    """Amplitude of the handheld shake, as a share of the frame's width."""

    def view(self, moment: float) -> CameraView:
        """The view at a moment, symmetrical around the middle of the motion: both margins of a picture are used."""
        pan = tilt = truck = boom = 0.0
        zoom = 1.0
        for move in self.moves:
            share = _ease((moment - move.start) / max(0.01, move.end - move.start))
            pan += move.change.pan * (share - 0.5)
            tilt += move.change.tilt * (share - 0.5)
            truck += move.change.truck * (share - 0.5)
            boom += move.change.boom * (share - 0.5)
            # A push ends closer than the frame and a pull begins there: the unscaled frame stays the widest view.
            zoom *= move.change.zoom ** (share if move.change.zoom > 1 else share - 1)
        if self.shake:
            # Sets in and ends within half a second, so that the first and the last picture join with other clips.
            strength = self.shake * min(1.0, moment * 2, (self.seconds - moment) * 2)
            # Rates without a common measure: the hand never seems to repeat itself.
            pan += strength * (
                math.sin(moment * 7.1) * 0.6 + math.sin(moment * 3.3 + 1) + 0.3 * math.sin(moment * 17.3)
            )
            tilt += strength * (
                math.sin(moment * 6.3 + 2) * 0.6 + math.sin(moment * 2.9) + 0.3 * math.sin(moment * 15.1)
            )
        return CameraView(pan, tilt, truck, boom, zoom)


_ADVERB = r"(?:\s+(?:slowly|gently|quickly|softly))?"
# A pan at the strength of `fast` (1.25) still stays within the margins of both sides, 0.32 together.
_MOTIONS: Mapping[str, CameraView] = {
    r"push(?:es|ing)?[ -]?in|dolly(?:ing)?[ -]in|mov(?:es?|ing) (?:in )?closer|推近|推进|推镜": CameraView(zoom=1.24),
    r"zoom(?:s|ing)?[ -]?in|crash zoom": CameraView(zoom=1.27),
    rf"pull(?:s|ing)?{_ADVERB}[ -]?(?:out|back|away)|(?:dolly|zoom)(?:s|ing)?[ -]?(?:out|back)|拉远|拉出": CameraView(
        zoom=0.81
    ),
    rf"(?:pan|swish)(?:s|ning)?{_ADVERB}(?: to(?: the)?)? left|左摇|向左": CameraView(pan=-0.24),
    rf"(?:pan|swish)(?:s|ning)?{_ADVERB}(?: to(?: the)?)? right|右摇|向右": CameraView(pan=0.24),
    rf"(?:tilt|look)(?:s|ing)?{_ADVERB} up": CameraView(tilt=-0.15),
    rf"(?:tilt|look)(?:s|ing)?{_ADVERB} down": CameraView(tilt=0.15),
    rf"(?:crane|boom|pedestal|jib)(?:s|ing)?(?: shot)?{_ADVERB}(?: up\b|[,.;]|$)|rises? over|升": CameraView(
        boom=-0.13
    ),
    rf"(?:crane|boom|pedestal|jib)(?:s|ing)?{_ADVERB} down|descend": CameraView(boom=0.13),
    r"orbit|\barcs? (?:shot|around)|circl(?:es?|ing) (?:around|him|her|them|it)|revolv|环绕": CameraView(
        -0.1, 0, 0.2, 0, 1.08
    ),
    rf"(?:track|truck|slid|doll)(?:s|es?|y|ing)?(?: shot)?{_ADVERB}(?: to(?: the)?)? left": CameraView(truck=-0.22),
    rf"(?:track|truck|slid|doll)(?:s|es?|y|ing)?(?: shot)?{_ADVERB}(?: to(?: the)?)? right": CameraView(truck=0.22),
    r"tracking(?! left)|camera follows|steadicam|跟拍": CameraView(truck=0.18),
    r"aerial|\bdrone|fl(?:y|ies|ying)[ -]?over|bird'?s[ -]eye|航拍": CameraView(boom=0.07, zoom=1.16),
}
_STILL = lazy_pattern(
    r"\bstatic\b|locked[ -]?off|\btripod\b|\bstill camera|no camera move|fixed camera|固定镜头", re.IGNORECASE
)
_SHAKY = lazy_pattern(r"hand[ -]?held|shaky|documentary camera|手持", re.IGNORECASE)
_FAST = lazy_pattern(r"\b(?:fast|quick(?:ly)?|rapid(?:ly)?|whip|crash|sudden(?:ly)?)\b", re.IGNORECASE)
_SLOW = lazy_pattern(r"\b(?:slow(?:ly)?|gentl[ey]|subtl[ey]|slight(?:ly)?)\b", re.IGNORECASE)
# Too small to be taken for a move of the camera in the edit.
_AMBIENT = (
    CameraView(truck=0.09),
    CameraView(truck=-0.09),
    CameraView(zoom=1.09),
    CameraView(zoom=1 / 1.09),
    CameraView(truck=0.06, zoom=1.06),
    CameraView(truck=-0.06, zoom=1.06),
)


def camera_of(prompt: str, seconds: float, variation: int, noise: SeededNoise) -> Camera:
    """The motions that a prompt names, each beat of its timeline by itself; without any, a quiet drift."""
    whole, timeline = beats(prompt, seconds)
    moves = _moves_in(whole, 0, seconds)
    for beat in timeline:
        moves += _moves_in(beat.text, beat.start, beat.end)
    shake = 0.0045 if _SHAKY.search(prompt) else 0.0
    if not moves and not _STILL.search(prompt):
        # A handheld camera does not zoom.
        choice = _AMBIENT[:2] if shake else _AMBIENT
        drift = choice[(noise.integer(0, len(choice) - 1) + variation) % len(choice)]
        return Camera(seconds, (Move(0, seconds, drift),), shake)
    # Another take of the same prompt moves a little differently.
    extra = CameraView(truck=0.03 * (1 if variation % 2 else -1)) if variation and moves else None
    if extra is not None:
        moves.append(Move(0, seconds, extra))
    return Camera(seconds, tuple(moves), shake)


def _moves_in(text: str, start: float, end: float) -> list[Move]:
    prompt = text.lower()
    strength = 1.25 if _FAST.search(prompt) else 0.7 if _SLOW.search(prompt) else 1.0
    moves = []
    for pattern, view in _MOTIONS.items():
        if re.search(pattern, prompt):
            change = CameraView(
                view.pan * strength,
                view.tilt * strength,
                view.truck * strength,
                view.boom * strength,
                view.zoom**strength,
            )
            moves.append(Move(start, end, change))
    return moves


def _ease(share: float) -> float:
    """Easing that starts and ends softly, without dragging."""
    share = min(1.0, max(0.0, share))
    return 0.55 * (share * share * (3 - 2 * share)) + 0.45 * share


def window(
    view: CameraView, depth: float, frame_size: tuple[int, int], canvas_size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """The part of a layer's canvas inside the frame; depth 0 is the sky, 1 the story, larger is nearer."""
    # The sky follows a third of a zoom, as what is far away hardly grows when one steps nearer.
    zoom = view.zoom if depth == 1 else max(0.5, 1 + (view.zoom - 1) * (0.3 + 0.7 * depth))
    width = min(canvas_size[0], frame_size[0] / zoom)
    height = min(canvas_size[1], frame_size[1] / zoom)
    x = canvas_size[0] / 2 + (view.pan + view.truck * depth) * frame_size[0]
    y = canvas_size[1] / 2 + (view.tilt + view.boom * depth) * frame_size[0]
    left = min(max(0.0, x - width / 2), canvas_size[0] - width)
    top = min(max(0.0, y - height / 2), canvas_size[1] - height)
    return (left, top, left + width, top + height)
