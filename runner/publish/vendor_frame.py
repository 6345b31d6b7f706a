"""The provider's own picture of a clip's end: used only if it is the same picture, as a PNG of the clip's size."""

import io
import struct

from runner.requests.fetched import Fetched, NotFetched

MAX_BYTES = 64 << 20
"""Bytes of a picture that are read, at most."""
_PNG = b"\x89PNG\r\n\x1a\n"
# Pixels at which two pictures are compared: at this size another encoding of one picture is the same picture.
_SMALL = (32, 32)
# Mean difference of the colours (0 to 255) of two small copies, up to which they are one picture: a clip is lossy.
_TOLERANCE = 12.0


def is_last_frame(answer: Fetched | NotFetched, width: int, height: int) -> bool:
    """Whether an address returned a PNG of `width` × `height` pixels."""
    if isinstance(answer, NotFetched) or answer.status not in (200, 206):
        return False
    head = answer.head
    if not head.startswith(_PNG) or head[12:16] != b"IHDR" or len(head) < 24:
        return False
    return struct.unpack(">II", head[16:24]) == (width, height)


def is_same_picture(named: bytes, cut: bytes) -> bool:
    """Whether the provider's PNG shows what was cut from the clip; False for one that does not decode."""
    from PIL import Image, ImageChops, ImageStat

    try:
        small = [Image.open(io.BytesIO(data), formats=("PNG",)).convert("RGB").resize(_SMALL) for data in (named, cut)]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    difference = ImageStat.Stat(ImageChops.difference(*small)).mean
    return sum(difference) / len(difference) <= _TOLERANCE
