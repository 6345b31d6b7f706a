"""A run with nothing to do: the same words again, not a byte written, and the output's lock respected."""

import shutil
from pathlib import Path

import pytest

from runner.store import locks
from tests.builders.content_repo import CommandResult, ContentRepo, content

FILM = "storyboards/film.yaml"
BOARD = """\
storyboard: 1
title: The quay
include: [shared.yaml]
vars: {sky: pink}
defaults: {resolution: 480p, duration: 4}
assets: {door: {image: assets/door.png}}
shots:
  - id: quay
    prompt: "{% include 'dawn.txt' %} The sky is {{ sky }}"
  - id: enter
    first_frame: "@quay.last_frame"
    prompt: She pushes the door open
"""
ASSETS = Path(__file__).parents[2] / "storyboards/assets"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A film of which every clip is made."""
    repo = content(tmp_path_factory.mktemp("made"), BOARD)
    repo.write("storyboards/shared.yaml", "vars: {sea: grey}\n")
    repo.write("prompts/dawn.txt", "Sunrise over the quay.")
    repo.write("storyboards/assets/door.png", "")
    shutil.copy(ASSETS / "door.png", repo.root / "storyboards/assets/door.png")
    result = repo.storyboard("run", FILM, "--no-cut")
    assert result.code == 0, result.out + result.err
    return repo


def test_a_run_with_nothing_to_do_says_so_again_and_writes_nothing(film: ContentRepo) -> None:
    first = film.storyboard("run", FILM, "--no-cut")
    before = {path: path.stat().st_mtime_ns for path in film.root.rglob("*") if path.is_file()}
    again = film.storyboard("run", FILM, "--no-cut")
    assert "all made" in again.out
    assert again == first
    assert before == {path: path.stat().st_mtime_ns for path in film.root.rglob("*") if path.is_file()}


def test_quiet_prints_nothing_when_there_is_nothing_to_do(film: ContentRepo) -> None:
    assert film.storyboard("run", FILM, "--quiet") == CommandResult(0, "", "")


def test_an_output_that_another_run_holds_is_exit_7_though_nothing_is_to_do(film: ContentRepo) -> None:
    with locks.lock_outputs(film.state, [film.root / "renders/film/sandbox"]):
        assert film.storyboard("run", FILM).code == 7


@pytest.mark.parametrize("command", ["validate", "plan", "status", "spend", "fetch", "verify"])
def test_every_command_but_run_finds_the_storyboards_by_itself(film: ContentRepo, command: str) -> None:
    assert film.storyboard(command).code == 0
