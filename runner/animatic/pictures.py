"""Keyframe mode: the first and last frame as opening and closing picture, with a move between."""

from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from runner.animatic.camera import MARGIN, Camera, CameraView, window
from runner.animatic.cards import address_picture
from runner.animatic.planes import Planes, planes_of
from runner.animatic.spec import AnimaticSpec
from runner.lazy_dataclass import dataclass

# Start and end of the dissolve from the first picture to the last, as shares of the clip.
_DISSOLVE = (0.34, 0.7)


@dataclass(frozen=True, slots=True)
class Pictures:
    """One or two pictures, each larger than the frame by the camera's margin."""

    size: tuple[int, int]
    seconds: int
    first: Planes
    last: Planes | None

    def shoot(self, planes: Planes, camera: Camera, moment: float) -> None:
        """Paint the frame of a moment: exactly the first picture at 0, exactly the last one at the end."""
        planes.paste(self._picture(camera, moment), (0, 0), None)

    def _picture(self, camera: Camera, moment: float) -> Planes:
        view = camera.view(moment)
        start, end = _DISSOLVE
        share = min(1.0, max(0.0, (moment / self.seconds - start) / (end - start)))
        share = share * share * (3 - 2 * share)
        if self.last is None or share == 0:
            return self._crop(self.first, view.since(camera.view(0)))
        closing = self._crop(self.last, view.since(camera.view(self.seconds)))
        if share == 1:
            return closing
        return self._crop(self.first, view.since(camera.view(0))).blend(closing, share)

    def _crop(self, picture: Planes, view: CameraView) -> Planes:
        return picture.crop(window(view, 1, self.size, picture.y.size), self.size)


def pictures_of(spec: AnimaticSpec, size: tuple[int, int]) -> Pictures | None:
    """The pictures of a spec in keyframe mode, else None."""
    first = _picture(spec.first, spec.first_address, size)
    last = _picture(spec.last, spec.last_address, size)
    if first is None:
        return None if last is None else Pictures(size, spec.seconds, last, None)
    return Pictures(size, spec.seconds, first, last)


def _picture(path: Path | None, address: str, size: tuple[int, int]) -> Planes | None:
    if path is None and not address:
        return None
    image = open_picture(path, size) if path else None
    if image is None:
        image = address_picture(address or "a picture that cannot be read", size)
    return planes_of(extend(fit(image, size)))


def open_picture(path: Path, size: tuple[int, int]) -> Image.Image | None:
    """A picture the right way up in RGB, not much larger than `size`; None when the file cannot be read."""
    image = open_picture_with_alpha(path, size)
    return None if image is None else flatten(image)


def open_picture_with_alpha(path: Path, size: tuple[int, int]) -> Image.Image | None:
    """A picture like that of `open_picture`, in RGBA where parts of it are transparent."""
    try:
        # The three kinds that the API takes: none of Pillow's other readers sees a file from outside.
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as file:
            file.draft("RGB", (size[0] * 2, size[1] * 2))
            image = ImageOps.exif_transpose(file)
            return image.convert("RGBA") if _is_transparent(image) else flatten(image)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, Image.DecompressionBombError):
        return None


def flatten(image: Image.Image) -> Image.Image:
    """The image in RGB, transparent parts on a light background."""
    if _is_transparent(image):
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (226, 224, 218, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    if image.mode.startswith("I;16"):
        # Pillow cuts 16 bits off at 255 instead of scaling them.
        image = image.convert("I").point([value >> 8 for value in range(65_536)], "L")
    return image.convert("RGB")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture over the whole frame: cropped when the shapes are similar, else whole on a blurred copy of itself."""
    shapes = (image.width / image.height) / (size[0] / size[1])
    covering = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    # A fifth of a picture can be cut off; with more of it heads would go.
    if 0.8 < shapes < 1.25:
        return covering
    ground = covering.reduce(8).filter(ImageFilter.GaussianBlur(max(2, size[1] / 160))).resize(size)
    ground = Image.blend(ground, Image.new("RGB", size, (12, 14, 20)), 0.35)
    whole = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return ground


def extend(image: Image.Image) -> Image.Image:
    """The picture with a mirrored, blurred margin all around, for the camera to move in."""
    width, height = image.size
    dx, dy = (round(side * MARGIN / 2) * 2 for side in image.size)
    canvas = Image.new("RGB", (width + 2 * dx, height + 2 * dy))
    flipped = ImageOps.mirror(image)
    row = Image.new("RGB", (width + 2 * dx, height))
    row.paste(flipped.crop((width - dx, 0, width, height)), (0, 0))
    row.paste(flipped.crop((0, 0, dx, height)), (width + dx, 0))
    row.paste(image, (dx, 0))
    upside = ImageOps.flip(row)
    canvas.paste(upside.crop((0, height - dy, row.width, height)), (0, 0))
    canvas.paste(upside.crop((0, 0, row.width, dy)), (0, height + dy))
    # The picture itself lies under the blur as well, else its edges would run into black.
    canvas.paste(row, (0, dy))
    canvas = canvas.reduce(4).filter(ImageFilter.GaussianBlur(3)).resize(canvas.size)
    canvas.paste(row, (0, dy))
    canvas.paste(image, (dx, dy))
    return canvas
