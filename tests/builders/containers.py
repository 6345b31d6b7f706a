"""Clips with what containers may hold beside a plain film: covers, edit lists, turned pictures, chapters, sound."""

import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Disposition
from PIL import Image

from runner.media.frames import frame_of
from tests.builders import media_files
from tests.builders.scheduling import ordinary_scheduling

FPS = 24
SIZE = (128, 72)
ONCE = 0x10000
"""The speed of an edit: as recorded."""
_MATRIX_PLACES = {b"tkhd": 44, b"mvhd": 40}
_TURNS = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def film(
    path: Path,
    codec: str = "libx264",
    seconds: int = 2,
    sound: tuple[float, float] | None = None,
    prepare: Callable[["av.container.OutputContainer"], object] | None = None,
    **options: str,
) -> Path:
    """A film of 24 pictures a second; `sound` is where a track of silence begins and ends; options are the muxer's."""
    form = options.pop("format", "mp4")
    with ordinary_scheduling(), av.open(str(path), "w", format=form, options=options) as file:
        video = file.add_stream(codec, rate=FPS, options={"x265-params": "log-level=none"})
        assert isinstance(video, av.VideoStream)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        audio = None if sound is None else file.add_stream("aac", rate=48_000, layout="mono")
        if prepare is not None:
            prepare(file)
        for image in media_files.colours(seconds * FPS, SIZE):
            file.mux(video.encode(frame_of(image).reformat(format="yuv420p")))
        file.mux(video.encode(None))
        if isinstance(audio, av.AudioStream) and sound is not None and sound[1] > sound[0]:
            for frame in _silence(*sound):
                file.mux(audio.encode(frame))
            file.mux(audio.encode(None))
    return path


def _silence(start: float, end: float) -> Iterator[av.AudioFrame]:
    for at in range(round(start * 48_000), round(end * 48_000), 1024):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
        yield frame


def add_cover(source: Path, target: Path, codec: str, *, attached: bool = True, first: bool = False) -> Path:
    """The film with a red picture: attached as a cover, or as a video track of one frame."""
    with av.open(str(source)) as read, av.open(str(target), "w") as write:

        def add_picture() -> av.VideoStream:
            stream = write.add_stream(codec, rate=1)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = 320, 180
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
            stream.disposition = Disposition.attached_pic if attached else Disposition.default
            return stream

        cover = add_picture() if first else None
        video = write.add_stream_from_template(read.streams.video[0])
        cover = cover or add_picture()
        picture = frame_of(Image.new("RGB", (320, 180), "red")).reformat(format=cover.pix_fmt)
        write.mux([*cover.encode(picture), *cover.encode(None)])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                write.mux(packet)
    return target


def add_chapters(file: "av.container.OutputContainer") -> None:
    """Two chapters: mp4 holds them as a track of text and as a list."""
    file.set_chapters(
        [
            {
                "id": number,
                "start": number,
                "end": number + 1,
                "time_base": Fraction(1),
                "metadata": {"title": f"part {number}"},
            }
            for number in (0, 1)
        ]
    )


def turn(source: Path, target: Path, degrees: int, header: bytes = b"tkhd") -> Path:
    """The same film, to be turned by the player: as the header of its first track or of the whole file says."""
    data = bytearray(source.read_bytes())
    a, b, c, d = _TURNS[degrees]
    matrix = (a * ONCE, b * ONCE, 0, c * ONCE, d * ONCE, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, data.index(header) + _MATRIX_PLACES[header], *matrix)
    target.write_bytes(data)
    return target


def edit(source: Path, target: Path, edits: Iterable[tuple[float, float, int]], kind: bytes = b"vide") -> Path:
    """The film with an edit list on its track of a kind: (seconds, from which second on; -1: nothing, speed)."""
    entries = [
        (round(seconds * 1000), -1 if start < 0 else round(start * _SCALES[kind]), speed)
        for seconds, start, speed in edits
    ]
    table = struct.pack(">II", 0, len(entries)) + b"".join(struct.pack(">Iii", *entry) for entry in entries)

    def track(content: bytes) -> bytes:
        if kind not in content:
            return content
        kept = [(name, inner) for name, inner in _children(content) if name != b"edts"]
        edits_box = _box(b"edts", _box(b"elst", table))
        return b"".join(_box(name, inner) + (edits_box if name == b"tkhd" else b"") for name, inner in kept)

    target.write_bytes(_rebuild(source.read_bytes(), (b"moov", b"trak"), track))
    return target


_SCALES = {b"vide": 12_288, b"soun": 48_000}
"""The units of a second that the muxer counts a film of 24 pictures, and this sound, in."""


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + length]
        at += length


def _rebuild(content: bytes, path: tuple[bytes, ...], change: Callable[[bytes], bytes]) -> bytes:
    """The boxes with each at `path` changed; only for files whose index stands at the end."""
    rebuilt = b""
    for name, inner in _children(content):
        if name == path[0]:
            inner = _rebuild(inner, path[1:], change) if len(path) > 1 else change(inner)
        rebuilt += _box(name, inner)
    return rebuilt
