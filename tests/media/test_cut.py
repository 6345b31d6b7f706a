"""Parts of sounds and videos: what is cut out is what plays there, and is never longer than the part."""

import wave
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from runner.assembly.sources import facts_of
from runner.media.clip import IncompleteClip, probe
from runner.media.cut_audio import cut_sound
from runner.media.cut_video import cut_frame, cut_video
from runner.media.files import inspect
from tests.builders.clips import make_clip
from tests.builders.media_files import colours, film, sound

FILM_SECONDS, FPS = 4, 24


def test_a_wave_is_cut_to_the_sample(tmp_path: Path) -> None:
    whole, part = sound(tmp_path / "whole.wav", "pcm_s16le", "wav"), tmp_path / "part.wav"
    cut_sound(whole, "wav", Decimal("0.5"), Decimal("1.25"), part)

    with wave.open(str(whole)) as long, wave.open(str(part)) as short:
        samples = long.readframes(long.getnframes())
        assert short.readframes(short.getnframes()) == samples[22_050 * 2 : (22_050 + 55_125) * 2]


@pytest.mark.parametrize(
    ("codec", "container", "form"),
    [
        ("pcm_s24le", "wav", "wav"),
        ("libmp3lame", "mp3", "mp3"),
        ("flac", "flac", "flac"),
        ("libopus", "ogg", "ogg"),
        ("aac", "adts", "aac"),
        ("aac", "ipod", "m4a"),
    ],
)
@pytest.mark.parametrize(("start", "seconds", "length"), [("0.5", "1", 1.0), ("1.25", None, 0.75), ("0", "1.5", 1.5)])
def test_each_kind_of_sound_keeps_its_kind_and_has_the_length_of_the_part(
    tmp_path: Path, codec: str, container: str, form: str, start: str, seconds: str | None, length: float
) -> None:
    whole, part = sound(tmp_path / f"whole.{form}", codec, container), tmp_path / f"part.{form}"
    cut_sound(whole, form, Decimal(start), (seconds and Decimal(seconds)) or None, part)
    facts = inspect(part)

    assert facts.format == form
    assert float(facts.seconds or 0) == pytest.approx(length, abs=0.09)
    assert seconds is None or float(facts.seconds or 0) <= length


@pytest.mark.parametrize(
    ("start", "seconds", "frames"),
    [("0", "2", (0, 47)), ("1", "1.5", (24, 59)), ("2.5", None, (60, 95)), ("0.51", "1", (13, 35))],
    ids=["from a key frame", "between key frames", "to the end", "between frames"],
)
def test_a_video_has_the_frames_of_the_part(
    tmp_path: Path, start: str, seconds: str | None, frames: tuple[int, int]
) -> None:
    whole, part = film(tmp_path / "whole.mp4", colours(FILM_SECONDS * FPS), FPS), tmp_path / "part.mp4"
    begin, length = Decimal(start), None if seconds is None else Decimal(seconds)
    cut_video(whole, begin, length, part)

    assert float(probe(part).seconds) == pytest.approx((frames[1] - frames[0] + 1) / FPS, abs=0.002)
    for which, at in (("first", frames[0]), ("last", frames[1])):
        assert brightness_of(part, which, tmp_path) == pytest.approx(brightness(at), abs=3)


def test_a_part_from_a_key_frame_is_copied_and_not_encoded(tmp_path: Path) -> None:
    whole, part = film(tmp_path / "whole.mp4", colours(FILM_SECONDS * FPS), FPS), tmp_path / "part.mp4"
    cut_video(whole, Decimal(0), Decimal(4), part)

    assert abs(part.stat().st_size - whole.stat().st_size) < 500


@pytest.mark.parametrize("codec", ["libsvtav1", "libvpx-vp9"])
def test_a_part_of_a_video_of_another_codec_is_copied_as_well(tmp_path: Path, codec: str) -> None:
    whole, part = make_clip(tmp_path / "whole.mp4", seconds=Fraction(2), codec=codec), tmp_path / "part.mp4"
    cut_video(whole, Decimal("0.5"), Decimal(1), part)

    assert float(probe(part).seconds) == pytest.approx(1, abs=0.03)
    assert facts_of(part).video.codec == facts_of(whole).video.codec


@pytest.mark.parametrize(
    ("start", "seconds", "which", "at"), [("0", None, "last", 95), ("1", "1", "first", 24), ("1", "1", "last", 47)]
)
def test_a_frame_of_a_part_is_exactly_that_frame(
    tmp_path: Path, start: str, seconds: str | None, which: str, at: int
) -> None:
    whole, target = film(tmp_path / "whole.mp4", colours(FILM_SECONDS * FPS), FPS), tmp_path / "frame.png"
    length = None if seconds is None else Decimal(seconds)
    cut_frame(whole, Decimal(start), length, "first" if which == "first" else "last", target)

    with Image.open(target) as picture:
        assert picture.size == (64, 36)
        assert red(picture) == pytest.approx(brightness(at), abs=3)


def test_a_part_behind_the_end_has_no_frame(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", colours(FPS), FPS)

    with pytest.raises(IncompleteClip):
        cut_frame(whole, Decimal(9), Decimal(1), "first", tmp_path / "frame.png")
    with pytest.raises(ValueError, match="frame"):
        cut_video(whole, Decimal(9), Decimal(1), tmp_path / "part.mp4")


def brightness(at: int) -> int:
    """The red of the film's frame of this number."""
    return 30 + 180 * at // (FILM_SECONDS * FPS - 1)


def brightness_of(clip: Path, which: str, folder: Path) -> int:
    target = folder / f"{which}.png"
    cut_frame(clip, Decimal(0), None, "first" if which == "first" else "last", target)
    with Image.open(target) as picture:
        return red(picture)


def red(picture: Image.Image) -> int:
    pixel = picture.convert("RGB").getpixel((32, 18))
    assert isinstance(pixel, tuple)
    return int(pixel[0])
