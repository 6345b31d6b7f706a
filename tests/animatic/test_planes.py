"""Pictures as planes: what is cut, shifted and scaled is what bilinear scaling of the whole would give."""

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from runner.animatic.encode import empty_frame
from runner.animatic.planes import Planes, mask_of, planes_of, planes_of_frame, planes_over, sample, yuv
from runner.animatic.scene_canvas import MaskPen
from runner.animatic.seeded_noise import SeededNoise, random_bytes
from runner.animatic.zoom import Zoom
from runner.media.frames import image_of


def _clouds(size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("L", size, random_bytes("clouds", size[0] * size[1])).filter(ImageFilter.GaussianBlur(2))


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (0.25, 0), (7.5, 4), (3, 0.75), (1.3, 2.6)])
def test_a_shift_is_the_same_as_scaling_by_one(shift: tuple[float, float]) -> None:
    image = _clouds((80, 60))
    box = (shift[0], shift[1], shift[0] + 40, shift[1] + 30)
    expected = image.resize((40, 30), Image.Resampling.BILINEAR, box=box)
    assert max(ImageChops.difference(sample(image, box, (40, 30)), expected).tobytes()) <= 2


def test_a_shift_may_end_at_the_very_edge() -> None:
    assert sample(_clouds((40, 30)), (0.9, 0.9, 40.9, 30.9), (40, 30)).size == (40, 30)


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (12, 40, 200), (255, 255, 255), (0, 0, 0), (250, 204, 70)]
)
def test_a_colour_comes_back_as_it_was(colour: tuple[int, int, int]) -> None:
    frame = planes_of(Image.new("RGB", (64, 64), colour)).frame()
    frame.colorspace = 1
    tinted = planes_of(Image.new("RGB", (64, 64)))
    tinted.tint(colour, (0, 0), mask_of(Image.new("L", (64, 64), 255)))
    painted = tinted.frame()
    painted.colorspace = 1
    for picture in (image_of(frame), image_of(painted)):
        pixel = picture.getpixel((30, 30))
        assert isinstance(pixel, tuple)
        assert all(abs(a - b) <= 3 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("size", [(854, 480), (2, 2), (66, 34)])
def test_frames_of_any_even_size_keep_their_lines(size: tuple[int, int]) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    frame = planes_of(image).frame()
    frame.colorspace = 1
    assert image_of(frame).size == size
    assert max(ImageChops.difference(image_of(frame), image).tobytes()) <= 6


def test_a_tint_covers_as_much_as_the_mask_says() -> None:
    planes = planes_of(Image.new("RGB", (8, 8)))
    planes.tint((255, 255, 255), (2, 2), mask_of(Image.new("L", (4, 4), 255)))
    white = yuv((255, 255, 255))[0]
    assert [planes.y.getpixel((x, 4)) for x in range(8)] == [16, 16, white, white, white, white, 16, 16]


@pytest.mark.parametrize("size", [(854, 480), (66, 34)])
def test_what_is_painted_on_the_planes_of_a_frame_is_in_the_frame(size: tuple[int, int]) -> None:
    frame = empty_frame(size)
    planes_over(frame).paste(planes_of(Image.new("RGB", size, (12, 40, 200))), (0, 0), None)
    planes_over(frame).tint((250, 204, 70), (0, 0), mask_of(Image.new("L", (size[0] // 4 * 2, size[1]), 255)))
    read = planes_of_frame(frame)
    assert read.y.getpixel((1, size[1] - 1)) == yuv((250, 204, 70))[0]
    assert read.y.getpixel((size[0] - 1, size[1] - 1)) == planes_of(Image.new("RGB", (2, 2), (12, 40, 200))).y.getpixel(
        (1, 1)
    )


def test_shapes_of_a_pen_have_the_edges_of_the_whole_scaled_down() -> None:
    pen = MaskPen((40, 30))
    pen.oval(11.3, 9.8, 6.2, 4.1)
    pen.rect(20.4, 12.1, 28.9, 17.7)
    large = Image.new("L", (80, 60))
    draw = ImageDraw.Draw(large)
    draw.ellipse((10.2, 11.4, 35, 27.8), fill=255)
    draw.rectangle((40.8, 24.2, 56.8, 34.4), fill=255)
    assert ImageChops.difference(pen.mask(), large.reduce(2)).getbbox() is None
    assert MaskPen((8, 8)).mask().getbbox() is None


def test_a_cleared_pen_draws_as_a_new_one() -> None:
    pen, other = MaskPen((40, 30)), MaskPen((40, 30))
    pen.limb((-4, 2), (44, 28), 5)
    pen.shape([(1, 1), (39, 3), (20, 29)])
    pen.clear()
    for pencil in (pen, other):
        pencil.line([(5, 5), (20, 8), (9, 22)], 1.5)
    assert ImageChops.difference(pen.mask(), other.mask()).getbbox() is None
    assert other.mask().getbbox() is not None


@pytest.mark.parametrize("scale", [1.0, 1.04, 1.37])
def test_a_zoom_scales_mask_and_picture_alike(scale: float) -> None:
    mask = Image.new("L", (80, 60))
    ImageDraw.Draw(mask).ellipse((20, 10, 60, 50), fill=255)
    cover, picture = Zoom(mask, Planes(mask, mask.reduce(2), mask.reduce(2))).scaled(scale)
    assert cover is not None
    assert picture is not None
    assert cover.size == picture.size == (round(80 * scale), round(60 * scale))
    expected = mask.resize(cover.size, Image.Resampling.BILINEAR)
    for scaled in (cover, picture.y):
        assert ImageStat.Stat(ImageChops.difference(scaled, expected)).mean[0] < 1


def test_a_zoom_keeps_what_it_scaled_until_the_size_changes() -> None:
    zoom = Zoom(_clouds((80, 60)), None)
    assert zoom.scaled(1.04)[0] is zoom.scaled(1.041)[0]
    assert zoom.scaled(1.04)[0] is not zoom.scaled(1.2)[0]


def test_noise_is_the_same_for_the_same_seed_and_even() -> None:
    assert [SeededNoise("a").unit() for _ in range(3)] == [SeededNoise("a").unit() for _ in range(3)]
    assert SeededNoise("a").unit() != SeededNoise("b").unit()
    noise = SeededNoise("even")
    numbers = [noise.integer(1, 6) for _ in range(6_000)]
    assert all(850 < numbers.count(number) < 1_150 for number in range(1, 7))
    assert (
        SeededNoise("a").substream("x").unit()
        == SeededNoise("a").substream("x").unit()
        != SeededNoise("a").substream("y").unit()
    )
