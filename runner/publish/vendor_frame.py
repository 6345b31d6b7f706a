"""The provider's own picture of a clip's end: used only if it is a PNG of the clip's own size. Pure."""

import struct

from runner.requests.fetched import Fetched, NotFetched

_PNG = b"\x89PNG\r\n\x1a\n"


def is_last_frame(answer: Fetched | NotFetched, width: int, height: int) -> bool:
    """Whether an address returned a PNG of `width` × `height` pixels."""
    if isinstance(answer, NotFetched) or answer.status not in (200, 206):
        return False
    head = answer.head
    if not head.startswith(_PNG) or head[12:16] != b"IHDR" or len(head) < 24:
        return False
    return struct.unpack(">II", head[16:24]) == (width, height)
