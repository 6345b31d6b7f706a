"""Parser of MP4 boxes for untrusted files: sizes in the file are checked, and never used to allocate memory."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from io import BufferedReader

from runner.lazy_dataclass import dataclass

MAX_DEPTH = 8
"""Boxes within boxes: those that are read lie at most six deep."""
MAX_BOXES = 100_000
"""A clip of a minute with a fragment for each frame has some 40,000."""
MAX_INDEX = 16 << 20
"""Bytes of `moov` without its descriptive part, where a cover picture lies; a minute of video needs some 50 kB."""
# Boxes that are walked into; over all others the walk steps, whatever they hold.
_CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf"))
# By the name of a table of the index: a count is believed only when its entries fit into the box.
_ENTRY_BYTES = {b"stsz": 4, b"stts": 8, b"stco": 4, b"co64": 8, b"stsc": 12, b"ctts": 8, b"stss": 4}

# Offsets of the matrix that places the pictures: with times of 32 bits, of 64 bits.
_MATRIX_PLACES = {b"mvhd": (36, 48), b"tkhd": (40, 52)}
# The part of the matrix that turns and scales: here it does neither; what follows moves the picture.
_UPRIGHT = struct.pack(">5I", 0x10000, 0, 0, 0, 0x10000)


class BrokenBoxes(Exception):  # noqa: N818 - describes a file; not always an error
    """The boxes are not those of a complete MP4; `message` follows the file's name."""

    def __init__(self, message: str, cut_off: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.cut_off = cut_off


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-letter name, and the offsets of its content in the file."""

    name: bytes
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Track:
    """The facts that the index states about a track."""

    id: int
    handler: bytes
    """`vide`, `soun`, or the kind of another track: subtitles, time codes, chapters."""
    samples: int
    """Count of its frames or pieces of audio, fragments included; 0 for uncompressed audio, which is read in blocks."""
    stated_seconds: Fraction | None
    """Its length by its header; None when the header states none."""
    sample_seconds: Fraction | None
    """The sum of its samples' lengths; None when fragments hold them."""
    longest_sample: Fraction
    edited_seconds: Fraction | None
    """How much of it an edit list shows; None without an edit list."""


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
        open_ends.append(box.end)
        at = box.start
    _check_index_size(boxes)
    return boxes


def _check_index_size(boxes: list[Box]) -> None:
    index = sum(box.end - box.start for box in boxes if box.name == b"moov")
    described = sum(box.end - box.start for box in boxes if box.name in (b"udta", b"meta") and box.depth == 1)
    if index - described > MAX_INDEX:
        raise BrokenBoxes("has an index larger than any clip needs")


def _box(file: BufferedReader, at: int, limit: int, depth: int, size: int) -> Box:
    file.seek(at)
    head = file.read(16)
    if at + 8 > limit or len(head) < 8:
        raise _too_long(at + 8, limit, size, "a box ends in the middle of another box")
    (length,) = struct.unpack_from(">I", head)
    start = at + 8
    if length == 1:
        if len(head) < 16:
            raise _cut_off(at + 16, size)
        (length,) = struct.unpack_from(">Q", head, 8)
        start = at + 16
    elif length == 0:
        # 0 means to the end of what holds the box.
        length = limit - at
    end = at + length
    if end < start:
        raise BrokenBoxes("is damaged: a box is smaller than its header")
    if end > limit:
        raise _too_long(end, limit, size, "a box reaches beyond its parent box")
    return Box(head[4:8], start, end, depth)


def _too_long(expected: int, limit: int, size: int, fault: str) -> BrokenBoxes:
    return _cut_off(expected, size) if limit == size else BrokenBoxes(f"is damaged: {fault}")


def _cut_off(expected: int, size: int) -> BrokenBoxes:
    # 4 TB: the size that a cut-off clip states is less, and one beyond it is forged.
    if expected < 1 << 42:
        return BrokenBoxes(f"is cut off: only {size:,} of {expected:,} bytes", cut_off=True)
    return BrokenBoxes("is damaged: a box states a size larger than any file")


def tracks(file: BufferedReader, boxes: list[Box], size: int) -> list[Track]:
    """Return the tracks of the index; their tables are checked against their boxes and the file's size."""
    in_fragments = _fragment_samples(file, boxes, size)
    header = next((box for box in boxes if box.name == b"mvhd"), None)
    scale = _time_header(file, header)[0] if header is not None else None
    checked_tracks = []
    track_starts = [start for start, box in enumerate(boxes) if box.name == b"trak"]
    for number, start in enumerate(track_starts):
        end = boxes[start].end
        stop = track_starts[number + 1] if number + 1 < len(track_starts) else len(boxes)
        track_boxes = [box for box in boxes[start:stop] if box.end <= end]
        checked_tracks.append(_track(file, track_boxes, size, scale, in_fragments))
    return checked_tracks


def turns_pictures(file: BufferedReader, boxes: list[Box]) -> bool:
    """Whether the header of the film or of a track has a player turn, mirror or scale the pictures."""
    return any(
        _read(file, box, place[_read(file, box, 0, 1) == b"\1"], len(_UPRIGHT)) != _UPRIGHT
        for box in boxes
        if (place := _MATRIX_PLACES.get(box.name)) is not None
    )


def _fragment_samples(file: BufferedReader, boxes: list[Box], size: int) -> dict[int, int]:
    """Return the number of samples in fragments, by the track's id."""
    counts: dict[int, int] = {}
    track_id = 0
    for box in boxes:
        if box.name == b"tfhd":
            track_id = _number(file, box, 4)
        elif box.name == b"trun":
            count = _number(file, box, 4)
            _check_count(count, size)
            counts[track_id] = counts.get(track_id, 0) + count
    return counts


def _track(
    file: BufferedReader, boxes: list[Box], size: int, movie_scale: int | None, in_fragments: dict[int, int]
) -> Track:
    by_name = {box.name: box for box in reversed(boxes)}  # the first of each name: QuickTime has a second `hdlr`
    for name in _ENTRY_BYTES:
        if name in by_name:
            _check_table(file, by_name[name], size)
    handler = _read(file, by_name[b"hdlr"], 8, 4) if b"hdlr" in by_name else b""
    id = _track_id(file, by_name[b"tkhd"]) if b"tkhd" in by_name else 0
    scale, stated = _time_header(file, by_name[b"mdhd"]) if b"mdhd" in by_name else (None, None)
    sizes = by_name.get(b"stsz", by_name.get(b"stz2"))
    in_blocks = handler == b"soun" and sizes is not None and sizes.name == b"stsz" and _number(file, sizes, 4) != 0
    samples = _number(file, sizes, 8) if sizes is not None and not in_blocks else 0
    total, longest = _sample_times(file, by_name[b"stts"], size) if b"stts" in by_name else (0, 0)
    return Track(
        id,
        handler,
        samples + in_fragments.get(id, 0),
        Fraction(stated, scale) if scale and stated else None,
        Fraction(total, scale) if scale and id not in in_fragments else None,
        Fraction(longest, scale) if scale else Fraction(0),
        _edited_seconds(file, by_name.get(b"elst"), movie_scale),
    )


def _track_id(file: BufferedReader, box: Box) -> int:
    return _number(file, box, 20 if _read(file, box, 0, 1) == b"\1" else 12)


def _sample_times(file: BufferedReader, box: Box, size: int) -> tuple[int, int]:
    """Return the sum and the largest of the samples' lengths, in the track's time scale."""
    total = longest = 0
    for count, length in _entries(file, box, ">II", 8):
        _check_count(count, size)
        total += count * length
        longest = max(longest, length)
    return total, longest


def _edited_seconds(file: BufferedReader, box: Box | None, movie_scale: int | None) -> Fraction | None:
    """Return the length that an edit list shows of its track; a list that makes no sense counts as none."""
    if box is None or not movie_scale or box.end - box.start < 8:
        return None
    form = ">Qqi" if _read(file, box, 0, 1) == b"\1" else ">Iii"
    if 8 + _number(file, box, 4) * struct.calcsize(form) > box.end - box.start:
        return None
    total = sum(length for length, media_time, _ in _entries(file, box, form, 8) if media_time >= 0)
    return Fraction(total, movie_scale) if total else None


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


def _time_header(file: BufferedReader, box: Box) -> tuple[int, int | None]:
    """Return the time scale and the length (None: unknown) of a movie's or a track's header."""
    version = _read(file, box, 0, 1)
    form, place, unknown = (">IQ", 20, 2**64 - 1) if version == b"\1" else (">II", 12, 2**32 - 1)
    scale, duration = struct.unpack(form, _read(file, box, place, struct.calcsize(form)))
    if scale == 0:
        raise BrokenBoxes("is damaged: a track has a time scale of zero")
    return scale, None if duration == unknown else duration


def _number(file: BufferedReader, box: Box, place: int) -> int:
    return int.from_bytes(_read(file, box, place, 4), "big")


def _read(file: BufferedReader, box: Box, place: int, count: int) -> bytes:
    if box.start + place + count > box.end:
        raise BrokenBoxes("is damaged: a box of its index is too short")
    file.seek(box.start + place)
    return file.read(count)
