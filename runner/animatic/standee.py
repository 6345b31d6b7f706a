"""Pictures of people and things, cut out as far as that can be told, so that they stand in a place."""

from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from runner.animatic.pictures import open_picture_with_alpha

# Longest side of the small picture on which edges are looked at.
_SAMPLE = 128
# Largest deviation of the border's colours of a picture on a plain ground.
_PLAIN = 20
# Least difference from the ground's colour of what stands before it.
_CLEAR = 30
# Shape (width / height) of a person's part of a wide picture.
_PORTRAIT = 0.62


def standee(path: Path, tall: int, *, is_person: bool) -> tuple[Image.Image, Image.Image] | None:
    """The picture and its mask, `tall` pixels high, in even numbers; None for a file that cannot be read.

    A transparent picture keeps its outline; one on a plain ground is cut out; of another the middle is shown, with
    soft edges.
    """
    image = open_picture_with_alpha(path, (tall * 2, tall * 2))
    if image is None:
        return None
    mask = _outline(image)
    picture = image.convert("RGB")
    if mask is None:
        if is_person and picture.width > picture.height * _PORTRAIT:
            picture = _middle(picture)
        mask = _soft_edges(picture.size)
    else:
        box = mask.getbbox() or (0, 0, *mask.size)
        picture, mask = picture.crop(box), mask.crop(box)
    height = max(2, round(tall / 2) * 2)
    width = max(2, round(picture.width / picture.height * height / 2) * 2)
    scaled = mask.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if scaled.height > mask.height:
        scaled = scaled.filter(ImageFilter.GaussianBlur(height / mask.height))
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0), scaled


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
    """The upright part of a wide picture around what differs most from its left and right edges."""
    small = picture.copy()
    small.thumbnail((_SAMPLE, _SAMPLE))
    width, height = small.size
    edges = [small.crop(box).resize((1, height)) for box in ((0, 0, 4, height), (width - 4, 0, width, height))]
    ground = Image.blend(edges[0], edges[1], 0.5).resize(small.size)
    weights = ImageChops.difference(small, ground).convert("L").resize((width, 1), Image.Resampling.BOX).tobytes()
    total = sum(weights) or 1
    centre = sum((x + 0.5) * weight for x, weight in enumerate(weights)) / total / width if sum(weights) else 0.5
    part = picture.height * _PORTRAIT
    left = min(max(0.0, centre * picture.width - part / 2), picture.width - part)
    return picture.crop((round(left), 0, round(left + part), picture.height))


def _soft_edges(size: tuple[int, int]) -> Image.Image:
    """A mask that fades at its sides and its top, and less at its foot."""
    small = (max(8, size[0] * 64 // max(size)), max(8, size[1] * 64 // max(size)))
    mask = Image.new("L", small)
    edge = max(2, min(small) // 7)
    ImageDraw.Draw(mask).rounded_rectangle((edge, edge, small[0] - 1 - edge, small[1] - 1), radius=edge * 2, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(edge / 2)).resize(size, Image.Resampling.BICUBIC)
