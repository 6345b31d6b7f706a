"""The prompt as a caption: lines and pages, the current beat in full white, mentions in the accent colour."""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from runner.animatic.fonts import Environment, Faces, faces_of, font, ideographic, runs
from runner.animatic.prompt_words import Beat, beats, readable
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageDraw import ImageDraw

_MENTION = lazy_pattern(r"((?<![\w@.])@\w(?:[\w.\-#]*\w)?)")
# Height of a line as a multiple of the height of its letters.
_LEADING = 1.42


Masks = tuple["ImageDraw", "ImageDraw"]
"""Drawing surfaces of the letters and of the mentions."""


@dataclass(frozen=True, slots=True)
class CaptionLine:
    """One set line; `beat` is the index of its beat, -1 for text about the whole clip."""

    text: str
    width: float
    beat: int
    opens_paragraph: bool = False
    """Whether the line begins a paragraph."""


@dataclass(frozen=True, slots=True)
class Page:
    """Lines shown together, their first and last second, and the beat of that time (None: no timeline)."""

    lines: tuple[CaptionLine, ...]
    start: float
    end: float
    beat: int | None


@dataclass(frozen=True, slots=True)
class CaptionLayout:
    """Layout of a caption: height of the letters, and its pages in order of time."""

    size: int
    pages: tuple[Page, ...]
    faces: Faces

    @property
    def line_height(self) -> int:
        return round(self.size * _LEADING)


def lay_out_caption(prompt: str, seconds: float, width: int, height: int) -> CaptionLayout:
    """Set a prompt into a box of width × height pixels: as large as fits, then smaller, then over several pages."""
    text = readable(prompt).strip()
    if not text:
        return CaptionLayout(12, (), ())
    faces = faces_of(text)
    whole, timeline = beats(text, seconds)
    sections = [(whole, -1)] if whole else []
    sections += [(beat.text, at) for at, beat in enumerate(timeline)]
    # The sizes below are those for a box of 800 × 200 pixels.
    unit = min(width * 1.25, height * 5) / 1000
    sizes = sorted({max(13, round(size * unit)) for size in (31, 28, 26, 24, 22, 20)}, reverse=True)
    for size in sizes:
        lines = _lines(sections, size, width, faces)
        # Large letters are for short prompts: at most three lines, so that the picture stays visible.
        room = min(height // round(size * _LEADING), 3 if size > sizes[-1] else 1000)
        if len(lines) <= room:
            return CaptionLayout(size, _by_beat(lines, timeline, seconds), faces)
    room = max(1, height // round(sizes[-1] * _LEADING))
    lines = _lines(sections, sizes[-1], width, faces)
    return CaptionLayout(sizes[-1], _paged(lines, timeline, seconds, room), faces)


def _lines(sections: list[tuple[str, int]], size: int, width: int, faces: Faces) -> list[CaptionLine]:
    return [
        CaptionLine(text, length, beat, number == 0)
        for section, beat in sections
        for paragraph in section.split("\n")
        for number, (text, length) in enumerate(wrap(" ".join(paragraph.split()), size, width, faces))
    ]


def _by_beat(lines: list[CaptionLine], timeline: tuple[Beat, ...], seconds: float) -> tuple[Page, ...]:
    if not timeline:
        return (Page(tuple(lines), 0, seconds, None),)
    starts = [0.0, *(beat.start for beat in timeline[1:]), seconds]
    return tuple(Page(tuple(lines), start, max(start, end), at) for at, (start, end) in enumerate(pairwise(starts)))


def _paged(lines: list[CaptionLine], timeline: tuple[Beat, ...], seconds: float, room: int) -> tuple[Page, ...]:
    """Pages by beat where there is a timeline, else each as long as its share of the text."""
    if timeline and all(sum(line.beat in (-1, at) for line in lines) <= room for at in range(len(timeline))):
        pages = _by_beat(lines, timeline, seconds)
        return tuple(
            Page(tuple(line for line in page.lines if line.beat in (-1, page.beat)), page.start, page.end, page.beat)
            for page in pages
        )
    pieces = _pieces(lines, room)
    # Seconds of a page follow its number of characters; 20 more give short pages time to be read.
    weights = [sum(len(line.text) for line in piece) + 20 for piece in pieces]
    edges = [seconds * sum(weights[:at]) / sum(weights) for at in range(len(pieces))] + [seconds]
    return tuple(Page(piece, start, end, None) for piece, (start, end) in zip(pieces, pairwise(edges), strict=True))


def _pieces(lines: list[CaptionLine], room: int) -> list[tuple[CaptionLine, ...]]:
    """Pages of at most `room` lines; a paragraph that begins in the lower half of a page begins the next one."""
    pieces = []
    start = 0
    while start < len(lines):
        end = min(len(lines), start + room)
        if end < len(lines):
            openings = [at for at in range(start + (room + 1) // 2, end + 1) if lines[at].opens_paragraph]
            end = openings[-1] if openings else end
        pieces.append(tuple(lines[start:end]))
        start = end
    return pieces


def wrap(text: str, size: int, width: int, faces: Faces) -> list[tuple[str, float]]:
    """Lines of at most `width` pixels with their widths: broken at blanks, between ideographs, else anywhere."""
    lines: list[tuple[str, float]] = []
    line, used = "", 0.0
    for piece in _breakable(text):
        length = measure(piece, size, faces)
        # A blank at the end of a line takes no room.
        if used + measure(piece.rstrip(), size, faces) > width and line:
            lines.append((line.rstrip(), measure(line.rstrip(), size, faces)))
            line, used = "", 0.0
        while length > width and len(piece) > 1:
            head = _longest(piece, size, width - used, faces)
            lines.append((line + piece[:head], used + measure(piece[:head], size, faces)))
            line, used, piece = "", 0.0, piece[head:]
            length = measure(piece, size, faces)
        line, used = line + piece, used + length
    if line.strip():
        lines.append((line.rstrip(), measure(line.rstrip(), size, faces)))
    return lines


@lru_cache(maxsize=4_000)
def measure(text: str, size: int, faces: Faces) -> float:
    """Width of a text in pixels."""
    return sum(font(run.face, size).getlength(run.text) for run in runs(text, faces))


# Signs that no line of Chinese or Japanese begins with.
_NEVER_FIRST = "、。，．：；！？）」』】〉》”’…・ー々"


def _breakable(text: str) -> list[str]:
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*", text):
        start = 0
        for at in range(1, len(word)):
            if (ideographic(word[at]) or ideographic(word[at - 1])) and word[at] not in _NEVER_FIRST:
                pieces.append(word[start:at])
                start = at
        pieces.append(word[start:])
    return pieces


def _longest(text: str, size: int, width: float, faces: Faces) -> int:
    """Number of characters that fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle], size, faces) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def right_to_left(text: str) -> bool:
    """Whether a line runs from right to left: by its first letter with a direction, mentions aside."""
    directions = (unicodedata.bidirectional(char) for char in _MENTION.sub("", text))
    return next((way in ("R", "AL") for way in directions if way in ("L", "R", "AL")), False)


def draw_line(
    masks: Masks, at: tuple[float, float], width: float, text: str, size: int, faces: Faces, strength: int = 255
) -> None:
    """Draw one line: mentions on a mask of their own, right to left where its script runs that way."""
    from PIL import ImageFont

    letters, mentions = masks
    x, y = at
    backwards = right_to_left(text)
    # U+200E keeps the "@" before its name in a line that runs from right to left.
    pieces = runs(_MENTION.sub("\u200e\\1", text) if backwards else text, faces)
    if backwards:
        x += width - sum(font(run.face, size).getlength(run.text) for run in pieces)
        pieces = pieces[::-1]
    for run in pieces:
        face = font(run.face, size)
        # The font that comes with Pillow is drawn without Raqm, which alone knows directions.
        is_shaped = face.layout_engine == ImageFont.Layout.RAQM
        direction = "rtl" if backwards and len(pieces) == 1 and is_shaped else None
        for part in [run.text] if backwards else _MENTION.split(run.text):
            mask = mentions if _MENTION.fullmatch(part) else letters
            # By the base line (`ls`), on which letters of several fonts stand together.
            mask.text((x, y + round(size * 1.02)), part, font=face, fill=strength, anchor="ls", direction=direction)
            x += face.getlength(part)


def page_masks(page: Page, layout: CaptionLayout, width: int) -> tuple["Image.Image", "Image.Image"]:
    """The letters of a page and its mentions alone, as masks `width` pixels wide and as high as the lines."""
    from PIL import Image, ImageDraw

    height = max(1, len(page.lines)) * layout.line_height
    letters, mentions = Image.new("L", (width, height)), Image.new("L", (width, height))
    for at, line in enumerate(page.lines):
        strength = 255 if page.beat is None or line.beat == page.beat else 205 if line.beat == -1 else 120
        place = (0.0, float(at * layout.line_height))
        draw_line(
            (ImageDraw.Draw(letters), ImageDraw.Draw(mentions)),
            place,
            width,
            line.text,
            layout.size,
            layout.faces,
            strength,
        )
    return letters, mentions


def label(text: str, size: int, strength: int = 255, environment: Environment = None) -> "Image.Image":
    """A short text as a mask of its own size; `environment` is that of fontconfig."""
    from PIL import Image, ImageDraw

    visible = readable(text)
    faces = faces_of(visible, environment)
    width = max(1, round(measure(visible, size, faces) + 0.5))
    mask = Image.new("L", (width, round(size * 1.4)))
    pen = ImageDraw.Draw(mask)
    draw_line((pen, pen), (0, 0), width, visible, size, faces, strength)
    return mask
