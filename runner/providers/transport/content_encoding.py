"""Decoding of compressed answers, bounded in size: some proxies compress although `identity` was asked for. Pure."""

import zlib
from collections.abc import Iterable

_WINDOW_BITS = {
    "gzip": (zlib.MAX_WBITS | 16,),
    "x-gzip": (zlib.MAX_WBITS | 16,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),  # the standard says zlib's format; some servers send bare deflate
}
_GZIP_START = b"\x1f\x8b\x08"
# Members of one gzip body that are read: each costs a copy of what follows it.
_MAX_MEMBERS = 64


def decoded(body: bytes, headers: Iterable[tuple[str, str]], max_bytes: int) -> bytes:
    """Decode a body by its `Content-Encoding`, or by its first bytes where that is missing, bounded.

    The result has at most one byte more than `max_bytes`.

    What cannot be decoded stays as it is: whether a body means anything is for its parser to say.
    """
    values = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    for encoding in reversed([part.strip().lower() for part in values.split(",")]):
        for window_bits in _WINDOW_BITS.get(encoding, ()):
            if decompressed := _decompressed(body, window_bits, max_bytes + 1):
                body = decompressed
                break
    # Some proxies compress and do not say so.
    if body.startswith(_GZIP_START):
        return _decompressed(body, zlib.MAX_WBITS | 16, max_bytes + 1) or body
    return body


def _decompressed(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    """The members of a body behind each other, as gzip allows; what follows the last one is left out."""
    content = b""
    try:
        for _ in range(_MAX_MEMBERS):
            if not body or len(content) >= max_bytes:
                break
            member = zlib.decompressobj(window_bits)
            content += member.decompress(body, max_bytes - len(content))
            body = member.unused_data
    except zlib.error:
        pass  # bytes behind the last member are none
    return content
