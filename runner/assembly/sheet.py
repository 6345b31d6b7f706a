"""The contact sheet: one picture a shot in the film's order, with name, length, state and pick."""

import io
from math import ceil, sqrt
from typing import Literal

from PIL import Image, ImageDraw, ImageOps

from runner.animatic.caption import draw_line, measure, wrap
from runner.animatic.fonts import Environment, faces_of
from runner.lazy_dataclass import dataclass

Tone = Literal["good", "quiet", "warn", "bad"]
_TONES: dict[Tone, tuple[int, int, int]] = {
    "good": (46, 122, 78),
    "quiet": (120, 122, 128),
    "warn": (170, 112, 20),
    "bad": (176, 52, 44),
}
_PAPER, _INK, _QUIET, _CELL, _EMPTY = (247, 245, 240), (40, 42, 48), (120, 122, 128), (28, 30, 36), (226, 223, 215)
_PICK = (196, 140, 30)
WIDTH = 1600
# Pixels: a JPEG has at most 65,535 lines.
_MAX_HEIGHT = 65_000
# Greatest height of a picture relative to its width: upright clips are scaled into the cell, not cropped.
_MAX_HEIGHT_BY_WIDTH = 0.75


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A piece of the film on the sheet."""

    name: str
    detail: str
    """Take and length: `take 2 · 4.2 s`."""
    state: str
    """The word of its state; "" where it is made and nothing is to be said."""
    tone: Tone
    is_picked: bool = False
    picture: bytes | None = None
    """A JPEG; None leaves an empty frame."""
    scene: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet: what stands above, and the cells in the film's order."""

    title: str
    summary: str
    """`26 shots · 2:11 · animatics, drawn by the sandbox`."""
    cells: tuple[SheetCell, ...]
    environment: Environment = ()
    """What fontconfig gets: never the environment with the provider's key."""


def columns_of(count: int) -> int:
    """Columns of a sheet: wider than high, and legible to a hundred shots."""
    return max(min(3, count), min(10, ceil(sqrt(count * 0.8))), 1)


def draw_sheet(sheet: Sheet, width: int = WIDTH) -> Image.Image:
    """The sheet as one picture of `width` pixels."""
    columns = columns_of(len(sheet.cells))
    gap = max(8, width // 90)
    cell_width = (width - gap * (columns + 1)) // columns
    pictures = [_opened(cell.picture) for cell in sheet.cells]
    ratio = max((picture.height / picture.width for picture in pictures if picture), default=9 / 16)
    cell_height = round(cell_width * min(_MAX_HEIGHT_BY_WIDTH, ratio))
    text_size = max(11, min(20, cell_width // 18))
    row_height = cell_height + round(text_size * 3.4)
    title_size = max(24, width // 50)
    head = gap * 2 + round(title_size * 2.9)
    rows = ceil(len(sheet.cells) / columns)
    image = Image.new("RGB", (width, min(_MAX_HEIGHT, head + rows * (row_height + gap))), _PAPER)
    page = _Page(image, sheet.environment)
    page.write((gap, gap), sheet.title, title_size, _INK, width - 2 * gap)
    page.write((gap, gap + round(title_size * 1.5)), sheet.summary, text_size + 2, _QUIET, width - 2 * gap)
    for number, (cell, picture) in enumerate(zip(sheet.cells, pictures, strict=True)):
        left = gap + number % columns * (cell_width + gap)
        top = head + number // columns * (row_height + gap)
        page.draw(cell, picture, (left, top, cell_width, cell_height), text_size)
    return image


def sheet_jpeg(sheet: Sheet, width: int = WIDTH) -> bytes:
    """The sheet as a JPEG file."""
    file = io.BytesIO()
    draw_sheet(sheet, width).save(file, format="JPEG", quality=82, optimize=True, progressive=True)
    return file.getvalue()


def poster_width(count: int, width: int = WIDTH) -> int:
    """Pixels of a picture on a sheet of `count` cells."""
    columns = columns_of(count)
    return (width - max(8, width // 90) * (columns + 1)) // columns


@dataclass(frozen=True, slots=True)
class _Page:
    """The picture of a sheet, and the environment of fontconfig for its letters."""

    image: Image.Image
    environment: Environment

    def draw(self, cell: SheetCell, picture: Image.Image | None, box: tuple[int, int, int, int], size: int) -> None:
        """Draw a cell's picture into a box of left, top, width and height, and its words below."""
        left, top, width, height = box
        if picture is not None:
            self.image.paste(ImageOps.pad(picture, (width, height), color=_CELL), (left, top))
        else:
            draw = ImageDraw.Draw(self.image)
            draw.rectangle((left, top, left + width - 1, top + height - 1), fill=_EMPTY)
            middle_line = (left + size, top + height // 2 - size)
            self.write(middle_line, cell.state or "no clip", size, _QUIET, width - 2 * size)
        line = top + height + round(size * 0.4)
        name_width = width
        if cell.is_picked:
            name_width -= round(size * 4)
            mark = "picked"
            self.write((left + width - self.width_of(mark, size), line), mark, size, _PICK, round(size * 4))
        self.write((left, line), cell.name, size, _INK, name_width)
        detail = line + round(size * 1.35)
        state_width = self.width_of(cell.state, size) if cell.state else 0
        self.write((left, detail), cell.detail, size, _QUIET, max(size, width - state_width - size))
        if cell.state and picture is not None:
            self.write((left + width - min(width, state_width), detail), cell.state, size, _TONES[cell.tone], width)

    def width_of(self, text: str, size: int) -> int:
        """Pixels of a line."""
        return round(measure(text, size, faces_of(text, self.environment)))

    def write(self, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int], width: int) -> None:
        """Write one line in any script, cut with an ellipsis where it is longer than `width` pixels."""
        if not text:
            return
        faces = faces_of(text + "…", self.environment)
        if measure(text, size, faces) > width:
            first = wrap(text, size, max(size, width - round(measure("…", size, faces))), faces)
            text = (first[0][0] if first else "") + "…"
        mask = Image.new("L", (max(1, width), round(size * 1.4)))
        pen = ImageDraw.Draw(mask)
        draw_line((pen, pen), (0, 0), width, text, size, faces)
        self.image.paste(colour, at, mask)


def _opened(picture: bytes | None) -> Image.Image | None:
    if picture is None:
        return None
    return Image.open(io.BytesIO(picture)).convert("RGB")
