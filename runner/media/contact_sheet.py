"""A contact sheet: one picture of each clip, with its name, on one page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.media.frames import image_of
from runner.media.open_media import reading

if TYPE_CHECKING:
    from PIL import Image

_PAPER, _INK, _DARK = (247, 245, 240), (52, 54, 60), (28, 30, 36)
_TALLEST = 0.75
"""Height of a cell by its width: upright clips are set into it, not cropped."""


def contact_sheet(clips: Sequence[tuple[Path, str]], target: Path, columns: int, width: int = 1600) -> None:
    """Write a PNG of `width` pixels with a picture from the middle of each clip and its label below.

    A clip that cannot be read is an empty cell. Raises ValueError for no clips or no columns, OSError when `target`
    cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    if not clips or columns < 1:
        raise ValueError("a contact sheet needs a clip and a column")
    columns = min(columns, len(clips))
    gap = max(8, width // 80)
    cell = (width - gap * (columns + 1)) // columns
    pictures = [_middle(path) for path, _ in clips]
    tallest = max((picture.height / picture.width for picture in pictures if picture), default=9 / 16)
    size = (cell, round(cell * min(_TALLEST, tallest)))
    letters = max(11, min(20, cell // 22))
    step = size[1] + round(letters * 2.4)
    rows = -(-len(clips) // columns)
    sheet = Image.new("RGB", (width, gap + rows * (step + gap // 2)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=letters)
    for number, ((_, name), picture) in enumerate(zip(clips, pictures, strict=True)):
        left = gap + number % columns * (cell + gap)
        top = gap + number // columns * (step + gap // 2)
        shown = ImageOps.pad(picture, size, color=_DARK) if picture else Image.new("RGB", size, _DARK)
        sheet.paste(shown, (left, top))
        draw.text((left, top + size[1] + letters * 0.5), _short(name, cell // letters * 2), font=font, fill=_INK)
    sheet.save(target, format="PNG", optimize=True)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _middle(path: Path) -> "Image.Image | None":
    """A picture from the middle, where the caption stands."""
    from av.error import FFmpegError

    try:
        with reading(str(path), "mov") as container:
            stream = container.streams.video[0]
            middle = (stream.duration or 0) // 2
            container.seek(middle, stream=stream)
            found = None
            for picture in container.decode(stream):
                found = picture
                if picture.pts is None or picture.pts >= middle:
                    break
            return image_of(found) if found else None
    except (FFmpegError, OSError, IndexError, ValueError):
        return None
