"""The film at the end of a run: its cut and sheet, or why there is none; the exit code is the run's."""

import hashlib
import json
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from runner.assembly.film_key import VERSION
from tests.builders.clips import decode
from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import Host
from tests.waiting import wait_until

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - {id: quay, prompt: Sunrise over the quay}
  - {id: boats, prompt: Boats leave the harbour}
"""
BOARD = "storyboards/film.yaml"
FREE, PAID = "renders/film/sandbox", "renders/film/kinovi"
SLATE = "cut: [quay, {slate: Title, seconds: 1}, boats]\n"
OLDER = "cut.mp4 is older than the clips"


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, FILM)


def test_a_run_ends_with_the_film_joined_and_its_path_comes_first(film: ContentRepo) -> None:
    result = film.storyboard("run", BOARD)
    assert result.code == 0, result.err
    lines = [line.strip() for line in result.out.splitlines() if line.strip()]
    assert lines[1:4] == [f"watch      {FREE}/cut.mp4", "0:08", f"sheet      {FREE}/sheet.jpg"]
    assert decode(film.root / FREE / "cut.mp4").seconds == 8
    assert (film.root / FREE / "sheet.jpg").is_file()


def test_a_free_run_encodes_a_film_that_cannot_be_joined(film: ContentRepo) -> None:
    film.write(BOARD, FILM.replace("480p", "720p") + SLATE)
    result = film.storyboard("run", BOARD)
    assert "0:09 · encoded small, since 1 slate is in it" in result.out
    decoded = decode(film.root / FREE / "cut.mp4")
    assert (decoded.size, abs(decoded.seconds - 9) <= Fraction(1, 24)) == ((854, 480), True)


def test_the_small_film_of_a_run_is_replaced_by_that_of_cut(film: ContentRepo) -> None:
    film.write(BOARD, FILM.replace("480p", "720p") + SLATE)
    film.storyboard("run", BOARD)
    assert "1280 × 720" in film.storyboard("cut", BOARD).out
    assert "unchanged" in film.storyboard("cut", BOARD).out


def test_a_paid_run_joins_the_film(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    result = paid_film.storyboard("run", BOARD, "--yes", **host().env)
    assert f"watch      {PAID}/cut.mp4" in result.out, result.err
    assert decode(paid_film.root / PAID / "cut.mp4").seconds == 8


def test_a_paid_run_names_the_command_where_the_film_has_to_be_encoded(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    paid_film.write(BOARD, (paid_film.root / BOARD).read_text() + SLATE)
    result = paid_film.storyboard("run", BOARD, "--yes", **host().env)
    assert f"watch      storyboard cut {BOARD} --provider kinovi\n" in result.out
    assert "encodes the film, since 1 slate is in it" in result.out
    assert not (paid_film.root / PAID / "cut.mp4").exists()


def test_a_run_that_leaves_several_takes_leads_to_the_page_on_which_one_is_picked(film: ContentRepo) -> None:
    film.write(BOARD, FILM.replace("the quay}", "the quay, takes: 2}"))
    named = f"storyboard dailies {BOARD} --serve"
    assert named in film.storyboard("run", BOARD).out
    assert named in film.storyboard("status", BOARD).out
    assert film.storyboard("pick", "quay", "2").code == 0
    assert named not in film.storyboard("status", BOARD).out


def test_after_a_free_run_beside_paid_clips_the_commands_lead_to_the_free_ones(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--yes", "--no-cut", **there.env).code == 0
    two = (paid_film.root / BOARD).read_text().replace("the quay\n", "the quay\n    takes: 2\n")
    paid_film.write(BOARD, two)
    assert paid_film.storyboard("run", BOARD).code == 0
    paid_film.write(BOARD, two.replace("Boats", "Ships"))
    shown = paid_film.storyboard("run", BOARD, "--no-cut").out
    [dailies] = [
        line.split("--serve")[0].split("storyboard ")[1].split() for line in shown.splitlines() if "--serve" in line
    ]
    [cut] = [
        line.split("storyboard ")[1].split() for line in shown.splitlines() if line.strip().startswith("storyboard cut")
    ]
    for command in (dailies, cut):
        assert f"{FREE}/{'dailies.html' if command is dailies else 'cut.mp4'}" in paid_film.storyboard(*command).out


@pytest.mark.parametrize("words", [["--no-cut"], ["--quiet"], ["--json"], ["--select", "quay"], ["--exclude", "quay"]])
def test_a_run_for_programs_or_of_a_part_makes_no_film(film: ContentRepo, words: list[str]) -> None:
    assert film.storyboard("run", BOARD, *words).code == 0
    assert not (film.root / FREE / "cut.mp4").exists()


def test_a_run_in_ci_makes_no_film(film: ContentRepo) -> None:
    assert film.storyboard("run", BOARD, CI="true").code == 0
    assert not (film.root / FREE / "cut.mp4").exists()


def test_a_run_with_nothing_new_leaves_the_film_alone(film: ContentRepo) -> None:
    film.storyboard("run", BOARD)
    before = (film.root / FREE / "cut.mp4").stat().st_mtime_ns
    assert film.storyboard("run", BOARD).code == 0
    assert (film.root / FREE / "cut.mp4").stat().st_mtime_ns == before


def test_a_film_that_does_not_show_the_clips_any_more_is_older_than_they(film: ContentRepo) -> None:
    film.storyboard("run", BOARD)
    assert f"watch      {FREE}/cut.mp4" in film.storyboard("status", BOARD).out
    film.write(BOARD, FILM.replace("Sunrise", "Sunset"))
    result = film.storyboard("run", BOARD, "--no-cut")
    assert (f"{FREE}/{OLDER}\n             storyboard cut {BOARD}" in result.out, result.code) == (True, 0)
    assert f"{FREE}/{OLDER}" in film.storyboard("status", BOARD, "--select", "quay").out
    film.storyboard("cut", BOARD)
    assert OLDER not in film.storyboard("status", BOARD).out


def test_a_film_that_an_earlier_version_joined_is_older_and_made_anew(film: ContentRepo) -> None:
    film.storyboard("run", BOARD)
    cut = film.root / FREE / "cut.mp4"
    segments = [
        [digest(film.root / FREE / f"clips/{shot}/take-1.mp4"), "0", "4", "0", ""] for shot in ("quay", "boats")
    ]
    present, earlier = (
        json.dumps({"burn_in": False, "music": None, "segments": segments, "version": version}, sort_keys=True)
        for version in (VERSION, VERSION - 1)
    )
    content = cut.read_bytes()
    assert content.count(hashed(present)) == 1
    cut.write_bytes(content.replace(hashed(present), hashed(earlier)))
    assert f"{FREE}/{OLDER}" in film.storyboard("status", BOARD).out
    assert "unchanged" not in film.storyboard("cut", BOARD).out
    assert cut.read_bytes() == content


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).hexdigest().encode()


def test_a_film_that_cannot_be_written_is_a_note_and_the_exit_code_is_the_runs(film: ContentRepo) -> None:
    (film.root / FREE / "cut.mp4").mkdir(parents=True)
    (film.root / FREE / "cut.mp4" / "kept.txt").write_text("kept")
    result = film.storyboard("run", BOARD)
    assert (result.code, f"note       cannot write {FREE}/cut.mp4" in result.out) == (0, True), result.out + result.err
    assert (film.root / FREE / "cut.mp4" / "kept.txt").read_text() == "kept"
    assert not list((film.root / FREE).glob(".*part*"))


def test_ctrl_c_leaves_the_film_out_and_the_run_has_its_own_exit_code(film: ContentRepo) -> None:
    film.write(BOARD, FILM + "cut: [quay, {slate: Title, seconds: 3000}, boats]\n")
    process = film.start("run", BOARD)
    wait_until(lambda: any((film.root / FREE).glob(".*cut.mp4*")), "the film is being encoded", 60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "note       the cut was stopped" in out) == (0, True), out + err
    assert f"storyboard cut {BOARD}" in out
    assert not list((film.root / FREE).glob(".*cut.mp4*"))
