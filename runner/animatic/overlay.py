"""The overlay of a clip: caption, running time, progress line; absent from the first and the last picture."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from runner.animatic.caption import CaptionLayout, Page, draw_line, label, lay_out_caption, page_masks, wrap
from runner.animatic.fonts import faces_of
from runner.animatic.palette import palette_of, readable_on_dark
from runner.animatic.planes import Colour, Mask, Planes, faded, mask_of, planes_of
from runner.animatic.prompt_words import readable
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec
from runner.animatic.speech import SpokenLine, spoken_lines, without_lines
from runner.lazy_dataclass import dataclass, field

FADE = 0.35
"""Seconds of the fade in and out: the first and last pictures stay clean, so that clips join."""
# Seconds for which a subtitle stays after its line was said.
_LINGER = 0.4
# A frame with a side below this, in pixels, has no room for subtitles.
_SMALLEST = 96
_INK: Colour = (10, 12, 18)
_PAPER: Colour = (248, 246, 240)


@dataclass(frozen=True, slots=True)
class CaptionSheet:
    """One page of the caption or one subtitle: a picture, and the mask through which it is laid on the frame."""

    at: tuple[int, int]
    picture: Planes
    mask: Mask


@dataclass(slots=True)
class Overlay:
    """The overlay of a clip; fields that begin with `_` cache masks from picture to picture."""

    size: tuple[int, int]
    seconds: int
    accent: Colour
    layout: CaptionLayout
    tag: str
    lines: tuple[SpokenLine, ...] = ()
    """Spoken lines, shown as subtitles."""
    _sheets: dict[int, CaptionSheet] = field(default_factory=dict)
    _subtitles: dict[str, CaptionSheet] = field(default_factory=dict)
    _stamps: dict[str, tuple[Image.Image, Image.Image]] = field(default_factory=dict)
    _lines: dict[str, tuple[Image.Image, Image.Image]] = field(default_factory=dict)

    def draw(self, planes: Planes, moment: float) -> None:
        """Draw the overlay over the picture of a moment (seconds)."""
        share = min(1.0, moment / FADE, (self.seconds - moment) / FADE)
        if share <= 0:
            return
        self._draw_caption(planes, moment, share)
        self._draw_subtitle(planes, moment, share)
        self._draw_header(planes, moment, share)
        self._draw_progress(planes, moment, share)

    def _draw_caption(self, planes: Planes, moment: float, share: float) -> None:
        at = next((at for at, page in enumerate(self.layout.pages) if moment < page.end), len(self.layout.pages) - 1)
        if at < 0:
            return
        if at not in self._sheets:
            self._sheets[at] = _sheet(self.layout.pages[at], self.layout, self.size, self.accent)
        sheet = self._sheets[at]
        planes.paste(sheet.picture, sheet.at, sheet.mask.fade(share))

    def _draw_subtitle(self, planes: Planes, moment: float, share: float) -> None:
        line = next((line for line in self.lines if line.start <= moment < line.end + _LINGER), None)
        if line is None or min(self.size) < _SMALLEST:
            return
        if line.words not in self._subtitles:
            # Above the tallest of all pages: a subtitle must not jump when the page turns.
            tallest = max((len(page.lines) for page in self.layout.pages), default=0) * self.layout.line_height
            self._subtitles[line.words] = _subtitle(line.words, self.size, tallest)
        sheet = self._subtitles[line.words]
        planes.paste(sheet.picture, sheet.at, sheet.mask.fade(share))

    def _draw_header(self, planes: Planes, moment: float, share: float) -> None:
        margin, text_size = margin_of(self.size), small_size(self.size)
        self._write(planes, (margin, margin), self.tag, text_size, share)
        clock = f"{int(moment) // 60}:{moment % 60:04.1f}"
        x = self.size[0] - margin
        # From the right to the left; only the last digit of the clock is new in every picture.
        for text in (f" / {self.seconds // 60}:{self.seconds % 60:02}", clock[-1], clock[:-1]):
            x -= self._width(text, text_size)
            self._write(planes, (x, margin), text, text_size, share)

    def _write(self, planes: Planes, at: tuple[int, int], text: str, size: int, share: float) -> None:
        x, y = at
        letters, shadow = self._line(text, size)
        if share < 1:
            shadow, letters = faded(shadow, share), faded(letters, share)
        # 16 and 235 are black and white in limited range.
        planes.y.paste(16, (x + 1, y + 2, x + 1 + shadow.width, y + 2 + shadow.height), shadow)
        planes.y.paste(235, (x, y, x + letters.width, y + letters.height), letters)

    def _line(self, text: str, size: int) -> tuple[Image.Image, Image.Image]:
        """A text and its shadow as masks; all digits are equally wide, so that the running time does not tremble."""
        if text in self._lines:
            return self._lines[text]
        stamps = [(sign, self._stamp(sign, size)) for sign in _glyphs(text)]
        masks = []
        for number in (0, 1):
            mask = Image.new("L", (max(1, self._width(text, size)), stamps[0][1][0].height))
            x = 0
            for sign, stamp in stamps:
                mask.paste(stamp[number], (x, 0))
                x += self._advance(sign, size)
            masks.append(mask)
        self._lines[text] = (masks[0], masks[1])
        return self._lines[text]

    def _stamp(self, sign: str, size: int) -> tuple[Image.Image, Image.Image]:
        """A sign as a mask, and its shadow."""
        if sign not in self._stamps:
            letters = label(sign, size)
            self._stamps[sign] = (letters, faded(letters, 0.5))
        return self._stamps[sign]

    def _advance(self, sign: str, size: int) -> int:
        return self._stamp("0" if sign.isdigit() else sign, size)[0].width

    def _width(self, text: str, size: int) -> int:
        return sum(self._advance(sign, size) for sign in _glyphs(text))

    def _draw_progress(self, planes: Planes, moment: float, share: float) -> None:
        width, height = self.size
        thickness = max(2, round(min(self.size) / 200) // 2 * 2)
        length = max(2, round(width * moment / self.seconds) // 2 * 2)
        bar = mask_of(Image.new("L", (length, thickness), round(255 * share)))
        planes.tint(self.accent, (0, height - thickness), bar)


def overlay_of(spec: AnimaticSpec, size: tuple[int, int]) -> Overlay:
    """The overlay of a spec for a frame of this size."""
    accent = readable_on_dark(palette_of(spec, SeededNoise(spec.story).substream("palette")).accent)
    lines = spoken_lines(spec.shown_text, spec.seconds)
    return Overlay(size, spec.seconds, accent, caption_of(spec, size), f"animatic · {spec.model}", lines)


def caption_of(spec: AnimaticSpec, size: tuple[int, int]) -> CaptionLayout:
    """The shot's own prompt in lines and pages; a long one gets more of the frame, up to two fifths."""
    # On a frame wider than 16:9 the lines stay as long as there: longer ones are hard to follow.
    width = min(size[0] - 2 * margin_of(size), round(size[1] * 1.75))
    text = without_lines(spec.shown_text)
    share = 0.27 if len(text) <= 1_500 else 0.4
    return lay_out_caption(text, spec.seconds, width, round(size[1] * share))


def caption_share(layout: CaptionLayout, size: tuple[int, int]) -> float:
    """Share of the frame's height that the tallest page takes, margin included."""
    lines = max((len(page.lines) for page in layout.pages), default=0)
    return (lines * layout.line_height + margin_of(size)) / size[1]


def margin_of(size: tuple[int, int]) -> int:
    """The free margin around all text, in pixels."""
    return round(min(size) * 0.045 / 2) * 2


def small_size(size: tuple[int, int]) -> int:
    """The height of small letters: running time, labels."""
    return max(11, round(min(size) * 0.0265))


def _sheet(page: Page, layout: CaptionLayout, size: tuple[int, int], accent: Colour) -> CaptionSheet:
    """The page on the full width of the frame: letters on a shade that grows downwards."""
    margin = margin_of(size)
    letters, mentions = page_masks(page, layout, size[0] - 2 * margin)
    lead = round(layout.line_height * 1.5)
    height = (lead + letters.height + margin + 3) // 2 * 2
    top = size[1] - height
    top -= top % 2
    height = size[1] - top
    written, marked = Image.new("L", (size[0], height)), Image.new("L", (size[0], height))
    written.paste(letters, (margin, height - margin - letters.height))
    marked.paste(mentions, (margin, height - margin - letters.height))
    return _laid((0, top), _shade((size[0], height), lead), written, marked, layout.size, accent)


def _subtitle(words: str, size: tuple[int, int], caption_height: int) -> CaptionSheet:
    """A spoken line in quotation marks, centred above the caption."""
    text = f"“{readable(words)}”"
    height = max(13, round(min(size) * 0.05))
    faces = faces_of(text)
    # Three lines at most, or they would reach the faces.
    lines = wrap(text, height, round(size[0] * 0.78), faces)[:3]
    leading = round(height * 1.4)
    block = (size[0] - size[0] % 2, (len(lines) * leading + height + 1) // 2 * 2)
    written = Image.new("L", block)
    pen = ImageDraw.Draw(written)
    for number, (line, width) in enumerate(lines):
        draw_line((pen, pen), ((size[0] - width) / 2, height // 2 + number * leading), width, line, height, faces)
    bottom = size[1] - margin_of(size) - caption_height - height
    top = max(0, bottom - block[1]) // 2 * 2
    return _laid((0, top), Image.new("L", block), written, Image.new("L", block), height, _PAPER)


def _laid(
    at: tuple[int, int], shade: Image.Image, written: Image.Image, marked: Image.Image, height: int, accent: Colour
) -> CaptionSheet:
    """Letters and marked letters on a shade, as one picture and its mask."""
    # A soft dark edge around the letters keeps them readable over anything.
    letters = ImageChops.lighter(written, marked)
    glow = letters.filter(ImageFilter.BoxBlur(max(1, height // 6))).point([min(150, v * 2) for v in range(256)])
    picture = Image.new("RGB", written.size, _INK)
    picture.paste(_PAPER, (0, 0), written.point([min(255, v * 3) for v in range(256)]))
    picture.paste(accent, (0, 0), marked.point([min(255, v * 3) for v in range(256)]))
    return CaptionSheet(at, planes_of(picture), mask_of(ImageChops.lighter(ImageChops.lighter(shade, glow), letters)))


def _shade(size: tuple[int, int], lead: int) -> Image.Image:
    """The background of the letters: fades in over `lead` pixels, then darkens to the bottom."""
    column = Image.new("L", (1, size[1]))
    for y in range(size[1]):
        into = min(1.0, y / lead)
        column.putpixel(
            (0, y), round(118 * into * into * (3 - 2 * into) + 52 * max(0, y - lead) / max(1, size[1] - lead))
        )
    return column.resize(size)


def _glyphs(text: str) -> list[str]:
    # Only the running time is set sign by sign: words keep the spacing of their font.
    return list(text) if text[:1].isdigit() else [text]
