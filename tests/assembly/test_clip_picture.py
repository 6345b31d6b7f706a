"""The picture that stands for a range of a clip: which moment, and that it is exactly the one shown then."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from runner.assembly.clip_picture import ClipRange, clip_picture
from runner.assembly.sources import facts_of
from runner.media.frames import image_of
from tests.builders.clips import make_clip
from tests.builders.scheduling import ordinary_scheduling

HALF = Fraction(1, 2)
WIDTH = 80
KEY_AT_START = 1000


def shown_at(path: Path, moment: Fraction) -> Image.Image:
    """The picture at a moment, by decoding the whole clip."""
    with av.open(str(path)) as container:
        times = {(frame.pts or 0) * Fraction(frame.time_base or 1): frame for frame in container.decode(video=0)}
    first = min(times)
    frame = times[max(time for time in times if time - first <= moment)]
    return image_of(frame, WIDTH, round(WIDTH * frame.height / frame.width))


def assert_shown(path: Path, span: ClipRange, moment: Fraction) -> None:
    picture = clip_picture(path, span, WIDTH)
    assert picture is not None
    assert picture.tobytes() == shown_at(path, moment).tobytes()


@pytest.mark.parametrize(
    ("gop", "begin", "moment"),
    [
        pytest.param(KEY_AT_START, 0, Fraction(1, 2), id="key picture at the start only"),
        pytest.param(12, 0, Fraction(5, 2), id="key pictures often: the middle"),
        pytest.param(48, 0, Fraction(5, 2), id="a key picture just before the middle"),
        pytest.param(36, 0, Fraction(2), id="a key picture long before the middle"),
        pytest.param(KEY_AT_START, 3, Fraction(7, 2), id="begins deep in the clip"),
        pytest.param(48, 3, Fraction(4), id="begins deep in the clip, the middle near"),
    ],
)
def test_the_moment_is_at_most_the_reach_past_the_begin_or_a_key_picture(
    gop: int, begin: int, moment: Fraction, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=Fraction(5), level=200, gop=gop, b_frames=3)
    span = ClipRange(Fraction(begin), Fraction(5 - begin), HALF)
    if moment == 4:
        span = ClipRange(Fraction(3), Fraction(2), Fraction(2))
    assert_shown(clip, span, moment)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_the_picture_is_the_one_shown_at_the_moment_whatever_others_refer_to(
    codec: str, b_frames: int, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", codec=codec, gop=KEY_AT_START, b_frames=b_frames, tone=None)
    for number in range(24):
        moment = Fraction(number, 24)
        assert_shown(clip, ClipRange(Fraction(0), Fraction(4), moment), moment)


def test_a_clip_that_is_shorter_than_the_range_shows_its_last_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", gop=KEY_AT_START, b_frames=3)
    assert_shown(clip, ClipRange(Fraction(0), Fraction(10), Fraction(5)), Fraction(23, 24))


def test_a_clip_whose_time_begins_later_is_counted_from_its_first_picture(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4", gop=KEY_AT_START, b_frames=3, tone=None, muxer={"use_editlist": "0"}, level=200
    )
    with av.open(str(clip)) as container:
        assert container.streams.video[0].start_time != 0
    assert_shown(clip, ClipRange(Fraction(0), Fraction(1), HALF), HALF)


def draw_clip(path: Path, pictures: Mapping[int, int]) -> Path:
    """A clip of one key picture; `pictures` is the luma of each by its millisecond."""
    with ordinary_scheduling(), av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "2"})
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        for at, luma in pictures.items():
            frame = av.VideoFrame(160, 90, "yuv420p")
            for plane, value in zip(frame.planes, (luma, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


@pytest.mark.parametrize(("moment", "shown"), [(500, 90), (700, 700), (1400, 710), (2900, 1520)])
def test_a_picture_of_uneven_length_is_shown_until_the_next(moment: int, shown: int, tmp_path: Path) -> None:
    times = (0, 40, 90, 700, 710, 1500, 1520, 3000)
    clip = draw_clip(tmp_path / "clip.mp4", {at: 200 - 15 * number for number, at in enumerate(times)})
    assert_shown(clip, ClipRange(Fraction(0), Fraction(6), Fraction(moment, 1000)), Fraction(shown, 1000))


@pytest.mark.parametrize(("luma_at_the_reach", "moment"), [(16, Fraction(2)), (90, HALF)])
def test_a_clip_that_comes_out_of_black_shows_its_middle(
    luma_at_the_reach: int, moment: Fraction, tmp_path: Path
) -> None:
    steps = {at: luma_at_the_reach if at <= 1000 else 200 - at // 40 for at in range(0, 4000, 40)}
    clip = draw_clip(tmp_path / "clip.mp4", steps)
    assert_shown(clip, ClipRange(Fraction(0), Fraction(4), HALF), moment)


@pytest.mark.parametrize(("rotation", "size"), [(0, (80, 45)), (90, (80, 142)), (180, (80, 45)), (270, (80, 142))])
def test_the_picture_is_upright_and_as_wide_as_was_asked_for(
    rotation: int, size: tuple[int, int], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", rotation=rotation)
    picture = clip_picture(clip, ClipRange(Fraction(0), Fraction(1), HALF), WIDTH)
    assert picture is not None
    assert picture.size == size


def test_a_damaged_clip_has_no_picture_or_that_of_what_is_left(tmp_path: Path) -> None:
    span = ClipRange(Fraction(0), Fraction(1), HALF)
    whole = make_clip(tmp_path / "clip.mp4", muxer={"movflags": "+faststart"}, tone=None, gop=KEY_AT_START)
    content = whole.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content[: len(content) // 3])
    assert clip_picture(broken, span, WIDTH) is None
    start = content.index(b"mdat") + 4
    broken.write_bytes(content[:start] + bytes(len(content) - start))
    assert clip_picture(broken, span, WIDTH) is None
    broken.write_bytes(content[:-40])
    assert clip_picture(broken, span, WIDTH) is not None


@pytest.mark.parametrize(
    ("size", "aspect", "rotation", "shown"),
    [
        pytest.param((144, 108), Fraction(4, 3), 0, (80, 45), id="wide pixels: 192 by 108"),
        pytest.param((160, 90), Fraction(1, 2), 0, (80, 90), id="narrow pixels: 80 by 90"),
        pytest.param((144, 108), Fraction(4, 3), 90, (80, 142), id="wide pixels, turned: 108 by 192"),
        pytest.param((160, 90), Fraction(1), 0, (80, 45), id="square pixels"),
    ],
)
def test_the_picture_has_the_shape_in_which_players_and_the_cut_show_the_clip(
    size: tuple[int, int], aspect: Fraction, rotation: int, shown: tuple[int, int], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=size, sample_aspect=aspect, rotation=rotation)
    picture = clip_picture(clip, ClipRange(Fraction(0), Fraction(1), HALF), WIDTH)
    assert picture is not None
    assert picture.size == shown
    width, height = facts_of(clip).shown_size
    assert shown == (WIDTH, round(WIDTH * height / width))


def test_a_clip_whose_pixels_are_absurdly_narrow_has_no_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", sample_aspect=Fraction(1, 100))
    assert clip_picture(clip, ClipRange(Fraction(0), Fraction(1), HALF), 800) is None
