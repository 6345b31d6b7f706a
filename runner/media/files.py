"""Inspection of a media file: kind and format by content, size, length, hash; safe for untrusted bytes."""

import os
import stat
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.files.reading import hash_file
from runner.lazy_dataclass import dataclass
from runner.media.open_media import open_media
from runner.requests.request import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from PIL import Image
    from PIL.ImageFile import ImageFile

MAX_BYTES = 200 << 20
"""Larger files are not inspected: the API accepts none, and reading would only cost time."""
MAX_PICTURE_PIXELS = 64_000_000
"""An 8K picture has 33 million; a small file with more may be a decompression bomb."""
# Bound of the work on one file: far more packets than 200 MB of real media have.
_MAX_PACKETS = 2_000_000

known_endings: Mapping[str, Kind] = MappingProxyType(
    {
        ".jpg": "image",
        ".jpeg": "image",
        ".png": "image",
        ".webp": "image",
        ".mp4": "video",
        ".mp3": "audio",
        ".wav": "audio",
        ".flac": "audio",
        ".ogg": "audio",
        ".oga": "audio",
        ".opus": "audio",
        ".m4a": "audio",
        ".aac": "audio",
    }
)
"""File endings (lower case, with the dot) of materials, and the kind of each."""

# Endings that are not the name of their format.
_FORMAT_OF_ENDING = {".jpg": "jpeg", ".oga": "ogg", ".opus": "ogg"}
_KIND_OF_FORMAT: Mapping[str, Kind] = {
    _FORMAT_OF_ENDING.get(ending, ending[1:]): kind for ending, kind in known_endings.items()
}
# ffmpeg's reader by the format: without a name it would try all of its readers on a stranger's bytes.
_DEMUXERS = {"mp4": "mov", "m4a": "mov"}


class UnsupportedMedia(Exception):  # noqa: N818 - describes a file; not always an error
    """The file cannot be sent as a material; `message` follows the file's name: "is a GIF picture; …"."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Measurements of a file: size of pictures (as displayed) and videos (as coded), seconds of videos and audio."""

    kind: Kind
    format: str
    """jpeg, png, webp, mp4, mp3, wav, flac, ogg, m4a or aac."""
    sha256: str
    bytes: int
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    """To the millisecond."""


def inspect(path: Path, handle: int | None = None) -> MediaFacts:
    """Inspect a file through one descriptor, so that a rename or replacement meanwhile has no effect.

    `handle` is the descriptor of a file that the caller has opened; `inspect` closes it and uses the path only as a
    name. Raises UnsupportedMedia for a type that the API does not accept, a damaged file or a wrong file ending, and
    OSError for an unreadable file.
    """
    with _open_checked(path, handle) as (file, size):
        name = sniff(file.read(64))
        _check_ending(path, name, sniffed=True)
        sha256 = hash_file(file)
        kind = _KIND_OF_FORMAT[name]
        if kind == "image":
            return MediaFacts(kind, name, sha256, size, *_picture_size(file, name))
        name, frame, seconds = _media_length(file, name)
        _check_ending(path, name)
        width, height = frame or (None, None)
        return MediaFacts(_KIND_OF_FORMAT[name], name, sha256, size, width, height, seconds)


@contextmanager
def _open_checked(path: Path, handle: int | None) -> "Iterator[tuple[BufferedReader, int]]":
    if handle is None:
        # Without O_NONBLOCK, open() would wait for ever on a named pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise UnsupportedMedia("is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file")
    with os.fdopen(handle, "rb") as file:
        if status.st_size == 0:
            raise UnsupportedMedia("is empty")
        if status.st_size > MAX_BYTES:
            raise UnsupportedMedia(f"has {status.st_size / 1e6:,.0f} MB; more than {MAX_BYTES >> 20} MB cannot be sent")
        yield file, status.st_size


def sniff(head: bytes) -> str:
    """Return the format by the first 64 bytes, or raise UnsupportedMedia; an `mp4` may turn out to be `m4a` later."""
    for name, signatures in _SIGNATURES.items():
        if any(head[offset : offset + len(signature)] == signature for offset, signature in signatures):
            return name if name in _KIND_OF_FORMAT else _reject(name)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return _sniff_boxes(head[8:12])
    # MPEG sound without a tag: the bits of its layer, none for AAC, tell the two apart.
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return _reject(_guess_text(head))


def kind_of_head(head: bytes) -> Kind:
    """The kind of a file by its first bytes; M4A audio may look like a video. Raises UnsupportedMedia."""
    return _KIND_OF_FORMAT[sniff(head)]


# What is refused as well, so that a message can name it; the first that fits counts.
_SIGNATURES: Mapping[str, tuple[tuple[int, bytes], ...]] = {
    "jpeg": ((0, b"\xff\xd8\xff"),),
    "png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "mp3": ((0, b"ID3"),),
    "flac": ((0, b"fLaC"),),
    "ogg": ((0, b"OggS"),),
    "a GIF picture": ((0, b"GIF87a"), (0, b"GIF89a")),
    "a BMP picture": ((0, b"BM"),),
    "a TIFF picture": ((0, b"II*\0"), (0, b"MM\0*")),
    "a WebM or Matroska video": ((0, b"\x1a\x45\xdf\xa3"),),
    "an AVI video": ((8, b"AVI LIST"),),
    "a QuickTime movie": ((4, b"ftypqt"), (4, b"moov"), (4, b"mdat"), (4, b"wide")),
    "a PDF": ((0, b"%PDF"),),
    "a Photoshop file": ((0, b"8BPS"),),
    "a ZIP archive": ((0, b"PK\x03\x04"),),
    "a Git LFS pointer (run: git lfs pull)": ((0, b"version https://git-lfs"),),
}
# Pictures that begin as an MP4 does.
_PICTURE_BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF picture"}


def _sniff_boxes(brand: bytes) -> str:
    if brand in _PICTURE_BRANDS:
        return _reject(_PICTURE_BRANDS[brand])
    if brand[:3] in (b"hei", b"hev", b"mif", b"msf"):
        return _reject("a HEIC picture")
    return "mp4"


def _guess_text(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML text"
    return "text" if start and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start) else ""


def _reject(description: str) -> str:
    supported = "materials are JPEG, PNG and WebP pictures, MP4 videos, and MP3, WAV, FLAC, OGG, M4A or AAC audio"
    raise UnsupportedMedia(
        f"is {description}; {supported}" if description else f"is not a known media format; {supported}"
    )


def _check_ending(path: Path, name: str, sniffed: bool = False) -> None:
    ending = path.suffix.lower()
    if ending not in known_endings:
        return
    expected = _FORMAT_OF_ENDING.get(ending, ending[1:])
    # The first bytes of a video and of M4A audio may be the same; the tracks decide later.
    if name != expected and not (sniffed and (name, expected) == ("mp4", "m4a")):
        raise UnsupportedMedia(f"holds {_with_article(name)}, though its name ends in {ending}")


def _with_article(name: str) -> str:
    names = {"mp4": "an MP4 video", "m4a": "M4A audio", "jpeg": "a JPEG picture", "png": "a PNG picture"}
    return names.get(name, "a WebP picture" if name == "webp" else f"{name.upper()} audio")


def _picture_size(file: BufferedReader, name: str) -> tuple[int, int]:
    """Return width and height as displayed, after reading the picture to its end."""
    import struct

    from PIL import Image, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin

    file.seek(0)
    try:
        if name == "webp":
            _check_pixels(*_webp_size(file))
            picture: ImageFile = WebPImagePlugin.WebPImageFile(file)
        else:
            # The plug-in itself: Image.open would warn about large pictures, and _check_pixels has a stricter limit.
            plugin = PngImagePlugin.PngImageFile if name == "png" else JpegImagePlugin.JpegImageFile
            picture = plugin(file)
        width, height = picture.size
        _check_pixels(width, height)
        exif = _png_exif(file) if name == "png" else picture.getexif()
        # The four of the eight orientations that lie on their side.
        if exif.get(_ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        file.seek(0)
        _read_to_the_end(plugin(file) if name == "png" else picture, name)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error, EOFError) as error:
        raise UnsupportedMedia("is a damaged or cut-off picture") from error
    except (UnidentifiedImageError, Image.DecompressionBombError, OverflowError, MemoryError) as error:
        raise UnsupportedMedia("is a picture that cannot be opened") from error
    return width, height


# The tag of EXIF that tells how a camera was held.
_ORIENTATION = 0x0112
# Bytes of a segment in a JPEG, which is as much as EXIF can have there.
_MAX_EXIF = 64 * 1024


def _png_exif(file: BufferedReader) -> "Image.Exif":
    """EXIF data of a PNG from its chunk, wherever it stands: Pillow would decode the picture to find a late one."""
    from PIL import Image

    exif = Image.Exif()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"eXIf" and length <= _MAX_EXIF:
            with suppress(SyntaxError, ValueError, KeyError, IndexError, OSError):  # what cannot be read turns nothing
                exif.load(file.read(length))
            break
        file.seek(length + 4, 1)
    return exif


def _read_to_the_end(picture: "ImageFile", name: str) -> None:
    if name == "png":
        picture.verify()
        return
    if name == "jpeg":
        # Read to its end, but decoded at an eighth of its size: only whether it is whole counts.
        picture.draft("RGB", (max(1, picture.width // 8), max(1, picture.height // 8)))
    picture.load()


def _check_pixels(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnsupportedMedia("is a picture without a size")
    if width * height > MAX_PICTURE_PIXELS:
        raise UnsupportedMedia(
            f"is a picture of {width} × {height}; more than {MAX_PICTURE_PIXELS // 10**6} million pixels are refused"
        )


def _webp_size(file: BufferedReader) -> tuple[int, int]:
    """Parse the size from the header by hand: the decoder would allocate its canvas before the size can be checked."""
    import struct

    head = file.read(30)
    file.seek(0)
    chunk = head[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no WebP chunk")


def _media_length(file: BufferedReader, name: str) -> tuple[str, tuple[int, int] | None, Decimal]:
    """Return format (an MP4 without video is an M4A), frame size, and seconds by the packets, not by the header."""
    from av.error import FFmpegError

    file.seek(0)
    try:
        with open_media(file, _DEMUXERS.get(name, name)) as container:
            # 0x400 marks a cover picture, which many sound files have.
            video_streams = [stream for stream in container.streams.video if not int(stream.disposition) & 0x400]
            if any(stream.codec_context is None for stream in video_streams):
                raise UnsupportedMedia("has a video track in an unsupported format")
            if name == "mp4" and video_streams:
                stream = video_streams[0]
                size = (stream.width, stream.height)
                _check_pixels(*size)
                return "mp4", size, _seconds(container, stream)
            if not container.streams.audio:
                raise UnsupportedMedia("has neither video nor audio")
            return ("m4a" if name == "mp4" else name), None, _seconds(container, container.streams.audio[0])
    except (FFmpegError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise UnsupportedMedia("is damaged or cut off: its audio or video cannot be read") from error


def _seconds(container: "av.container.InputContainer", stream: "av.VideoStream | av.AudioStream") -> Decimal:
    start: int | None = None
    end = count = 0
    for packet in container.demux(stream):
        timestamp = packet.dts if packet.pts is None else packet.pts
        if timestamp is None:
            continue
        start = timestamp if start is None else min(start, timestamp)
        end = max(end, timestamp + (packet.duration or 0))
        count += 1
        if count > _MAX_PACKETS:
            raise UnsupportedMedia("is longer than anything that can be sent")
    # Packets before 0 are the encoder's lead-in, which players skip.
    length = (end - max(0, start or 0)) * (stream.time_base or 0)
    if length <= 0:
        raise UnsupportedMedia("has no length: nothing in it can be played")
    return Decimal(round(length * 1000)) / 1000
