"""The overlay of a clip: caption, running time, progress line; absent from the first and the last picture."""

from PIL import Image, ImageChops, ImageFilter

from runner.animatic.caption import CaptionLayout, Page, label, lay_out_caption, page_masks
from runner.animatic.palette import palette_of
from runner.animatic.planes import Colour, Mask, Planes, fade_table, mask_of
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec
from runner.lazy_dataclass import dataclass, field

FADE = 0.35
"""Seconds of the fade in and out: the first and last pictures stay clean, so that clips join."""
_INK: Colour = (10, 12, 18)
_PAPER: Colour = (248, 246, 240)


@dataclass(frozen=True, slots=True)
class CaptionSheet:
    """One page of the caption as masks: shade, letters, mentions."""

    at: tuple[int, int]
    shade: Mask
    letters: Mask
    mentions: Mask | None


@dataclass(slots=True)
class Overlay:
    """The overlay of a clip; fields that begin with `_` cache masks from picture to picture."""

    size: tuple[int, int]
    seconds: int
    accent: Colour
    layout: CaptionLayout
    tag: str
    _sheets: dict[int, CaptionSheet] = field(default_factory=dict)
    _stamps: dict[str, Image.Image] = field(default_factory=dict)
    _lines: dict[str, Image.Image] = field(default_factory=dict)

    def draw(self, planes: Planes, moment: float) -> None:
        """Draw the overlay over the picture of a moment (seconds)."""
        share = min(1.0, moment / FADE, (self.seconds - moment) / FADE)
        if share <= 0:
            return
        self._draw_caption(planes, moment, share)
        self._draw_header(planes, moment, share)
        self._draw_progress(planes, moment, share)

    def _draw_caption(self, planes: Planes, moment: float, share: float) -> None:
        at = next((at for at, page in enumerate(self.layout.pages) if moment < page.end), len(self.layout.pages) - 1)
        if at < 0:
            return
        if at not in self._sheets:
            self._sheets[at] = _sheet(self.layout.pages[at], self.layout, self.size)
        sheet = self._sheets[at]
        planes.tint(_INK, sheet.at, sheet.shade.fade(share))
        planes.tint(_PAPER, sheet.at, sheet.letters.fade(share))
        if sheet.mentions is not None:
            planes.tint(self.accent, sheet.at, sheet.mentions.fade(share))

    def _draw_header(self, planes: Planes, moment: float, share: float) -> None:
        margin, text_size = margin_of(self.size), small_size(self.size)
        self._write(planes, (margin, margin), self.tag, text_size, share * 0.8)
        clock = f"{int(moment) // 60}:{moment % 60:04.1f}"
        total = f" / {self.seconds // 60}:{self.seconds % 60:02}"
        width = self._width(total, text_size)
        x = self.size[0] - margin - width
        self._write(planes, (x, margin), total, text_size, share * 0.65)
        self._write(planes, (x - self._width(clock, text_size), margin), clock, text_size, share)

    def _write(self, planes: Planes, at: tuple[int, int], text: str, size: int, share: float) -> None:
        x, y = at
        line = self._line(text, size)
        shadow, letters = line.point(fade_table(round(share * 16))), line.point(fade_table(round(share * 32)))
        planes.y.paste(16, (x + 1, y + 2, x + 1 + line.width, y + 2 + line.height), shadow)
        planes.y.paste(235, (x, y, x + line.width, y + line.height), letters)

    def _line(self, text: str, size: int) -> Image.Image:
        """A text as a mask; all digits are equally wide, so that the running time does not tremble."""
        if text not in self._lines:
            stamps = [(sign, self._stamp(sign, size)) for sign in _glyphs(text)]
            mask = Image.new("L", (max(1, self._width(text, size)), stamps[0][1].height))
            x = 0
            for sign, stamp in stamps:
                mask.paste(stamp, (x, 0))
                x += self._advance(sign, size)
            self._lines[text] = mask
        return self._lines[text]

    def _stamp(self, sign: str, size: int) -> Image.Image:
        if sign not in self._stamps:
            self._stamps[sign] = label(sign, size)
        return self._stamps[sign]

    def _advance(self, sign: str, size: int) -> int:
        return self._stamp("0" if sign.isdigit() else sign, size).width

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
    accent = palette_of(spec.prompt, spec.variation, SeededNoise(spec.prompt).substream("palette")).accent
    return Overlay(size, spec.seconds, accent, caption_of(spec, size), f"animatic · {spec.model}")


def caption_of(spec: AnimaticSpec, size: tuple[int, int]) -> CaptionLayout:
    """The prompt in lines and pages; a long prompt gets more of the frame, up to two fifths."""
    width = min(size[0] - 2 * margin_of(size), round(size[1] * 1.75))
    share = 0.27 if len(spec.prompt) <= 1_500 else 0.4
    return lay_out_caption(spec.prompt, spec.seconds, width, round(size[1] * share))


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


def _sheet(page: Page, layout: CaptionLayout, size: tuple[int, int]) -> CaptionSheet:
    """The page on the full width of the frame: letters on a shade that grows downwards."""
    margin = margin_of(size)
    letters, mentions = page_masks(page, layout, size[0] - 2 * margin)
    lead = round(layout.line_height * 1.5)
    height = (lead + letters.height + margin + 3) // 2 * 2
    top = size[1] - height
    top -= top % 2
    height = size[1] - top
    shade = _shade((size[0], height), lead)
    written, marked = Image.new("L", (size[0], height)), Image.new("L", (size[0], height))
    written.paste(letters, (margin, height - margin - letters.height))
    marked.paste(mentions, (margin, height - margin - letters.height))
    # A soft dark edge around the letters keeps them readable over anything.
    glow = written.filter(ImageFilter.BoxBlur(max(1, layout.size // 6))).point([min(150, v * 2) for v in range(256)])
    return CaptionSheet(
        (0, top),
        mask_of(ImageChops.lighter(shade, glow)),
        mask_of(written),
        mask_of(marked) if marked.getbbox() else None,
    )


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
    return list(text) if text[:1].isdigit() else [text]
