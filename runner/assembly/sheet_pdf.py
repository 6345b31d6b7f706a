"""The contact sheet as a PDF: the same pictures, and text that stays text (fpdf2, the extra `looking`)."""

import io
import tempfile
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageFont

from runner.animatic.fonts import Environment, Face, faces_of, runs
from runner.assembly.sheet import Sheet, SheetCell

if TYPE_CHECKING:
    from fpdf import FPDF

_COLUMNS = 4
# Millimetres.
_MARGIN, _GAP = 12.0, 5.0
_PAGE_WIDTH, _PAGE_HEIGHT = 297.0, 210.0
_HEAD = 18.0
# Points.
_TEXT, _TITLE = 8.0, 16.0
_INK, _QUIET, _EMPTY, _PICK = (40, 42, 48), (110, 112, 118), (226, 223, 215), (170, 112, 20)
# An inch has 25.4 mm and 72 points.
_MM_PER_POINT = 25.4 / 72


class PdfMissing(Exception):  # noqa: N818 - a missing extra, shown to the user
    """fpdf2 is not installed; the text names the command that installs it."""


def sheet_pdf(sheet: Sheet) -> bytes:
    """The sheet on pages in landscape format, A4. Raises PdfMissing."""
    try:
        import fpdf
    except ImportError as error:
        raise PdfMissing('sheet --pdf needs fpdf2: pip install "storyboard-runner[looking]"') from error
    with tempfile.TemporaryDirectory(prefix="storyboard-fonts-") as folder:
        pdf = fpdf.FPDF(orientation="landscape", format="A4")
        pdf.set_auto_page_break(False)
        pdf.set_title(sheet.title)
        pdf.set_creator("storyboard")
        writer = _Writer(pdf, Path(folder), sheet.environment)
        cell_width = (_PAGE_WIDTH - 2 * _MARGIN - _GAP * (_COLUMNS - 1)) / _COLUMNS
        cell_height = cell_width * min(0.75, _ratio(sheet))
        row_height = cell_height + 11.0 + _GAP
        rows = max(1, int((_PAGE_HEIGHT - _MARGIN * 2 - _HEAD) / row_height))
        pages = max(1, ceil(len(sheet.cells) / (rows * _COLUMNS)))
        for page in range(pages):
            pdf.add_page()
            writer.text(_MARGIN, _MARGIN + 5, sheet.title, _TITLE, _INK)
            number = f"   page {page + 1} of {pages}" if pages > 1 else ""
            writer.text(_MARGIN, _MARGIN + 11, sheet.summary + number, _TEXT + 1, _QUIET)
            start = page * rows * _COLUMNS
            for index, cell in enumerate(sheet.cells[start : start + rows * _COLUMNS]):
                left = _MARGIN + index % _COLUMNS * (cell_width + _GAP)
                top = _MARGIN + _HEAD + index // _COLUMNS * row_height
                writer.cell(cell, left, top, cell_width, cell_height)
        return bytes(pdf.output())


class _Writer:
    """The writer of text in any script, and of cells, onto the pages of one document."""

    def __init__(self, pdf: "FPDF", folder: Path, environment: Environment) -> None:
        self._pdf = pdf
        self._environment = environment
        self._folder = folder
        self._families: dict[Face, str] = {}

    def text(self, x: float, y: float, text: str, size: float, colour: tuple[int, int, int]) -> None:
        """Write one line with its baseline at `y` millimetres."""
        self._pdf.set_text_color(*colour)
        for run in runs(text, faces_of(text, self._environment)):
            self._pdf.set_font(self._family(run.face), size=size)
            self._pdf.text(x, y, run.text)
            x += self._pdf.get_string_width(run.text)

    def cell(self, cell: SheetCell, left: float, top: float, width: float, height: float) -> None:
        self._pdf.set_fill_color(*_EMPTY)
        self._pdf.rect(left, top, width, height, style="F")
        if cell.picture is not None:
            self._picture(cell.picture, left, top, width, height)
        line = _TEXT * _MM_PER_POINT
        self.text(left, top + height + line * 1.4, self._cut(cell.name, width * 0.75), _TEXT, _INK)
        if cell.is_picked:
            self.text(left + width - 9, top + height + line * 1.4, "picked", _TEXT, _PICK)
        detail = "   ".join(part for part in (cell.detail, cell.state) if part)
        self.text(left, top + height + line * 2.8, self._cut(detail, width), _TEXT, _QUIET)

    def _picture(self, picture: bytes, left: float, top: float, width: float, height: float) -> None:
        with Image.open(io.BytesIO(picture)) as image:
            share = min(width / image.width, height / image.height)
            size = (image.width * share, image.height * share)
        self._pdf.image(
            io.BytesIO(picture), left + (width - size[0]) / 2, top + (height - size[1]) / 2, size[0], size[1]
        )

    def _cut(self, text: str, width: float) -> str:
        """The text, with an ellipsis where it is longer than `width` millimetres at about half an em a letter."""
        most = max(4, int(width / (_TEXT * _MM_PER_POINT * 0.55)))
        return text if len(text) <= most else text[: most - 1] + "…"

    def _family(self, face: Face) -> str:
        if face not in self._families:
            name = f"face{len(self._families)}"
            if face.path:
                self._pdf.add_font(name, fname=face.path, collection_font_number=face.index)
            else:
                bundled = ImageFont.load_default(size=20)
                path = self._folder / "bundled.ttf"
                path.write_bytes(getattr(bundled, "font_bytes", b""))
                self._pdf.add_font(name, fname=path)
            self._families[face] = name
        return self._families[face]


def _ratio(sheet: Sheet) -> float:
    ratios = []
    for cell in sheet.cells:
        if cell.picture is not None:
            with Image.open(io.BytesIO(cell.picture)) as image:
                ratios.append(image.height / image.width)
    return max(ratios, default=9 / 16)
