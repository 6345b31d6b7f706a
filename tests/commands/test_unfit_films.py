"""What does not fit a film is said where it is shown, and the rest is made: clips, edits, music, fonts, disks."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests import requirements
from tests.builders.clips import decode, make_clip
from tests.builders.content_repo import CommandResult, ContentRepo
from tests.builders.made_films import OUTPUT, filmed, write_manifest
from tests.builders.media_files import sound

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - {id: quay, prompt: Sunrise over the quay, takes: 2}
  - {id: boats, prompt: Boats leave the harbour}
"""
BOARD = "storyboards/film.yaml"
COMMANDS = {"cut": "cut.mp4", "sheet": "sheet.jpg", "dailies": "dailies.html", "timeline": "timeline.otio"}
FULL_DISK = 'mount -t tmpfs -o size=4k none "$0" && "$@"; code=$?; ls -A "$0"; exit $code'
"""In a world of its own, where a folder is a disk with room for one page of memory; ends with what is left there."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A film whose three takes are made, each with a clip of four seconds."""
    return filmed(tmp_path_factory.mktemp("film"), FILM, seconds=4)


@pytest.fixture
def film(made: ContentRepo, tmp_path: Path) -> ContentRepo:
    shutil.copytree(made.root.parent, tmp_path / "copy", symlinks=True)
    return ContentRepo(tmp_path / "copy" / made.root.name)


def run_by(film: ContentRepo, before: list[str], *words: str, **env: str) -> CommandResult:
    """Run a command below other words: those of another user, or of a disk."""
    line = [*before, sys.executable, "-m", "runner", *words]
    done = subprocess.run(
        line, cwd=film.root, env=film.env(**env), capture_output=True, text=True, timeout=60, check=False
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def clip_of(film: ContentRepo, shot: str, take: int = 1) -> Path:
    return film.root / OUTPUT / f"clips/{shot}/take-{take}.mp4"


# -- clips -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_film_without_a_clip_is_made_of_what_stands_in_for_them(tmp_path: Path, command: str) -> None:
    film = filmed(tmp_path, FILM, lambda _: None)
    result = film.storyboard(command, BOARD)
    assert (result.code, "missing    2 clips: quay (new), boats (new)" in result.out) == (1, True), result.err
    assert (film.root / OUTPUT / COMMANDS[command]).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pick_whose_take_is_gone_is_a_slate_that_says_so(film: ContentRepo, command: str) -> None:
    assert film.storyboard("pick", "quay", "2").code == 0
    clip_of(film, "quay", 2).unlink()
    result = film.storyboard(command, BOARD)
    assert (result.code, "missing    1 clip: quay (made; its clip is missing" in result.out) == (1, True)
    assert (film.root / OUTPUT / COMMANDS[command]).is_file()


def test_a_clip_that_came_short_is_said_and_shown_to_its_end(film: ContentRepo) -> None:
    film.write(BOARD, FILM + "cut: [quay, {shot: boats, in: 3, seconds: 1}, {shot: quay, in: 1, seconds: 3}]\n")
    shots = film.manifest(variant="kinovi")["shots"]
    for shot in shots:
        for take in shot["takes"]:
            take["clip"]["seconds"] = 3.5
    write_manifest(film, shots)
    result = film.storyboard("cut", BOARD)
    assert (result.code, "boats: the edit uses the clip to 4 s, and it has 3.5 s" in result.out) == (0, True), result
    assert decode(film.root / OUTPUT / "cut.mp4").seconds == pytest.approx(3.5 + 0.5 + 2.5, abs=0.042)


def test_mixed_clips_are_cut_into_one_film_with_the_reason(film: ContentRepo) -> None:
    film.write(BOARD, FILM + "cut: [quay, {clip: tall.mp4}, {clip: silent.mp4, seconds: 1}, boats]\n")
    make_clip(film.root / "storyboards/tall.mp4", size=(96, 160), rate=Fraction(30), codec="libx265")
    make_clip(film.root / "storyboards/silent.mp4", seconds=Fraction(2), tone=None, codec="libsvtav1")
    result = film.storyboard("cut", BOARD)
    assert (result.code, "encoded, since 2 clips are of another codec" in result.out) == (0, True), result
    decoded = decode(film.root / OUTPUT / "cut.mp4")
    assert abs(decoded.seconds - 10) <= Fraction(1, 24)
    assert decoded.largest_gap <= 0.001


# -- the edit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{shot: boats, in: 4.5, seconds: 1}", "in"),
        ("{shot: boats, in: 3.5, seconds: 1}", "seconds"),
        ("boat", "did you mean boats?"),
        ("{clip: gone.mp4}", "gone.mp4"),
    ],
    ids=["in beyond the clip", "out beyond the clip", "no such shot", "no such file"],
)
def test_an_edit_that_cannot_be_is_a_problem_at_its_line(
    film: ContentRepo, command: str, entry: str, message: str
) -> None:
    film.write(BOARD, FILM + f"cut:\n  - quay\n  - {entry}\n")
    result = film.storyboard(command, BOARD)
    text = result.out + result.err
    assert (result.code, f"{BOARD}:9" in text, message in text) == (3, True, True), text
    assert not (film.root / OUTPUT / COMMANDS[command]).exists()


def test_a_take_that_the_edit_names_and_nobody_made_is_a_slate(film: ContentRepo) -> None:
    film.write(BOARD, FILM + "cut: [{shot: quay, take: 7}, boats]\n")
    result = film.storyboard("cut", BOARD)
    assert (result.code, "missing    1 clip: quay (no such take)" in result.out) == (1, True), result
    assert abs(decode(film.root / OUTPUT / "cut.mp4").seconds - 8) <= Fraction(1, 24)


def test_music_that_ends_before_the_film_is_said(film: ContentRepo) -> None:
    sound(film.root / "storyboards/score.m4a", "aac", "ipod")
    film.write(BOARD, FILM + "music: {audio: score.m4a, start: 1}\n")
    result = film.storyboard("cut", BOARD)
    assert (result.code, "note       the music ends 7.0 s before the film" in result.out) == (0, True), result
    assert abs(decode(film.root / OUTPUT / "cut.mp4").seconds - 8) <= Fraction(1, 24)


def test_letters_that_no_font_draws_are_said(film: ContentRepo) -> None:
    film.write(BOARD, FILM + 'cut: [quay, {slate: "\\U0001E922 fin", seconds: 1}]\n')
    for command in ("cut", "sheet"):
        result = film.storyboard(command, BOARD, COLUMNS="200")
        assert (result.code, "note       no font on this machine draws \U0001e922" in result.out) == (0, True), result


# -- disks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "name"), COMMANDS.items())
def test_a_read_only_folder_is_named(film: ContentRepo, command: str, name: str) -> None:
    (film.root / OUTPUT).chmod(0o500)
    try:
        result = run_by(film, requirements.rights_of_a_user(), command, BOARD)
    finally:
        (film.root / OUTPUT).chmod(0o700)
    assert result.code == 3, result
    assert f"cannot write {OUTPUT}/{name}: permission denied" in " ".join(result.err.split())


@pytest.mark.parametrize(("command", "left"), [("cut", ""), ("sheet", ""), ("dailies", ""), ("timeline", "media\n")])
def test_a_full_disk_is_named_and_nothing_half_made_stays(film: ContentRepo, command: str, left: str) -> None:
    disk = film.root.parent / "disk"
    disk.mkdir()
    before = [*requirements.mount_namespace(), "sh", "-c", FULL_DISK, str(disk)]
    result = run_by(film, before, command, BOARD, "--to", str(disk / COMMANDS[command]))
    assert (result.code, result.out) == (3, left), result
    assert f"{COMMANDS[command]}: no space left on device" in " ".join(result.err.split())


def test_a_full_disk_for_temporary_files_is_named(film: ContentRepo) -> None:
    disk = film.root.parent / "disk"
    disk.mkdir()
    film.write(BOARD, FILM + "cut: [quay, {slate: Title, seconds: 1}]\n")
    before = [*requirements.mount_namespace(), "sh", "-c", FULL_DISK, str(disk)]
    result = run_by(film, before, "cut", BOARD, TMPDIR=str(disk))
    assert (result.code, f"{disk}: no space left on device" in " ".join(result.err.split())) == (3, True), result
    assert not list((film.root / OUTPUT).glob("*cut*"))


def test_what_is_shown_with_json_is_the_same(film: ContentRepo) -> None:
    clip_of(film, "boats").unlink()
    result = film.storyboard("cut", BOARD, "--json")
    assert result.code == 1, result.err
    (shown,) = json.loads(result.out)["films"]
    assert [missing["shot"] for missing in shown["missing"]] == ["boats"]
