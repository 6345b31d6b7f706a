"""A contact sheet shows a picture of every clip, in the order given."""

from pathlib import Path

import pytest
from PIL import Image

from runner.media.contact_sheet import contact_sheet
from tests.media import samples


def _film(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (160, 90)) -> Path:
    return samples.film(path, [Image.new("RGB", size, colour)] * 12)


def test_clips_stand_in_rows_in_their_order(tmp_path: Path) -> None:
    red, blue = _film(tmp_path / "r.mp4", (200, 30, 30)), _film(tmp_path / "b.mp4", (30, 30, 200))
    contact_sheet([(red, "quay · take 1"), (blue, "dance"), (blue, "enter")], tmp_path / "sheet.png", 2, width=800)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 800
        colours = [sheet.getpixel(place) for place in ((200, 60), (600, 60), (200, sheet.height * 3 // 5))]
    strongest = [max(range(3), key=colour.__getitem__) for colour in colours if isinstance(colour, tuple)]
    assert strongest == [0, 2, 2]


def test_an_upright_clip_is_shown_whole(tmp_path: Path) -> None:
    contact_sheet([(_film(tmp_path / "u.mp4", (30, 200, 30), (90, 160)), "tall")], tmp_path / "sheet.png", 3, width=400)
    with Image.open(tmp_path / "sheet.png") as sheet:
        green = [sheet.getpixel((200, y)) for y in (12, 150)]
        side = sheet.getpixel((20, 80))
    assert all(isinstance(pixel, tuple) and pixel[1] > 150 for pixel in green)
    assert isinstance(side, tuple)
    assert max(side) < 60


def test_a_clip_that_cannot_be_read_is_an_empty_cell(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    contact_sheet([(tmp_path / "broken.mp4", "broken"), (tmp_path / "gone.mp4", "gone")], tmp_path / "s.png", 2)
    assert (tmp_path / "s.png").stat().st_size > 1000


def test_a_sheet_of_nothing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a clip"):
        contact_sheet([], tmp_path / "s.png", 2)
