"""Posters: a small picture of a clip at a moment, kept in a cache folder by the clip's hash."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageOps

from runner.assembly.sources import film_stream, open_source
from runner.lazy_dataclass import dataclass
from runner.media.clip import MAX_PIXELS
from runner.media.frames import image_of

if TYPE_CHECKING:
    import av

# Clips that are decoded at once: the decoder leaves the interpreter, so that two cores work.
_AT_ONCE = 2
# Each format counts on a scale of its own.
_QUALITY = {"jpg": 78, "webp": 52}
# What a whole file of each format begins and ends with.
_MAGIC = {"jpg": (b"\xff\xd8", b"\xff\xd9"), "webp": (b"RIFF", b"")}
CACHE_BYTES = 200_000_000
"""The size above which the cache loses the posters that were used least recently."""
# The part of `CACHE_BYTES` that is left then, so that not every command has to remove some.
_KEPT_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class PosterRequest:
    """A picture to take from a file."""

    path: Path
    sha256: str
    """Hash of the file, under which the poster is kept; "" keeps it nowhere."""
    seconds: Fraction
    """The moment in the clip; of a picture file it means nothing."""
    width: int
    """Pixels; the height follows."""
    is_picture: bool = False
    form: Literal["jpg", "webp"] = "jpg"
    """WebP has no tables of its own: of a picture as small as a stamp it takes a third of a JPEG."""


def posters(
    requests: Sequence[PosterRequest], cache: Path | None, cache_bytes: int = CACHE_BYTES
) -> list[bytes | None]:
    """The posters as files, in order; None for a file that cannot be decoded. `cache` None keeps nothing.

    The cache ends with at most `cache_bytes`.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        taken = list(pool.map(lambda request: _poster(request, cache), requests))
    if cache is not None:
        _prune(cache, cache_bytes)
    return taken


def _prune(cache: Path, cache_bytes: int) -> None:
    """Remove the posters that were used least recently, where the cache has become too large."""
    # Another command may remove the same posters at this moment.
    with suppress(OSError):
        with os.scandir(cache) as entries:
            files = [(entry.stat(follow_symlinks=False), entry.path) for entry in entries]
        total = sum(status.st_size for status, _ in files)
        if total <= cache_bytes:
            return
        for status, path in sorted(files, key=lambda file: (file[0].st_mtime_ns, file[1])):
            if total <= cache_bytes * _KEPT_SHARE:
                return
            os.unlink(path)
            total -= status.st_size


def _poster(request: PosterRequest, cache: Path | None) -> bytes | None:
    name = f"{request.sha256}-{round(request.seconds * 1000)}-{request.width}.{request.form}"
    file_path = cache / name if cache else None
    if file_path is not None and request.sha256:
        content = _read(file_path)
        if content is not None:
            return content
    image = _still(request.path) if request.is_picture else _picture_at(request.path, request.seconds)
    if image is None:
        return None
    height = max(1, round(image.height * request.width / image.width))
    file = io.BytesIO()
    # `reducing_gap` shrinks in whole steps first, which is quicker than to filter every pixel of a frame.
    image.resize((request.width, height), Image.Resampling.LANCZOS, reducing_gap=2.0).save(
        file, format="WEBP" if request.form == "webp" else "JPEG", quality=_QUALITY[request.form], optimize=True
    )
    content = file.getvalue()
    if file_path is not None and request.sha256:
        _keep(file_path, content)
    return content


def _read(file_path: Path) -> bytes | None:
    """A kept poster; None where it is missing or no picture. Reading makes it the one that was used last."""
    try:
        content = file_path.read_bytes()
        os.utime(file_path)
    except OSError:
        return None
    begin, end = _MAGIC[file_path.suffix[1:]]
    return content if content.startswith(begin) and content.endswith(end) else None


def _keep(file_path: Path, content: bytes) -> None:
    """Keep a poster; where the cache cannot be written, the next command makes it anew."""
    # A command that reads the poster meanwhile sees the whole file or none.
    part = file_path.with_name(f".{file_path.name}.part")
    try:
        file_path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(file_path)
    except OSError:
        return


def _still(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _picture_at(path: Path, seconds: Fraction) -> Image.Image | None:
    """The picture that is shown at a moment; None where nothing can be decoded."""
    from av.error import FFmpegError

    from runner.assembly.parts import AssemblyError

    try:
        with open_source(path) as container:
            stream = film_stream(container)
            if stream is None or stream.codec_context is None:
                return None
            base = stream.time_base or Fraction(1)
            # Decoding can begin only at the key picture before the moment.
            container.seek(max(0, int(seconds / base)), stream=stream, backward=True, any_frame=False)
            picture: av.VideoFrame | None = None
            for frame in container.decode(stream):
                if frame.width * frame.height > MAX_PIXELS:
                    return None
                if picture is not None and (frame.pts or 0) * base > seconds:
                    break
                picture = frame
            return _upright(picture) if picture is not None else None
    except (AssemblyError, FFmpegError, OSError, ValueError):
        return None


def _upright(frame: "av.VideoFrame") -> Image.Image:
    image = image_of(frame)
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
