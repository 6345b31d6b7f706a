"""What a container may hold beside a plain film is no fault, and what players show of it is what is measured."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from runner.media.clip import ClipFacts, frame, probe
from tests.builders import containers, media_files
from tests.builders.containers import ONCE, SIZE, film

TWO_SECONDS = ClipFacts(*SIZE, Decimal(2))
UPRIGHT = ClipFacts(SIZE[1], SIZE[0], Decimal(2))

FEATURES: dict[str, tuple[Callable[[Path], Path], ClipFacts]] = {
    "HEVC": (lambda to: film(to / "a.mp4", "libx265"), TWO_SECONDS),
    "AV1": (lambda to: film(to / "a.mp4", "libsvtav1"), TWO_SECONDS),
    "VP9": (lambda to: film(to / "a.mp4", "libvpx-vp9"), TWO_SECONDS),
    "MPEG-4 part 2": (lambda to: film(to / "a.mp4", "mpeg4"), TWO_SECONDS),
    "sound": (lambda to: film(to / "a.mp4", sound=(0, 2)), TWO_SECONDS),
    "sound that begins late": (lambda to: film(to / "a.mp4", sound=(1, 2)), TWO_SECONDS),
    "sound that ends early": (lambda to: film(to / "a.mp4", sound=(0, 0.5)), TWO_SECONDS),
    "sound longer than the film": (lambda to: film(to / "a.mp4", sound=(0, 4)), TWO_SECONDS),
    "an empty track of sound": (
        lambda to: film(to / "a.mp4", sound=(0, 0), movflags="frag_keyframe+empty_moov"),
        TWO_SECONDS,
    ),
    "fragments with sound": (
        lambda to: film(to / "a.mp4", sound=(0, 2), movflags="frag_keyframe+empty_moov+default_base_moof"),
        TWO_SECONDS,
    ),
    "a fragment for each frame": (
        lambda to: film(to / "a.mp4", sound=(0, 2), movflags="frag_every_frame+empty_moov"),
        TWO_SECONDS,
    ),
    "an index of fragments": (
        lambda to: film(to / "a.mp4", sound=(0, 2), movflags="dash+frag_keyframe+global_sidx"),
        TWO_SECONDS,
    ),
    "no edit list": (lambda to: film(to / "a.mp4", use_editlist="0"), TWO_SECONDS),
    "a hint track": (lambda to: film(to / "a.mp4", movflags="rtphint"), TWO_SECONDS),
    "a QuickTime movie": (lambda to: film(to / "a.mp4", format="mov"), TWO_SECONDS),
    "chapters": (lambda to: film(to / "a.mp4", prepare=containers.add_chapters), TWO_SECONDS),
    "tags": (
        lambda to: film(to / "a.mp4", prepare=lambda file: file.metadata.update(title="x" * 9_000, comment="é")),
        TWO_SECONDS,
    ),
    "a cover as JPEG": (lambda to: containers.add_cover(film(to / "a.mp4"), to / "b.mp4", "mjpeg"), TWO_SECONDS),
    "a cover as PNG before the film": (
        lambda to: containers.add_cover(film(to / "a.mp4"), to / "b.mp4", "png", first=True),
        TWO_SECONDS,
    ),
    "a thumbnail as a track of its own": (
        lambda to: containers.add_cover(film(to / "a.mp4"), to / "b.mp4", "mjpeg", attached=False, first=True),
        TWO_SECONDS,
    ),
    "turned by 90": (lambda to: containers.turn(film(to / "a.mp4"), to / "b.mp4", 90), UPRIGHT),
    "turned by 180": (lambda to: containers.turn(film(to / "a.mp4"), to / "b.mp4", 180), TWO_SECONDS),
    "turned by 270": (lambda to: containers.turn(film(to / "a.mp4"), to / "b.mp4", 270), UPRIGHT),
}

EDITS: dict[str, tuple[list[tuple[float, float, int]], str]] = {
    "the beginning left out": ([(1.5, 0.5, ONCE)], "1.5"),
    "the end left out": ([(1.5, 0, ONCE)], "1.5"),
    "a delay first": ([(0.5, -1, ONCE), (2, 0, ONCE)], "2"),
    "two parts": ([(0.5, 0, ONCE), (0.5, 1, ONCE)], "1"),
    "the same part twice": ([(2, 0, ONCE), (2, 0, ONCE)], "2"),
    "twice the speed": ([(1, 0, 2 * ONCE)], "1"),
    "more than there is": ([(5, 0, ONCE)], "2"),
    "no length": ([(0, 0, ONCE)], "2"),
    "nothing but a delay": ([(1, -1, ONCE)], "2"),
    "no entry": ([], "2"),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_of_the_container_is_no_fault(tmp_path: Path, feature: str) -> None:
    make, facts = FEATURES[feature]
    assert probe(make(tmp_path)) == facts


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_list_is_no_fault_and_tells_the_length(tmp_path: Path, name: str) -> None:
    edits, seconds = EDITS[name]
    clip = containers.edit(film(tmp_path / "a.mp4"), tmp_path / "b.mp4", edits)
    assert probe(clip) == ClipFacts(*SIZE, Decimal(seconds))


def test_an_edit_list_of_the_sound_is_no_fault(tmp_path: Path) -> None:
    clip = containers.edit(film(tmp_path / "a.mp4", sound=(0, 2)), tmp_path / "b.mp4", [(0.5, 1, ONCE)], b"soun")
    assert probe(clip) == TWO_SECONDS


def test_pictures_of_seconds_are_no_fault(tmp_path: Path) -> None:
    assert probe(media_files.film(tmp_path / "a.mp4", media_files.colours(3), fps=1)).seconds == Decimal(3)


def _brightness(clip: Path, which: str, to: Path) -> int:
    frame(clip, "first" if which == "first" else "last", to)
    with Image.open(to) as shown:
        pixel = shown.getpixel((SIZE[0] // 4, SIZE[1] // 4))
    assert isinstance(pixel, tuple)
    return int(pixel[0])


def test_the_frames_of_a_trimmed_clip_are_those_that_a_player_shows(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mp4", "mpeg4")  # without B-frames: the edit counts from the first frame on
    trimmed = containers.edit(whole, tmp_path / "b.mp4", [(1, 0.5, ONCE)])
    first, last = (_brightness(trimmed, which, tmp_path / "c.png") for which in ("first", "last"))
    assert abs(first - (30 + 180 * 12 // 47)) <= 4
    assert abs(last - (30 + 180 * 35 // 47)) <= 4


def test_a_frame_of_a_turned_clip_is_upright(tmp_path: Path) -> None:
    clip = containers.turn(film(tmp_path / "a.mp4"), tmp_path / "b.mp4", 90)
    frame(clip, "last", tmp_path / "last.png")
    with Image.open(tmp_path / "last.png") as shown:
        assert shown.size == (SIZE[1], SIZE[0])


def test_the_frame_of_a_clip_with_a_thumbnail_is_the_films(tmp_path: Path) -> None:
    clip = containers.add_cover(film(tmp_path / "a.mp4"), tmp_path / "b.mp4", "png", attached=False, first=True)
    frame(clip, "first", tmp_path / "first.png")
    with Image.open(tmp_path / "first.png") as shown:
        assert shown.size == SIZE
