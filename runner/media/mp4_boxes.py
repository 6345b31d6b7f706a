"""Parser of MP4 boxes for untrusted files: sizes in the file are checked, and never used to allocate memory."""

import struct
from collections.abc import Iterator
from io import BufferedReader

from runner.lazy_dataclass import dataclass

MAX_DEPTH = 8
MAX_BOXES = 10_000
MAX_INDEX = 16 << 20
"""Bytes of `moov`; a minute of video needs some 50 kB."""
_CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf"))
_ENTRY_BYTES = {b"stsz": 4, b"stts": 8, b"stco": 4, b"co64": 8, b"stsc": 12, b"ctts": 8, b"stss": 4}


class BrokenBoxes(Exception):  # noqa: N818 - describes a file; not always an error
    """The boxes are not those of a complete MP4; `message` follows the file's name."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-letter name, and the offsets of its content in the file."""

    name: bytes
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Track:
    """Stated properties of a track: vide or soun, length in seconds (None: unknown), number of samples."""

    handler: bytes
    seconds: float | None
    samples: int


def walk(file: BufferedReader, size: int) -> list[Box]:
    """Return all boxes in file order; raises BrokenBoxes unless the boxes fill the file to its last byte."""
    boxes: list[Box] = []
    open_ends = [size]
    at = 0
    while at < size:
        while open_ends and at >= open_ends[-1]:
            open_ends.pop()
        limit = open_ends[-1] if open_ends else size
        box = _box(file, at, limit, len(open_ends) - 1, size)
        boxes.append(box)
        if len(boxes) > MAX_BOXES:
            raise BrokenBoxes(f"has more than {MAX_BOXES:,} boxes")
        if box.name not in _CONTAINERS or box.start == box.end:
            at = box.end
            continue
        if box.depth + 1 >= MAX_DEPTH:
            raise BrokenBoxes(f"has boxes nested deeper than {MAX_DEPTH} levels")
        if box.name == b"moov" and box.end - box.start > MAX_INDEX:
            raise BrokenBoxes("has an index larger than any clip needs")
        open_ends.append(box.end)
        at = box.start
    return boxes


def _box(file: BufferedReader, at: int, limit: int, depth: int, size: int) -> Box:
    file.seek(at)
    head = file.read(16)
    if at + 8 > limit or len(head) < 8:
        raise BrokenBoxes(
            _cut_off_message(at + 8, size) if limit == size else "is damaged: a box ends in the middle of another box"
        )
    (length,) = struct.unpack_from(">I", head)
    start = at + 8
    if length == 1:
        if len(head) < 16:
            raise BrokenBoxes(_cut_off_message(at + 16, size))
        (length,) = struct.unpack_from(">Q", head, 8)
        start = at + 16
    elif length == 0:
        length = limit - at
    end = at + length
    if end < start:
        raise BrokenBoxes("is damaged: a box is smaller than its header")
    if end > limit:
        raise BrokenBoxes(
            _cut_off_message(end, size) if limit == size else "is damaged: a box reaches beyond its parent box"
        )
    return Box(head[4:8], start, end, depth)


def _cut_off_message(expected: int, size: int) -> str:
    if expected < 1 << 42:
        return f"is cut off: only {size:,} of {expected:,} bytes"
    return "is damaged: a box states a size larger than any file"


def tracks(file: BufferedReader, boxes: list[Box], size: int) -> list[Track]:
    """Return the tracks of the index; their tables are checked against their boxes and the file's size."""
    checked_tracks = []
    track_starts = [start for start, box in enumerate(boxes) if box.name == b"trak"]
    for number, start in enumerate(track_starts):
        end = boxes[start].end
        stop = track_starts[number + 1] if number + 1 < len(track_starts) else len(boxes)
        track_boxes = [box for box in boxes[start:stop] if box.end <= end]
        checked_tracks.append(_track(file, track_boxes, size))
    for box in boxes:
        if box.name == b"trun":
            _check_count(_number(file, box, 4), size)
    return checked_tracks


def _track(file: BufferedReader, boxes: list[Box], size: int) -> Track:
    by_name = {box.name: box for box in boxes}
    for name in _ENTRY_BYTES:
        if name in by_name:
            _check_table(file, by_name[name], size)
    handler = _read(file, by_name[b"hdlr"], 8, 4) if b"hdlr" in by_name else b""
    samples = _number(file, by_name[b"stsz"], 8) if b"stsz" in by_name else 0
    if b"stts" in by_name:
        for count, _ in _entries(file, by_name[b"stts"], ">II", 8):
            _check_count(count, size)
    return Track(handler, _seconds(file, by_name.get(b"mdhd")), samples)


def _check_table(file: BufferedReader, box: Box, size: int) -> None:
    place = 8 if box.name == b"stsz" else 4
    count = _number(file, box, place)
    _check_count(count, size)
    constant = box.name == b"stsz" and _number(file, box, 4) != 0
    if not constant and place + 4 + count * _ENTRY_BYTES[box.name] > box.end - box.start:
        raise BrokenBoxes("is damaged: a table of its index is longer than its box")


def _check_count(count: int, size: int) -> None:
    # A sample has at least one byte, so a count beyond the file's size is forged.
    if count > size:
        raise BrokenBoxes("is damaged: its index lists more samples than the file has bytes")


def _entries(file: BufferedReader, box: Box, form: str, head: int) -> Iterator[tuple[int, ...]]:
    step = struct.calcsize(form)
    count = _number(file, box, head - 4)
    file.seek(box.start + head)
    for _ in range(count):
        yield struct.unpack(form, file.read(step))


def _seconds(file: BufferedReader, box: Box | None) -> float | None:
    if box is None:
        return None
    version = _read(file, box, 0, 1)
    form, place, unknown = (">IQ", 20, 2**64 - 1) if version == b"\1" else (">II", 12, 2**32 - 1)
    scale, duration = struct.unpack(form, _read(file, box, place, struct.calcsize(form)))
    if scale == 0:
        raise BrokenBoxes("is damaged: a track has a time scale of zero")
    return None if duration in (0, unknown) else duration / scale


def _number(file: BufferedReader, box: Box, place: int) -> int:
    return int.from_bytes(_read(file, box, place, 4), "big")


def _read(file: BufferedReader, box: Box, place: int, count: int) -> bytes:
    if box.start + place + count > box.end:
        raise BrokenBoxes("is damaged: a box of its index is too short")
    file.seek(box.start + place)
    return file.read(count)
