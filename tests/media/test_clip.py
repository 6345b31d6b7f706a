"""A clip under its final name is whole: what that means, byte by byte."""

import random
import resource
import struct
from decimal import Decimal
from pathlib import Path

import av
import pytest
from PIL import Image

from runner.media.clip import ClipFacts, IncompleteClip, frame, probe
from runner.media.mp4_boxes import MAX_BOXES
from tests.builders import media_files


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of film with its index in front, as providers write them."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return media_files.film(path, media_files.colours(24), faststart=True).read_bytes()


def _words(path: Path) -> str:
    with pytest.raises(IncompleteClip) as refused:
        probe(path)
    return refused.value.message


def _box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def test_a_whole_clip_says_what_it_shows(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(clip)
    assert probe(tmp_path / "a.mp4") == ClipFacts(64, 36, Decimal(1))


def test_the_index_may_stand_at_the_end(tmp_path: Path) -> None:
    path = media_files.film(tmp_path / "a.mp4", media_files.colours(30))
    assert path.read_bytes().rindex(b"moov") > path.read_bytes().index(b"mdat")
    assert probe(path).seconds == Decimal("1.25")


def test_a_clip_in_fragments_is_whole_too(tmp_path: Path) -> None:
    source = media_files.film(tmp_path / "a.mp4", media_files.colours(24))
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(source)) as read, av.open(str(tmp_path / "b.mp4"), "w", format="mp4", options=options) as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                write.mux(packet)
    assert probe(tmp_path / "b.mp4").seconds == Decimal(1)


def test_cut_off_anywhere_it_is_not_whole(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "a.mp4"
    for length in [*range(64), *range(64, len(clip), 41), len(clip) - 1]:
        path.write_bytes(clip[:length])
        words = _words(path)
        assert words.startswith(("is cut off", "is empty", "is not a video", "has no video track")), (length, words)


def test_bytes_behind_the_end_are_not_whole(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(clip + b"\0")
    assert _words(tmp_path / "a.mp4").startswith("is cut off")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<html><h1>503 Service Unavailable</h1></html>", "is a web page, no video"),
        (b'{"message": "expired"}', "is text, no video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "is not an MP4"),
        (b"\0" * 5000, "is not a video"),
        (_box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"mdat", bytes(99)), "is cut off: its index is missing"),
        (_box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov"), "has no video track"),
        (
            _box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4sQ", 1, b"mdat", 2**63),
            "is damaged: a box states a size larger than any file",
        ),
        (
            _box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4s", 4, b"moov"),
            "is damaged: a box is smaller than its header",
        ),
        (
            _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov", struct.pack(">I4s", 99, b"trak")) + _box(b"free"),
            "is damaged: a box reaches beyond its parent box",
        ),
    ],
)
def test_what_is_no_clip_is_said_in_plain_words(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == words


def test_boxes_within_boxes_have_an_end(tmp_path: Path) -> None:
    nested = b""
    for _ in range(40):
        nested = _box(b"moov", nested)
    (tmp_path / "a.mp4").write_bytes(_box(b"ftyp", b"isom\0\0\2\0isom") + nested)
    assert _words(tmp_path / "a.mp4") == "has boxes nested deeper than 8 levels"


def test_many_boxes_have_an_end(tmp_path: Path) -> None:
    data = _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"free") * (MAX_BOXES + 1)
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == "has more than 100,000 boxes"


def test_a_sound_is_no_clip(tmp_path: Path) -> None:
    assert _words(media_files.sound(tmp_path / "a.mp4", "aac", "mp4")) == "has no video track"


@pytest.mark.parametrize("table", [b"stsz", b"stts", b"stco", b"stsc"])
def test_an_index_that_names_more_than_there_is_allocates_nothing(tmp_path: Path, clip: bytes, table: bytes) -> None:
    data = bytearray(clip)
    at = data.index(table) + (12 if table == b"stsz" else 8)
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == "is damaged: its index lists more samples than the file has bytes"


def test_a_track_has_the_length_it_says(tmp_path: Path, clip: bytes) -> None:
    data = bytearray(clip)
    at = data.index(b"mdhd") + 16
    scale = struct.unpack_from(">I", data, at)[0]
    struct.pack_into(">I", data, at + 4, scale * 3)
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == "is damaged: its video has 1.00 seconds instead of 3.00"


def test_all_frames_that_the_index_counts_are_there(tmp_path: Path) -> None:
    data = bytearray(media_files.film(tmp_path / "a.mp4", media_files.colours(24)).read_bytes())
    struct.pack_into(">I", data, data.index(b"stco") + 12, len(data) - 40)
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == "is damaged: a part of its video or audio is missing"
    struct.pack_into(">I", data, data.index(b"stco") + 12, len(data))
    (tmp_path / "a.mp4").write_bytes(data)
    assert _words(tmp_path / "a.mp4") == "is damaged: 24 of 24 parts of its video are missing"


def test_a_first_and_a_last_picture_that_do_not_decode_are_seen(tmp_path: Path, clip: bytes) -> None:
    start = clip.index(b"mdat") + 4
    path = tmp_path / "a.mp4"
    path.write_bytes(clip[:start] + b"\xff" * (len(clip) - start))
    assert _words(path).startswith("is damaged")
    path.write_bytes(clip[:-12] + b"\xff" * 12)
    assert _words(path).startswith("is damaged")


def test_a_made_up_picture_size_is_refused(tmp_path: Path, clip: bytes) -> None:
    data = bytearray(clip)
    at = data.index(b"avc1") + 28
    struct.pack_into(">HH", data, at, 65_000, 65_000)
    (tmp_path / "a.mp4").write_bytes(data)
    # What the picture itself says counts, and if it agreed, its size would be refused.
    assert probe(tmp_path / "a.mp4").width == 64


def test_first_and_last_are_exactly_the_first_and_the_last_picture(tmp_path: Path) -> None:
    pictures = media_files.colours(40)
    clip = media_files.film(tmp_path / "a.mp4", pictures)
    for which, at in (("first", 0), ("last", -1)):
        frame(clip, "first" if which == "first" else "last", tmp_path / f"{which}.png")
        with Image.open(tmp_path / f"{which}.png") as shown:
            assert shown.format == "PNG"
            assert shown.size == (64, 36)
            red, expected = shown.getpixel((32, 18)), pictures[at].getpixel((32, 18))
            assert isinstance(red, tuple)
            assert isinstance(expected, tuple)
            assert abs(red[0] - expected[0]) <= 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "first.png", "last.png"]


def test_a_frame_of_a_damaged_clip_writes_nothing(tmp_path: Path, clip: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(clip[: len(clip) // 2])
    with pytest.raises(IncompleteClip, match="is cut off"):
        frame(tmp_path / "a.mp4", "last", tmp_path / "last.png")
    assert not (tmp_path / "last.png").exists()


def _mutate(clip: bytes, chance: random.Random) -> bytes:
    """Wrong in the way of broken transfers and of people who look for holes: mostly in the index."""
    data = bytearray(clip)
    index = clip.index(b"mdat")
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        if len(data) < 20:
            break
        at = chance.randrange(min(index if chance.random() < 0.8 else len(data), max(1, len(data) - 9)))
        match chance.randrange(10):
            case 0 | 1 | 2 | 3:
                data[at : at + 1] = bytes((chance.randrange(256),))
            case 4 | 5:
                data[at : at + 4] = chance.choice((bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"))
            case 6:
                data[at : at + 8] = b"\xff" * 8
            case 7:
                del data[at : at + chance.randrange(64)]
            case 8:
                data[at:at] = data[at : at + chance.randrange(256)]
            case _:
                data = data[: chance.randrange(1, len(data))]
    return bytes(data)


def _probe_mutants(folder: Path, clip: bytes, seed: int, count: int) -> int:
    chance, path, refused = random.Random(seed), folder / "mutant.mp4", 0
    for _ in range(count):
        path.write_bytes(_mutate(clip, chance))
        refused += not _whole(path)
    return refused


def _whole(path: Path) -> bool:
    try:
        probe(path)
    except IncompleteClip:
        return False
    return True


def test_hostile_clips_are_whole_or_not_and_nothing_else(tmp_path: Path, clip: bytes) -> None:
    assert 200 < _probe_mutants(tmp_path, clip, 1, 400) < 400


@pytest.mark.long
def test_ten_thousand_hostile_clips_cost_no_memory(tmp_path: Path, clip: bytes) -> None:
    _probe_mutants(tmp_path, clip, 2, 50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert 5_000 < _probe_mutants(tmp_path, clip, 3, 10_000) < 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
