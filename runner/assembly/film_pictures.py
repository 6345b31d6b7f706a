"""The pictures of an encoded film: each part's frames at the film's rate, fitted into its size with bars."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from runner.animatic.fonts import Environment
from runner.animatic.planes import Planes, planes_of, planes_of_frame
from runner.assembly.film_shape import fitted
from runner.assembly.parts import AssemblyError, FilmShape, Part
from runner.assembly.slate import slate_picture
from runner.assembly.sources import film_stream, open_source
from runner.lazy_dataclass import dataclass
from runner.media.clip import MAX_PIXELS

if TYPE_CHECKING:
    import av

# Luma and chroma of black in limited range.
_BLACK = (16, 128, 128)
_ROTATIONS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """The place of a part in the film: the number of its first frame, its frames, and the second it begins at."""

    first: int
    count: int
    offset: Fraction
    file_begin: Fraction = Fraction(0)
    """The moment of a clip's file that is second 0 of the clip."""


def frames_of(part: Part, shape: FilmShape, span: FrameSpan, environment: Environment) -> Iterator["av.VideoFrame"]:
    """The frames of a part; `environment` is that of fontconfig, for slates.

    A clip that ends early goes on with its last frame. Raises AssemblyError for a file that cannot be shown.
    """
    if part.kind == "clip":
        yield from _clip_frames(part, shape, span)
        return
    image = slate_picture(part, shape, environment) if part.kind == "slate" else _still(part, shape)
    frame = planes_of(image).frame()
    for _ in range(span.count):
        yield frame


def _clip_frames(part: Part, shape: FilmShape, span: FrameSpan) -> Iterator["av.VideoFrame"]:
    """The clip's frame that is shown at the moment of each frame of the film."""
    start = part.start + span.file_begin
    frames = _decoded(part, start)
    current = next(frames, None)
    if current is None:
        assert part.path is not None
        raise AssemblyError("has no frame in the used range", part.path)
    following = next(frames, None)
    picture = _fit(current[1], shape)
    for number in range(span.first, span.first + span.count):
        # A quarter of a frame forgives time stamps that were rounded.
        moment = start + number / shape.rate - span.offset + 1 / shape.rate / 4
        changed = False
        while following is not None and following[0] <= moment:
            current, following, changed = following, next(frames, None), True
        # Once for each frame of the clip: a film of a higher rate shows it several times.
        if changed:
            picture = _fit(current[1], shape)
        yield picture


def _decoded(part: Part, start: Fraction) -> Iterator[tuple[Fraction, "av.VideoFrame"]]:
    """The clip's frames with their seconds in the file, from the one that is shown at `start`; ends at damage."""
    from av.error import FFmpegError

    assert part.path is not None
    with open_source(part.path) as container:
        stream = film_stream(container)
        if stream is None or stream.codec_context is None:
            return
        stream.thread_type = "AUTO"
        base = stream.time_base or Fraction(1)
        # Backward, to a key frame: from one behind the start, the first frames of the range would be missing.
        if start > 1:
            container.seek(int(start / base), stream=stream, backward=True, any_frame=False)
        before: tuple[Fraction, av.VideoFrame] | None = None
        begun = False
        try:
            for frame in container.decode(stream):
                # Again for each frame: a file may change its size after the headers that were checked.
                if frame.width * frame.height > MAX_PIXELS:
                    return
                seconds = (frame.pts or 0) * base
                if not begun and seconds <= start:
                    before = (seconds, frame)
                    continue
                if not begun and before is not None:
                    yield before
                begun = True
                if seconds >= start + part.seconds:
                    return
                yield seconds, frame
        except (FFmpegError, ValueError):
            # Damage ends the clip early, and the film goes on with its last whole frame.
            pass
        if not begun and before is not None:
            yield before


def _fit(frame: "av.VideoFrame", shape: FilmShape) -> "av.VideoFrame":
    """A decoded frame in the film's size, upright, in BT.709 and limited range."""
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    upright = (frame.width, frame.height) if frame.rotation % 180 == 0 else (frame.height, frame.width)
    if _fits(frame, shape):
        return frame
    size = fitted(upright, shape)
    lying = size if frame.rotation % 180 == 0 else (size[1], size[0])
    stated = frame.colorspace if frame.colorspace not in (0, 2) else None
    # As players guess where a file does not say: HD is BT.709, anything smaller BT.601.
    source = stated or (Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601)
    scaled = frame.reformat(
        *lying,
        format="yuv420p",
        src_colorspace=source,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC,
    )
    if frame.rotation == 0 and size == (shape.width, shape.height):
        return scaled
    return _on_black(_turned(planes_of_frame(scaled), frame.rotation), shape).frame()


def _fits(frame: "av.VideoFrame", shape: FilmShape) -> bool:
    return (
        (frame.width, frame.height) == (shape.width, shape.height)
        and frame.format.name == "yuv420p"
        and frame.rotation == 0
        and frame.colorspace in (1, 2)
    )


def _turned(planes: Planes, rotation: int) -> Planes:
    way = _ROTATIONS.get(rotation % 360)
    if way is None:
        return planes
    return Planes(planes.y.transpose(way), planes.u.transpose(way), planes.v.transpose(way))


def _on_black(planes: Planes, shape: FilmShape) -> Planes:
    half = (shape.width // 2, shape.height // 2)
    black = Planes(
        Image.new("L", (shape.width, shape.height), _BLACK[0]),
        Image.new("L", half, _BLACK[1]),
        Image.new("L", half, _BLACK[2]),
    )
    # Even numbers: a sample of colour belongs to two by two pixels.
    left, top = (shape.width - planes.size[0]) // 4 * 2, (shape.height - planes.size[1]) // 4 * 2
    black.paste(planes, (left, top), None)
    return black


def _still(part: Part, shape: FilmShape) -> Image.Image:
    """A picture file, upright, with bars. Raises AssemblyError."""
    assert part.path is not None
    try:
        with Image.open(part.path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise AssemblyError("is too large a picture", part.path)
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise AssemblyError("is no picture or is damaged", part.path) from error
    return ImageOps.pad(image, (shape.width, shape.height), color=(0, 0, 0))
