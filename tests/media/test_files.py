"""What a file is: by its bytes, whatever it is called and whoever wrote it."""

import hashlib
import os
import random
import struct
import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from runner.media.files import MAX_PICTURE_PIXELS, UnsupportedMedia, inspect, known_endings
from tests.builders import media_files


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.png", "a.webp", "A.JPG"])
def test_a_picture_has_a_size_and_no_length(tmp_path: Path, name: str) -> None:
    path = media_files.picture(tmp_path / name, (80, 30))
    facts = inspect(path)
    assert (facts.kind, facts.width, facts.height, facts.seconds) == ("image", 80, 30, None)
    assert facts.format == ("jpeg" if "j" in name.lower() else name[2:].lower())
    assert facts.bytes == path.stat().st_size
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_kind_of_webp_is_measured_by_its_own_head(tmp_path: Path) -> None:
    image = Image.new("RGBA", (50, 70), (200, 30, 30, 120))
    for name, options in (("lossy", {}), ("lossless", {"lossless": True}), ("opaque", {"quality": 30})):
        (image.convert("RGB") if name == "opaque" else image).save(tmp_path / f"{name}.webp", **options)
        facts = inspect(tmp_path / f"{name}.webp")
        assert (facts.width, facts.height) == (50, 70)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.webp"])
def test_a_photograph_taken_upright_is_as_high_as_it_is_shown(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (90, 60)).save(tmp_path / name, exif=exif)
    facts = inspect(tmp_path / name)
    assert (facts.width, facts.height) == (60, 90)


def test_exif_data_that_cannot_be_read_turn_no_picture(tmp_path: Path) -> None:
    Image.new("RGB", (90, 60)).save(tmp_path / "odd.png", exif=b"no exif at all")
    facts = inspect(tmp_path / "odd.png")
    assert (facts.width, facts.height) == (90, 60)


@pytest.mark.parametrize(
    ("name", "codec", "container", "kind"),
    [
        ("a.mp3", "libmp3lame", "mp3", "mp3"),
        ("a.wav", "pcm_s16le", "wav", "wav"),
        ("a.flac", "flac", "flac", "flac"),
        ("a.opus", "libopus", "ogg", "ogg"),
        ("a.m4a", "aac", "ipod", "m4a"),
        ("by-another-program.m4a", "aac", "mp4", "m4a"),
        ("a.aac", "aac", "adts", "aac"),
    ],
)
def test_a_sound_has_the_length_that_is_heard(tmp_path: Path, name: str, codec: str, container: str, kind: str) -> None:
    facts = inspect(media_files.sound(tmp_path / name, codec, container))
    assert (facts.kind, facts.format, facts.width) == ("audio", kind, None)
    assert facts.seconds is not None
    assert abs(facts.seconds - 2) <= Decimal("0.05")


def test_a_video_has_size_and_length(tmp_path: Path) -> None:
    facts = inspect(media_files.film(tmp_path / "a.mp4", media_files.colours(36)))
    assert (facts.kind, facts.format, facts.width, facts.height) == ("video", "mp4", 64, 36)
    assert facts.seconds == Decimal("1.5")


def test_a_header_that_lies_about_the_length_is_not_believed(tmp_path: Path) -> None:
    path = media_files.film(tmp_path / "a.mp4", media_files.colours(24))
    data = bytearray(path.read_bytes())
    at = data.index(b"mvhd") + 20
    data[at : at + 4] = struct.pack(">I", 1)
    path.write_bytes(data)
    assert inspect(path).seconds == Decimal(1)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"", "is empty"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is a damaged or cut-off picture"),
        ("a.jpg", b"GIF89a" + bytes(90), "is a GIF picture; materials are JPEG, PNG and WebP pictures"),
        ("a.mp4", b"<!DOCTYPE html><p>Sign in", "is a web page"),
        ("a.mp4", b"\0\0\0\x14ftypqt  " + bytes(90), "is a QuickTime movie"),
        ("a.jpg", b"\0\0\0\x18ftypheic" + bytes(90), "is a HEIC picture"),
        ("a.png", b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer (run: git lfs pull)"),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG"),
        ("a.mp3", b"hello there", "is text"),
        ("a.mp3", os.urandom(0) + b"\x00\x01\x02\x03" * 30, "is not a known media format"),
        ("a.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(400), "is damaged or cut off"),
    ],
)
def test_what_is_no_material_is_said_in_plain_words(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnsupportedMedia) as refused:
        inspect(tmp_path / name)
    assert refused.value.message.startswith(words)


@pytest.mark.parametrize(
    ("written", "called", "words"),
    [
        ("a.png", "a.jpg", "holds a PNG picture, though its name ends in .jpg"),
        ("a.jpg", "a.mp4", "holds a JPEG picture, though its name ends in .mp4"),
        ("a.webp", "a.png", "holds a WebP picture, though its name ends in .png"),
    ],
)
def test_a_name_that_lies_is_refused(tmp_path: Path, written: str, called: str, words: str) -> None:
    media_files.picture(tmp_path / written).rename(tmp_path / called)
    with pytest.raises(UnsupportedMedia, match=words):
        inspect(tmp_path / called)


def test_a_sound_called_a_video_and_a_video_called_a_sound_are_refused(tmp_path: Path) -> None:
    media_files.sound(tmp_path / "sound.mp4", "aac", "mp4")
    media_files.film(tmp_path / "film.m4a", media_files.colours(12))
    for name, words in (("sound.mp4", "holds M4A audio"), ("film.m4a", "holds an MP4 video")):
        with pytest.raises(UnsupportedMedia, match=words):
            inspect(tmp_path / name)


def test_a_name_without_a_known_ending_says_nothing(tmp_path: Path) -> None:
    assert inspect(media_files.picture(tmp_path / "a.png").rename(tmp_path / "upload-7")).format == "png"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_a_picture_that_ends_too_early_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.effect_noise((200, 200), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(UnsupportedMedia, match="damaged or cut-off"):
        inspect(path)


def test_a_bomb_of_a_picture_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(data)
    webp = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" * 2
    (tmp_path / "a.webp").write_bytes(webp)
    for name in ("a.png", "a.webp"):
        with pytest.raises(UnsupportedMedia, match=f"more than {MAX_PICTURE_PIXELS // 10**6} million pixels"):
            inspect(tmp_path / name)


def test_what_is_no_ordinary_file_is_refused_and_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").mkdir()
    for path, words in (
        (tmp_path / "a.png", "is not a regular file"),
        (tmp_path / "b.png", "is a folder"),
        (Path("/dev/zero"), "is not a regular file"),
    ):
        with pytest.raises(UnsupportedMedia, match=words):
            inspect(path)


def test_a_file_that_is_not_there_is_the_systems_word(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "a.png")


def test_every_known_ending_has_a_kind() -> None:
    assert set(known_endings.values()) == {"image", "video", "audio"}
    assert all(ending == ending.lower() and ending.startswith(".") for ending in known_endings)


def _originals(folder: Path) -> list[bytes]:
    made = [
        media_files.picture(folder / "a.jpg"),
        media_files.picture(folder / "a.png"),
        media_files.picture(folder / "a.webp"),
        media_files.sound(folder / "a.mp3", "libmp3lame", "mp3", 0.4),
        media_files.sound(folder / "a.flac", "flac", "flac", 0.4),
        media_files.sound(folder / "a.opus", "libopus", "ogg", 0.4),
        media_files.sound(folder / "a.m4a", "aac", "ipod", 0.4),
        media_files.wav(folder / "a.wav", 0.2),
        media_files.film(folder / "a.mp4", media_files.colours(6)),
    ]
    return [path.read_bytes() for path in made]


def _mutate(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 30))):
        reach = chance.choice((40, 400, len(out)))
        out[chance.randrange(min(len(out), reach))] = chance.randrange(256)
    return bytes(out[: chance.randrange(1, len(out))] if chance.random() < 0.3 else out)


def _measure_mutants(folder: Path, seed: int, count: int) -> int:
    originals, chance, path = _originals(folder), random.Random(seed), folder / "mutant"
    refused = 0
    for number in range(count):
        path.write_bytes(_mutate(originals[number % len(originals)], chance))
        try:
            inspect(path)
        except UnsupportedMedia:
            refused += 1
    return refused


def test_hostile_bytes_are_measured_or_refused_and_nothing_else(tmp_path: Path) -> None:
    assert 100 < _measure_mutants(tmp_path, 1, 450) < 450


@pytest.mark.long
def test_ten_thousand_hostile_files_are_measured_or_refused(tmp_path: Path) -> None:
    assert 2_000 < _measure_mutants(tmp_path, 2, 10_000) < 10_000
