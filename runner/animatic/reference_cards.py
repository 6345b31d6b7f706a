"""Reference mode: the materials as labelled cards, pictures still, videos moving, audio as a playing waveform."""

from array import array
from collections.abc import Collection, Sequence

from PIL import Image, ImageOps

from runner.animatic.cards import Card, address_picture, draw_card, label_tab, waveform
from runner.animatic.encode import RATE
from runner.animatic.overlay import FADE, margin_of, small_size
from runner.animatic.palette import palette_of
from runner.animatic.pictures import open_picture
from runner.animatic.planes import Colour, Mask, Planes, mask_of, planes_of
from runner.animatic.reference_video import first_picture, video_pictures
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.sound import decode_audio, peaks
from runner.animatic.spec import AnimaticSpec, Reference
from runner.lazy_dataclass import dataclass

# A frame with a side below this, in pixels, has no room for cards.
_SMALLEST = 96
# Pictures a second of a video inside a card.
_RATE = 12
# Widest and narrowest shape (width / height) of a card, and the shapes of audio and address cards.
_WIDE, _NARROW, _AUDIO, _ADDRESS = 1.9, 0.6, 2.4, 1.6


@dataclass(frozen=True, slots=True)
class ReferenceClip:
    """A video inside its card: pictures at `_RATE`, looped."""

    at: tuple[int, int]
    pictures: Sequence[Planes]
    tab: Planes

    def draw(self, planes: Planes, moment: float, share: float) -> None:
        picture = self.pictures[int(moment * _RATE) % len(self.pictures)]
        veil = None if share >= 1 else mask_of(Image.new("L", picture.y.size, round(255 * share)))
        planes.paste(picture, self.at, veil)
        low = (self.at[0], self.at[1] + picture.y.height - self.tab.y.height)
        planes.paste(
            self.tab, low, None if share >= 1 else mask_of(Image.new("L", self.tab.y.size, round(255 * share)))
        )


@dataclass(frozen=True, slots=True)
class Playhead:
    """The playing position of an audio file on its waveform."""

    window: tuple[int, int, int, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class ReferenceCards:
    """All cards of a clip; empty for a spec without references."""

    seconds: int
    at: tuple[int, int] = (0, 0)
    still: tuple[Planes, Mask] | None = None
    clips: tuple[ReferenceClip, ...] = ()
    playheads: tuple[Playhead, ...] = ()
    sounds: tuple["array[float]", ...] = ()

    def draw(self, planes: Planes, moment: float) -> None:
        """Draw the cards over the picture of a moment; they fade in and out with the caption."""
        share = min(1.0, moment / FADE, (self.seconds - moment) / FADE)
        if self.still is None or share <= 0:
            return
        planes.paste(self.still[0], self.at, self.still[1].fade(share))
        for clip in self.clips:
            clip.draw(planes, moment, share)
        for playhead in self.playheads:
            left, top, right, bottom = playhead.window
            if moment < playhead.seconds:
                x = left + round((right - left - 2) * moment / playhead.seconds)
                planes.y.paste(round(16 + 219 * share), (x, top, x + 2, bottom))


def reference_cards_of(
    spec: AnimaticSpec, size: tuple[int, int], in_scene: Collection[Reference] = ()
) -> ReferenceCards:
    """Read the materials of a spec that are not `in_scene`, and lay out their cards on a frame of this size."""
    references = [reference for reference in spec.references if reference not in in_scene]
    if not references:
        return ReferenceCards(spec.seconds)
    accent = palette_of(spec, SeededNoise(spec.story).substream("palette")).accent
    pictures = [_still(reference, size) for reference in references]
    sounds = [
        decode_audio(reference.path, spec.seconds) if reference.kind == "audio" and reference.path else array("f")
        for reference in references
    ]
    if min(size) < _SMALLEST:
        return ReferenceCards(spec.seconds, sounds=tuple(filter(None, sounds)))
    cards = layout([_shape(*pair) for pair in zip(references, pictures, strict=True)], size)
    canvas, mask = Image.new("RGB", size), Image.new("L", size)
    clips: list[ReferenceClip] = []
    playheads: list[Playhead] = []
    for reference, card, picture, samples in zip(references, cards, pictures, sounds, strict=True):
        content = _content(reference, card, picture, samples, accent)
        draw_card(canvas, mask, card, content, reference.label, accent)
        if reference.kind == "audio" and samples:
            playheads.append(Playhead(card.window, min(spec.seconds, len(samples) / RATE)))
        if reference.kind == "video" and reference.path:
            clip_pictures = video_pictures(reference.path, card.window_size, spec.seconds, _RATE)
            if clip_pictures:
                tab = planes_of(label_tab(card, reference.label, accent))
                clips.append(ReferenceClip(card.window[:2], clip_pictures, tab))
    left, top, right, bottom = mask.getbbox() or (0, 0, 2, 2)
    box = (left // 2 * 2, top // 2 * 2, (right + 1) // 2 * 2, (bottom + 1) // 2 * 2)
    still = (planes_of(canvas.crop(box)), mask_of(mask.crop(box)))
    return ReferenceCards(spec.seconds, box[:2], still, tuple(clips), tuple(playheads), tuple(filter(None, sounds)))


def layout(shapes: Sequence[float], size: tuple[int, int]) -> list[Card]:
    """Cards of one height in rows from the upper left, as large as the upper part of the frame allows."""
    margin = margin_of(size)
    gap = max(6, margin // 2 // 2 * 2)
    top = margin + small_size(size) * 2 // 2 * 2
    # Upright frames have less, since their captions take more lines.
    room = size[1] * (0.44 if size[0] >= size[1] else 0.34)
    # From the largest height down to where the rows fit: few materials are shown large.
    for tall in range(max(12, round(min(size) * 0.17)), 8, -2):
        rows = _rows(shapes, tall, size[0] - 2 * margin, gap)
        if rows and len(rows) * (tall + gap) <= room:
            break
    tall -= tall % 2
    cards = []
    for number, row in enumerate(rows or [list(shapes)]):
        left = margin
        for shape in row:
            width = round(tall * shape / 2) * 2
            cards.append(Card(left, (top + number * (tall + gap)) // 2 * 2, width, tall))
            left += width + gap
    return cards


def _rows(shapes: Sequence[float], tall: int, width: int, gap: int) -> list[list[float]]:
    """The shapes in rows at this height; empty when a single shape is too wide."""
    rows: list[list[float]] = [[]]
    used = 0.0
    for shape in shapes:
        if tall * shape > width:
            return []
        if used + tall * shape > width:
            rows.append([])
            used = 0.0
        rows[-1].append(shape)
        used += tall * shape + gap
    return rows


def _still(reference: Reference, size: tuple[int, int]) -> Image.Image | None:
    if reference.path is None or reference.kind == "audio":
        return None
    return open_picture(reference.path, size) if reference.kind == "image" else first_picture(reference.path)


def _shape(reference: Reference, picture: Image.Image | None) -> float:
    if picture is not None:
        return min(_WIDE, max(_NARROW, picture.width / picture.height))
    return _AUDIO if reference.kind == "audio" else _ADDRESS


def _content(
    reference: Reference, card: Card, picture: Image.Image | None, samples: "array[float]", accent: Colour
) -> Image.Image:
    size = card.window_size
    if picture is not None:
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if samples:
        return waveform(peaks(samples, size[0] // 5), size, accent)
    return address_picture(reference.address or f"this {reference.kind} cannot be read", size)
