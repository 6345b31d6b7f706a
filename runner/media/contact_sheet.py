"""Contact sheet: a frame of each clip with its name, on one page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.media.frames import image_of
from runner.media.open_media import open_media

if TYPE_CHECKING:
    from PIL import Image

_BACKGROUND, _TEXT_COLOR, _CELL_COLOR = (247, 245, 240), (52, 54, 60), (28, 30, 36)
_MAX_HEIGHT_BY_WIDTH = 0.75
"""Greatest height of a cell relative to its width: upright clips are scaled into the cell, not cropped."""


def contact_sheet(clips: Sequence[tuple[Path, str]], target: Path, columns: int, width: int = 1600) -> None:
    """Write a PNG of `width` pixels with a frame from the middle of each clip and its label below.

    An unreadable clip becomes an empty cell. Raises ValueError for no clips or no columns, OSError when `target`
    cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    if not clips or columns < 1:
        raise ValueError("a contact sheet needs a clip and a column")
    columns = min(columns, len(clips))
    gap = max(8, width // 80)
    cell_width = (width - gap * (columns + 1)) // columns
    pictures = [_middle_picture(path) for path, _ in clips]
    max_ratio = max((picture.height / picture.width for picture in pictures if picture), default=9 / 16)
    cell_size = (cell_width, round(cell_width * min(_MAX_HEIGHT_BY_WIDTH, max_ratio)))
    font_size = max(11, min(20, cell_width // 22))
    row_height = cell_size[1] + round(font_size * 2.4)
    rows = -(-len(clips) // columns)
    sheet = Image.new("RGB", (width, gap + rows * (row_height + gap // 2)), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=font_size)
    for number, ((_, name), picture) in enumerate(zip(clips, pictures, strict=True)):
        left = gap + number % columns * (cell_width + gap)
        top = gap + number // columns * (row_height + gap // 2)
        cell_picture = (
            ImageOps.pad(picture, cell_size, color=_CELL_COLOR) if picture else Image.new("RGB", cell_size, _CELL_COLOR)
        )
        sheet.paste(cell_picture, (left, top))
        draw.text(
            (left, top + cell_size[1] + font_size * 0.5),
            _shortened(name, cell_width // font_size * 2),
            font=font,
            fill=_TEXT_COLOR,
        )
    sheet.save(target, format="PNG", optimize=True)


def _shortened(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def _middle_picture(path: Path) -> "Image.Image | None":
    """Return a frame from the middle of a clip; the sandbox's clips show their caption there."""
    from av.error import FFmpegError

    try:
        with open_media(str(path), "mov") as container:
            stream = container.streams.video[0]
            middle = (stream.duration or 0) // 2
            container.seek(middle, stream=stream)
            middle_picture = None
            for picture in container.decode(stream):
                middle_picture = picture
                if picture.pts is None or picture.pts >= middle:
                    break
            return image_of(middle_picture) if middle_picture else None
    except (FFmpegError, OSError, IndexError, ValueError):
        return None
