"""Posters: a small picture of a range of a clip, kept in a cache folder by the clip's hash."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from runner.assembly.clip_picture import ClipRange, clip_picture
from runner.lazy_dataclass import dataclass
from runner.media.clip import MAX_PIXELS

# Clips that are decoded at once: the decoder leaves the interpreter, so that two cores work.
_AT_ONCE = 2
# Each format counts on a scale of its own.
_QUALITY = {"jpg": 78, "webp": 52}
# What a whole file of each format begins and ends with.
_MAGIC = {"jpg": (b"\xff\xd8", b"\xff\xd9"), "webp": (b"RIFF", b"")}
# Counted up when another picture is taken or it is drawn otherwise: a poster that is kept is of the present rule.
_RULE = 3
# Seconds of film that all clips of a film together may be decoded for: less than 20 s of CPU at 720p.
_DECODED_SECONDS = 150
# Less is too near the beginning.
_LEAST_REACH = Fraction(1, 2)
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
    span: ClipRange | None
    """The part of the clip that the film shows; None for a picture file."""
    width: int
    """Pixels; the height follows."""
    form: Literal["jpg", "webp"] = "jpg"
    """WebP has no tables of its own: of a picture as small as a stamp it takes a third of a JPEG."""

    @property
    def name(self) -> str:
        """The name under which the poster is kept: whatever decides its pixels."""
        numbers: list[Fraction] = []
        if self.span is not None:
            numbers = [self.span.begin, self.span.seconds, min(self.span.reach, self.span.seconds / 2)]
        moment = "-".join(str(round(number * 1000)) for number in numbers) or "still"
        return f"{self.sha256}-{moment}-{self.width}-{_RULE}.{self.form}"


def reach(clips: int) -> Fraction:
    """The reach for the picture of each clip of a film: the middle of its range, unless the clips are many.

    In steps, so that a film that grows by a clip seldom loses all its posters.
    """
    return max(_LEAST_REACH, Fraction(_DECODED_SECONDS * 2 // max(1, clips), 2))


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
    file_path = cache / request.name if cache else None
    if file_path is not None and request.sha256:
        content = _read(file_path)
        if content is not None:
            return content
    image = (
        _still(request.path, request.width)
        if request.span is None
        else clip_picture(request.path, request.span, request.width)
    )
    if image is None:
        return None
    file = io.BytesIO()
    image.save(file, format="WEBP" if request.form == "webp" else "JPEG", quality=_QUALITY[request.form])
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


def _still(path: Path, width: int) -> Image.Image | None:
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            image = ImageOps.exif_transpose(opened).convert("RGB")
            size = (width, max(1, round(image.height * width / image.width)))
            # `reducing_gap` shrinks in whole steps first, which is quicker than to filter every pixel of a picture.
            return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
