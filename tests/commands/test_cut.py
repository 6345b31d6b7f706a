"""`cut` and `sheet`: a film to watch and a page to look at, from the clips that are made."""

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from tests.builders.clips import decode
from tests.builders.content_repo import ContentRepo, content

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - {id: quay, scene: harbour, prompt: Sunrise over the quay}
  - {id: boats, scene: water, prompt: Boats leave the harbour}
  - {id: night, scene: water, prompt: The harbour at night}
"""
OUTPUT = "renders/film/sandbox"


@pytest.fixture(scope="module")
def half_made(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A film of three shots, of which the first two are made."""
    film = content(tmp_path_factory.mktemp("cut"), FILM)
    assert film.storyboard("run", "storyboards/film.yaml", "--select", "quay boats", "--quiet").code == 0
    return film


@pytest.fixture
def film(half_made: ContentRepo, tmp_path: Path) -> ContentRepo:
    """A copy of the half made film, state included."""
    shutil.copytree(half_made.root.parent, tmp_path / "copy")
    return ContentRepo(tmp_path / "copy" / "film")


def test_a_cut_shows_the_film_in_its_order_with_a_slate_for_what_is_missing(film: ContentRepo) -> None:
    result = film.storyboard("cut", "storyboards/film.yaml")
    assert result.code == 1, result.err
    assert f"watch      {OUTPUT}/cut.mp4\n             0:12 · 854 × 480 · 12 fps" in result.out
    assert "encoded, since 1 slate is in it" in result.out
    assert "missing    1 clip: night (" in result.out
    assert "storyboard run storyboards/film.yaml" in result.out
    decoded = decode(film.root / OUTPUT / "cut.mp4")
    assert abs(decoded.seconds - 12) <= Fraction(1, 24)
    assert decoded.largest_gap <= 0.001


def test_a_part_of_the_film_has_a_name_of_its_own(film: ContentRepo) -> None:
    result = film.storyboard("cut", "storyboards/film.yaml", "--scene", "harbour")
    assert result.code == 0, result.err
    assert f"{OUTPUT}/cut.scene-harbour.mp4" in result.out
    assert "pictures not encoded again" in result.out
    assert not (film.root / OUTPUT / "cut.mp4").exists()


def test_a_cut_that_is_there_already_is_not_made_again(film: ContentRepo) -> None:
    film.storyboard("cut", "storyboards/film.yaml", "--select", "quay boats")
    made = film.root / OUTPUT / "cut.quay-boats.mp4"
    before = made.stat().st_mtime_ns
    result = film.storyboard("cut", "storyboards/film.yaml", "--select", "quay boats")
    assert "unchanged: it already shows this edit and these clips" in result.out
    assert made.stat().st_mtime_ns == before


def test_another_file_of_that_name_is_replaced_as_a_whole(film: ContentRepo, tmp_path: Path) -> None:
    outside = tmp_path / "precious.txt"
    outside.write_text("precious")
    (film.root / OUTPUT / "cut.quay.mp4").symlink_to(outside)
    assert film.storyboard("cut", "storyboards/film.yaml", "--select", "quay").code == 0
    assert outside.read_text() == "precious"
    assert not (film.root / OUTPUT / "cut.quay.mp4").is_symlink()


def test_burn_in_is_a_file_of_its_own(film: ContentRepo) -> None:
    result = film.storyboard("cut", "storyboards/film.yaml", "--select", "quay", "--burn-in", "--json")
    assert result.json["films"][0]["path"] == f"{OUTPUT}/cut.quay.burn-in.mp4"


def test_a_cut_goes_to_the_file_that_is_named(film: ContentRepo, tmp_path: Path) -> None:
    target = tmp_path / "out" / "quay.mp4"
    assert film.storyboard("cut", "storyboards/film.yaml", "--select", "quay", "--to", str(target)).code == 0
    assert decode(target).seconds == 4


def test_a_file_for_several_films_is_refused(film: ContentRepo, tmp_path: Path) -> None:
    film.write("storyboards/other.yaml", FILM.replace("The quay", "Other"))
    result = film.storyboard("cut", "--to", str(tmp_path / "one.mp4"))
    assert (result.code, "--to names one file for several films" in result.err) == (2, True)


def test_a_folder_that_cannot_be_written_is_named(film: ContentRepo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = film.storyboard("cut", "storyboards/film.yaml", "--select", "quay", "--to", f"{tmp_path}/file/cut.mp4")
    assert (result.code, "cannot write" in result.err) == (3, True)


def test_a_sheet_has_a_picture_of_each_shot_and_says_what_is_missing(film: ContentRepo) -> None:
    result = film.storyboard("sheet", "storyboards/film.yaml")
    assert result.code == 1, result.err
    assert f"sheet      {OUTPUT}/sheet.jpg\n             0:12 · 3 pictures" in result.out
    assert "missing    1 clip: night (" in result.out
    with Image.open(film.root / OUTPUT / "sheet.jpg") as image:
        assert image.width == 1600


def test_a_slate_of_the_cut_is_no_missing_picture_of_the_sheet(film: ContentRepo) -> None:
    film.write("storyboards/film.yaml", FILM + "cut: [quay, {slate: The end, seconds: 1}]\n")
    result = film.storyboard("sheet", "storyboards/film.yaml")
    assert (result.code, "missing" in result.out) == (0, False), result.out + result.err


def test_the_posters_are_kept_for_the_next_sheet(film: ContentRepo) -> None:
    film.storyboard("sheet", "storyboards/film.yaml")
    kept = sorted((film.state / "posters").glob("*.jpg"))
    assert len(kept) == 2
    kept[0].write_bytes(b"damaged")
    assert film.storyboard("sheet", "storyboards/film.yaml").code == 1
    assert kept[0].read_bytes().startswith(b"\xff\xd8")


def test_a_sheet_as_pdf_holds_its_words_as_text(film: ContentRepo) -> None:
    result = film.storyboard("sheet", "storyboards/film.yaml", "--pdf")
    assert result.code == 1, result.err
    pdf = (film.root / OUTPUT / "sheet.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/ToUnicode" in pdf


@pytest.mark.parametrize("command", ["cut", "sheet"])
def test_nothing_made_yet_is_all_slates(tmp_path: Path, command: str) -> None:
    film = content(tmp_path, FILM.replace("480p", "480p"))
    result = film.storyboard(command, "storyboards/film.yaml", "--select", "quay")
    assert result.code == 1, result.err
    assert "missing    1 clip: quay (new)" in result.out


@pytest.mark.parametrize("command", ["cut", "sheet"])
def test_a_selection_outside_the_film_is_refused(film: ContentRepo, command: str) -> None:
    result = film.storyboard(command, "storyboards/film.yaml", "--select", "quai")
    assert (result.code, "did you mean 'quay'?" in result.err) == (2, True)


@pytest.mark.parametrize("command", ["cut", "sheet", "dailies", "timeline"])
def test_a_damaged_clip_leaves_the_rest_of_the_film_to_be_seen(film: ContentRepo, command: str) -> None:
    damage(film.root / OUTPUT / "clips/boats/take-1.mp4")
    result = film.storyboard(command, "storyboards/film.yaml", "--select", "quay boats")
    assert result.code == 1, result.err
    assert "missing    1 clip: boats (" in result.out
    assert ("its clip is damaged" in result.out) == (command != "sheet"), result.out
    assert ("storyboard verify storyboards/film.yaml\n" in result.out) == (command == "cut")
    assert len(list((film.root / OUTPUT).glob(f"{command}.quay-boats.*"))) == 1


def test_the_film_with_a_slate_for_a_damaged_clip_is_made_anew_when_the_clip_is_whole_again(film: ContentRepo) -> None:
    clip = film.root / OUTPUT / "clips/boats/take-1.mp4"
    content = clip.read_bytes()
    damage(clip)
    words = ("cut", "storyboards/film.yaml", "--select", "quay boats")
    assert "1 slate is in it" in film.storyboard(*words).out
    assert "unchanged" in film.storyboard(*words).out
    clip.write_bytes(content)
    assert "pictures not encoded again" in film.storyboard(*words).out


def damage(clip: Path) -> None:
    """Overwrite a clip with as many zeros, as a failing disk does."""
    clip.write_bytes(bytes(clip.stat().st_size))
