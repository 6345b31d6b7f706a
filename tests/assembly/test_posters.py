"""The cache of posters: kept by content, bounded in size."""

import io
import os
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from runner.assembly.clip_picture import ClipRange
from runner.assembly.posters import PosterRequest, posters, reach
from tests.builders.clips import make_clip

WHOLE = ClipRange(Fraction(0), Fraction(1), Fraction(1, 2))


def request(path: Path, number: int = 1, **fields: object) -> PosterRequest:
    return PosterRequest(path, f"{number:064x}", WHOLE, 80, **fields)  # type: ignore[arg-type]


def test_the_cache_loses_the_posters_that_were_used_least_recently(tmp_path: Path) -> None:
    clip, cache = make_clip(tmp_path / "clip.mp4"), tmp_path / "posters"
    (size,) = (len(poster or b"") for poster in posters([request(clip)], cache))
    for number in range(2, 11):
        posters([request(clip, number)], cache)
    for age, path in enumerate(sorted(cache.iterdir())):
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    posters([request(clip, 1)], cache)  # the oldest is used again
    posters([request(clip, 11)], cache, cache_bytes=size * 8)
    names = {int(path.name.split("-")[0], 16) for path in cache.iterdir()}
    assert 1 in names
    assert 11 in names
    assert 2 not in names
    assert sum(path.stat().st_size for path in cache.iterdir()) <= size * 8


def test_a_small_poster_is_webp_of_the_width_that_was_asked_for(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    jpeg, webp = posters([request(clip), request(clip, form="webp")], tmp_path / "posters")
    assert jpeg is not None
    assert webp is not None
    with Image.open(io.BytesIO(webp)) as image:
        assert (image.format, image.size) == ("WEBP", (80, 45))
    assert len(webp) < len(jpeg) / 2


def test_a_broken_file_of_the_cache_is_drawn_anew(tmp_path: Path) -> None:
    clip, cache = make_clip(tmp_path / "clip.mp4"), tmp_path / "posters"
    whole = posters([request(clip)], cache)
    (path,) = cache.iterdir()
    path.write_bytes(b"\xff\xd8 half")
    assert posters([request(clip)], cache) == whole


def test_a_poster_that_was_kept_by_an_earlier_rule_is_not_taken(tmp_path: Path) -> None:
    clip, cache = make_clip(tmp_path / "clip.mp4"), tmp_path / "posters"
    (drawn,) = posters([request(clip)], cache)
    (path,) = cache.iterdir()
    for earlier in (f"{1:064x}-500-80.jpg", path.name.replace("-3.jpg", "-2.jpg")):
        path.unlink(missing_ok=True)
        (cache / earlier).write_bytes(b"\xff\xd8 another picture \xff\xd9")
        assert posters([request(clip)], cache) == [drawn]


def test_a_poster_is_kept_by_its_range_and_by_how_far_it_may_be_in_it(tmp_path: Path) -> None:
    ranges = [
        WHOLE,
        ClipRange(Fraction(1, 4), Fraction(1), Fraction(1, 2)),
        ClipRange(Fraction(0), Fraction(1, 2), Fraction(1, 2)),
        ClipRange(Fraction(0), Fraction(1), Fraction(1, 4)),
    ]
    names = {PosterRequest(tmp_path, "", span, 80).name for span in ranges}
    assert len(names) == 4
    further = ClipRange(Fraction(0), Fraction(1), Fraction(2))
    assert PosterRequest(tmp_path, "", further, 80).name in names, "further than the middle is the middle"


@pytest.mark.parametrize(("clips", "seconds"), [(1, 150), (26, 5.5), (60, 2.5), (100, 1.5), (300, 0.5), (3000, 0.5)])
def test_a_picture_is_taken_at_the_middle_unless_the_clips_are_many(clips: int, seconds: float) -> None:
    assert reach(clips) == Fraction(seconds)
