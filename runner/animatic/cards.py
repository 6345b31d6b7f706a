"""Cards for materials in RGB: a picture, a waveform or an address, each with its label."""

from urllib.parse import urlsplit

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from runner.animatic.caption import draw_line, label, wrap
from runner.animatic.fonts import faces_of
from runner.animatic.palette import mix
from runner.animatic.planes import Colour
from runner.lazy_dataclass import dataclass

# Dark within, warm paper around: a card stands out from a bright scene as from a dark one.
_BACKGROUND: Colour = (24, 27, 36)
_PAPER: Colour = (246, 243, 236)


@dataclass(frozen=True, slots=True)
class Card:
    """Position of a card on the frame, border included, and the window that shows the material."""

    left: int
    top: int
    width: int
    height: int

    @property
    def border(self) -> int:
        # Even, since the planes of colour have half the size.
        return max(2, round(self.height * 0.02) // 2 * 2)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """The edges of the material: left, top, right, bottom; even numbers."""
        edge = self.border
        return (self.left + edge, self.top + edge, self.left + self.width - edge, self.top + self.height - edge)

    @property
    def window_size(self) -> tuple[int, int]:
        left, top, right, bottom = self.window
        return (right - left, bottom - top)


def address_picture(address: str, size: tuple[int, int]) -> Image.Image:
    """A picture of an address that is not fetched: its host large, its file name small."""
    parts = urlsplit(address) if "://" in address else None
    host = parts.netloc if parts else ""
    rest = parts.path.rsplit("/", 1)[-1] if parts else address
    image = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(image)
    width, height = size
    step = max(8, height // 9)
    for x in range(-height, width, step):
        draw.line((x, height, x + height, 0), fill=mix(_BACKGROUND, _PAPER, 0.04), width=max(1, step // 4))
    big = max(10, min(height // 7, width // 12))
    small = max(9, round(big * 0.72))
    faces = faces_of(host + rest)
    lines = [(text, big, 235) for text, _ in wrap(host, big, round(width * 0.86), faces)[:2]]
    lines += [(text, small, 150) for text, _ in wrap(rest, small, round(width * 0.86), faces)[:3]]
    y = (height - sum(round(tall * 1.5) for _, tall, _ in lines)) / 2
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    for text, tall, strength in lines:
        draw_line((pen, pen), (width * 0.07, y), width * 0.86, text, tall, faces, strength)
        y += round(tall * 1.5)
    image.paste(_PAPER, (0, 0), mask)
    return image


def waveform(peaks: list[float], size: tuple[int, int], colour: Colour) -> Image.Image:
    """A waveform, mirrored at its middle line, with one bar for each peak."""
    width, height = size
    # Twice as large and scaled down: Pillow draws hard edges.
    large = Image.new("RGB", (width * 2, height * 2), _BACKGROUND)
    draw = ImageDraw.Draw(large)
    pitch = 2 * width / max(1, len(peaks))
    for at, peak in enumerate(peaks):
        # Raised a little, so that quiet words are still seen.
        tall = max(0.02, peak**0.8) * height * 0.74
        x = at * pitch + pitch * 0.2
        box = (x, height - tall, x + max(1.0, pitch * 0.6), height + tall)
        draw.rounded_rectangle(box, radius=pitch * 0.3, fill=mix(_BACKGROUND, colour, 0.45 + 0.5 * peak))
    return large.reduce(2)


def draw_card(
    canvas: Image.Image, mask: Image.Image, card: Card, content: Image.Image | None, name: str, accent: Colour
) -> None:
    """Draw a card with its shadow on a canvas, and its outline on the canvas's mask; content None stays dark."""
    box = (card.left, card.top, card.left + card.width - 1, card.top + card.height - 1)
    radius = card.border * 2
    shadow = Image.new("L", mask.size)
    drop = card.border
    shifted = (box[0], box[1] + drop, box[2], box[3] + drop * 2)
    ImageDraw.Draw(shadow).rounded_rectangle(shifted, radius, fill=120)
    shape = Image.new("L", mask.size)
    ImageDraw.Draw(shape).rounded_rectangle(box, radius, fill=255)
    blurred = shadow.filter(ImageFilter.BoxBlur(card.border * 2))
    canvas.paste((6, 8, 12), (0, 0), ImageChops.lighter(blurred, Image.new("L", mask.size)))
    mask.paste(ImageChops.lighter(ImageChops.lighter(mask, blurred), shape))
    canvas.paste(_PAPER, (0, 0), shape)
    left, top, right, bottom = card.window
    canvas.paste(_BACKGROUND, (left, top, right, bottom))
    if content is not None:
        canvas.paste(content, (left, top))
    draw_card_label(canvas, card, name, accent)


def draw_card_label(canvas: Image.Image, card: Card, name: str, accent: Colour) -> None:
    """Draw the name of a material on a dark tab in the lower left corner of its card."""
    tab = label_tab(card, name, accent)
    left, _, _, bottom = card.window
    canvas.paste(tab, (left, bottom - tab.height))


def label_tab(card: Card, name: str, accent: Colour) -> Image.Image:
    """The tab of a label as a picture with even sides, for cards whose content moves."""
    size = max(9, min(22, round(card.height * 0.1)))
    letters = label(name, size)
    pad = size // 2
    width = min(card.window_size[0], (letters.width + 2 * pad + 1) // 2 * 2)
    tab = Image.new("RGB", (width, (letters.height + 3) // 2 * 2), (14, 16, 22))
    tab.paste(accent, (pad, 1), letters.crop((0, 0, max(1, width - pad), letters.height)))
    return tab
