"""Pictures of people and things, cut out as far as that can be told, so that they stand in a place."""

from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from runner.animatic.pictures import open_picture_with_alpha
from runner.lazy_dataclass import dataclass

# Longest side of the small picture on which edges are looked at.
_SAMPLE = 128
# Largest deviation of the border's colours of a picture on a plain ground.
_PLAIN = 20
# Least difference from the ground's colour of what stands before it.
_CLEAR = 30
# Shape (width / height) of a person's part of a wide picture.
_PORTRAIT = 0.62
# Colours of a card's border and of the shadow below it.
_PAPER = (246, 243, 236)
_SHADOW = (6, 8, 12)


@dataclass(frozen=True, slots=True)
class CutOut:
    """A picture as it stands in a place, with its mask."""

    picture: Image.Image
    mask: Image.Image
    is_card: bool = False
    """Whether the picture could not be cut out, and is a card with a border."""


def standee(path: Path, tall: int, *, is_person: bool) -> CutOut | None:
    """The picture `tall` pixels high, in even numbers; None for a file that cannot be read.

    A transparent picture keeps its outline; one on a plain ground is cut out; of another the middle is shown, as a
    card.
    """
    image = open_picture_with_alpha(path, (tall * 2, tall * 2))
    if image is None:
        return None
    mask = _outline(image)
    picture = image.convert("RGB")
    if mask is None:
        if is_person and picture.width > picture.height * _PORTRAIT:
            picture = _middle(picture)
        return _card(picture.resize(_size(picture, tall), Image.Resampling.BICUBIC, reducing_gap=2.0))
    box = mask.getbbox() or (0, 0, *mask.size)
    picture, mask = picture.crop(box), mask.crop(box)
    size = _size(picture, tall)
    scaled = mask.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    # An edge that is enlarged shows the steps of its pixels.
    if scaled.height > mask.height:
        scaled = scaled.filter(ImageFilter.GaussianBlur(scaled.height / mask.height))
    return CutOut(picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0), scaled)


def _size(picture: Image.Image, tall: int) -> tuple[int, int]:
    """The size of the picture when it is `tall` pixels high, in even numbers."""
    height = max(2, round(tall / 2) * 2)
    return (max(2, round(picture.width / picture.height * height / 2) * 2), height)


def _card(picture: Image.Image) -> CutOut:
    """A print on paper with a border and a soft shadow: a ground that cannot be taken away, shown as meant."""
    border = max(2, round(min(picture.size) * 0.03) // 2 * 2)
    whole = (picture.width + 4 * border, picture.height + 4 * border)
    edges = (border, border, whole[0] - border - 1, whole[1] - border - 1)
    shadow, shape = Image.new("L", whole), Image.new("L", whole)
    ImageDraw.Draw(shadow).rectangle((edges[0], edges[1] + border // 2, edges[2], edges[3] + border // 2), fill=110)
    ImageDraw.Draw(shape).rounded_rectangle(edges, border, fill=255)
    card = Image.new("RGB", whole, _SHADOW)
    card.paste(_PAPER, (0, 0), shape)
    card.paste(picture, (2 * border, 2 * border))
    return CutOut(card, ImageChops.lighter(shadow.filter(ImageFilter.BoxBlur(border // 2)), shape), is_card=True)


def _outline(image: Image.Image) -> Image.Image | None:
    """The mask of a transparent picture, or of one on a plain ground; None for any other."""
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        if min(alpha.tobytes()) < 128:
            return alpha
    small = image.convert("RGB")
    small.thumbnail((_SAMPLE, _SAMPLE))
    width, height = small.size
    ring = Image.new("L", small.size, 255)
    ring.paste(0, (3, 3, max(4, width - 3), max(4, height - 3)))
    statistic = ImageStat.Stat(small, ring)
    if max(statistic.stddev) > _PLAIN:
        return None
    ground = Image.new("RGB", small.size, tuple(statistic.median))
    difference = ImageChops.difference(small, ground).convert("L")
    clear = difference.point([0] * _CLEAR + [255] * (256 - _CLEAR))
    # What the ground does not reach from the border belongs to the figure, whatever its colour.
    padded = Image.new("L", (width + 2, height + 2))
    padded.paste(clear, (1, 1))
    ImageDraw.floodfill(padded, (0, 0), 128)
    mask = padded.crop((1, 1, width + 1, height + 1)).point([255] * 128 + [0] + [255] * 127)
    covered = ImageStat.Stat(mask).mean[0] / 255
    if not 0.04 < covered < 0.8:
        return None
    return mask.filter(ImageFilter.GaussianBlur(0.7)).resize(image.size, Image.Resampling.BICUBIC)


def _middle(picture: Image.Image) -> Image.Image:
    """The upright part of a wide picture around what it shows."""
    part = picture.height * _PORTRAIT
    left = min(max(0.0, centre_of(picture) * picture.width - part / 2), picture.width - part)
    return picture.crop((round(left), 0, round(left + part), picture.height))


def centre_of(picture: Image.Image) -> float:
    """The place of what differs most from the left and right edges, as a share of the width."""
    small = picture.copy()
    small.thumbnail((_SAMPLE, _SAMPLE))
    width, height = small.size
    edges = [small.crop(box).resize((1, height)) for box in ((0, 0, 4, height), (width - 4, 0, width, height))]
    ground = Image.blend(edges[0], edges[1], 0.5).resize(small.size)
    weights = ImageChops.difference(small, ground).convert("L").resize((width, 1), Image.Resampling.BOX).tobytes()
    total = sum(weights)
    return sum((x + 0.5) * weight for x, weight in enumerate(weights)) / total / width if total else 0.5
