"""Films of clips as providers deliver them: four codecs, mixed shapes, rates and sounds, decoded from end to end."""

import math
from fractions import Fraction
from pathlib import Path

import pytest

from runner.assembly.parts import Assembly, FilmShape, Part
from runner.assembly.sources import facts_of
from tests.assembly.test_assemble import assert_whole, film, integrated_loudness, part
from tests.builders import containers
from tests.builders.clips import RATE, Decoded, make_clip

CODECS = {"H.264": "libx264", "HEVC": "libx265", "AV1": "libsvtav1", "VP9": "libvpx-vp9"}
NTSC = Fraction(24000, 1001)
KILOHERTZ = 1000.0
"""A tone of which every millisecond is a whole period: a stretch of 1 ms is silent only where the sound has a gap."""


def quietest_millisecond(decoded: Decoded, start: float, end: float) -> float:
    """Root mean square of the quietest 1 ms between two moments."""
    length = RATE // 1000
    samples = decoded.samples[round(start * RATE) : round(end * RATE)]
    squares = [sample * sample for sample in samples]
    return math.sqrt(min(sum(squares[at : at + length]) for at in range(0, len(squares) - length, 6)) / length)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_clips_of_each_codec_are_joined_by_their_packets_or_encoded_from_any_picture(
    tmp_path: Path, codec: str
) -> None:
    clips = [make_clip(tmp_path / f"{level}.mp4", codec=codec, level=level) for level in (200, 150)]
    whole, decoded = film(tmp_path, Assembly((part(clips[0]), part(clips[1]), part(clips[0]))))
    assert whole.copied
    assert_whole(whole, decoded, Fraction(3))
    assert [decoded.luma[at] for at in (0, 23, 24, 47, 48)] == pytest.approx([200, 177, 150, 127, 200], abs=2)
    assert facts_of(tmp_path / "cut.mp4").video == facts_of(clips[0]).video

    trimmed, decoded = film(tmp_path, Assembly((part(clips[0], Fraction(1, 2), Fraction(7, 24)), part(clips[1]))))
    assert not trimmed.copied
    assert_whole(trimmed, decoded, Fraction(3, 2))
    assert [decoded.luma[at] for at in (0, 11, 12, 35)] == pytest.approx([193, 182, 150, 127], abs=2)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five clips, no two alike; the first frame of each is 30 darker than that of the one before."""
    folder = tmp_path_factory.mktemp("mixed")
    small = (128, 128)
    return [
        make_clip(folder / "wide.mp4", level=220, tone=KILOHERTZ),
        make_clip(folder / "tall.mp4", level=190, codec="libx265", size=(90, 160), rate=Fraction(30), tone=KILOHERTZ),
        make_clip(
            folder / "av1.mp4", level=160, codec="libsvtav1", rate=Fraction(25), sound_rate=44_100, tone=KILOHERTZ
        ),
        make_clip(
            folder / "vp9.mp4", level=130, codec="libvpx-vp9", size=small, rate=NTSC, layout="mono", tone=KILOHERTZ
        ),
        make_clip(folder / "silent.mp4", level=100, rate=Fraction(60), tone=None),
    ]


def test_clips_of_mixed_shape_rate_and_codec_make_one_film(tmp_path: Path, mixed: list[Path]) -> None:
    twice = (part(mixed[0]), *(part(clip) for clip in mixed), part(mixed[0]))
    result, decoded = film(tmp_path, Assembly(twice))
    assert (result.copied, result.shape) == (False, FilmShape(160, 90, Fraction(24)))
    assert_whole(result, decoded, Fraction(7))
    assert [decoded.luma[second * 24] for second in range(7)] == pytest.approx(
        [220, 220, 190, 160, 130, 100, 220], abs=3
    )
    assert integrated_loudness(tmp_path / "cut.mp4") == pytest.approx(-23, abs=0.5)


def test_the_sound_of_mixed_clips_has_no_gap_at_a_join(tmp_path: Path, mixed: list[Path]) -> None:
    _, decoded = film(tmp_path, Assembly(tuple(part(clip) for clip in mixed)))
    steady = decoded.loudness(0.2, 0.8)
    for join in (1, 2, 3):
        assert quietest_millisecond(decoded, join - 0.1, join + 0.1) > steady / 2
    assert decoded.loudness(4.05, 4.95) < steady / 1000


def test_ranges_of_mixed_clips_begin_and_end_on_their_pictures(tmp_path: Path, mixed: list[Path]) -> None:
    parts = tuple(part(clip, Fraction(1, 2), Fraction(1, 3)) for clip in mixed)
    result, decoded = film(tmp_path, Assembly(parts))
    assert_whole(result, decoded, Fraction(5, 2))
    rates = [facts_of(clip).video.rate for clip in mixed]
    starts = [220 - 30 * at - math.floor(rate / 3 + Fraction(1, 4)) for at, rate in enumerate(rates)]
    frames = [round(Fraction(at, 2) * result.shape.rate) for at in range(5)]
    assert [decoded.luma[frame] for frame in frames] == pytest.approx(starts, abs=3)


def test_a_clip_that_a_player_turns_is_joined_as_it_is_and_stays_turned(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "turned.mp4", size=(96, 64), rotation=90)
    assert facts_of(clip).shown_size == (64, 96)
    result, _ = film(tmp_path, Assembly((part(clip), part(clip))))
    assert (result.copied, result.shape) == (True, FilmShape(64, 96, Fraction(24)))
    assert facts_of(tmp_path / "cut.mp4").shown_size == (64, 96)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("header", [b"tkhd", b"mvhd"])
def test_a_clip_is_turned_by_its_track_or_by_the_whole_file(tmp_path: Path, header: bytes, degrees: int) -> None:
    clip = make_clip(tmp_path / "plain.mp4", size=(96, 64))
    upright = facts_of(clip)
    turned = facts_of(containers.turn(clip, tmp_path / "turned.mp4", degrees, header))
    assert (upright.video.rotation, upright.shown_size) == (0, (96, 64))
    assert abs(turned.video.rotation) % 360 in (degrees, 360 - degrees)
    assert turned.shown_size == ((96, 64) if degrees == 180 else (64, 96))


def test_slates_stand_between_mixed_clips_for_their_time(tmp_path: Path, mixed: list[Path]) -> None:
    slate = Part("slate", Fraction(1, 2), slate_lines=("boats", "new"))
    result, decoded = film(tmp_path, Assembly((part(mixed[0]), slate, part(mixed[2]), slate)))
    assert_whole(result, decoded, Fraction(3))
    assert decoded.loudness(1.05, 1.45) < decoded.loudness(0.2, 0.8) / 1000
