"""Parts of sounds and videos, and frames of videos, on their way to a paid host."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.builders.media_files import colours, film, wav
from tests.commands.conftest import Host

FILM = """\
storyboard: 1
title: The dance
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  logo: {video: assets/logo.mp4}
  step: {video: assets/logo.mp4, start: 0.5, seconds: 3}
  score: {audio: assets/score.wav, start: 12, seconds: 8}
shots:
  - id: opens
    first_frame: "@logo.last_frame"
    prompt: The sign turns
  - id: dance
    prompt: "@logo.first_frame moves as in @step, to the beat of @score"
"""


@pytest.fixture
def repo(tmp_path: Path) -> ContentRepo:
    made = content(tmp_path, FILM)
    assets = made.root / "storyboards/assets"
    assets.mkdir()
    wav(assets / "score.wav", 40)
    film(assets / "logo.mp4", colours(96, (640, 360)))
    made.write("storyboard.toml", '[providers.kinovi]\nedition = "2026-09"\n')
    return made


def test_parts_and_frames_are_cut_sent_and_accepted(repo: ContentRepo, host: Callable[..., Host]) -> None:
    paid = host("--edition", "2026-09")
    done = repo.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "500", **paid.env)

    assert (done.code, "2 clips made" in done.out + done.err) == (0, True), done.out + done.err
    assert len(paid.state["tasks"]) == 2
    again = repo.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "500", **paid.env)
    assert again.code == 0
    assert len(paid.state["tasks"]) == 2


def test_the_plan_names_each_part(repo: ContentRepo) -> None:
    told = repo.storyboard("plan", "storyboards/film.yaml", "--provider", "kinovi", "--json").json["materials"]

    assert {(item["name"], item["way"], item["bytes"]) for item in told} == {
        ("storyboards/assets/logo.mp4 (last frame)", "upload", None),
        ("storyboards/assets/logo.mp4 (first frame)", "upload", None),
        ("storyboards/assets/logo.mp4 (0.5 s to 3.5 s)", "upload", None),
        ("storyboards/assets/score.wav (12 s to 20 s)", "upload", None),
    }
    explained = repo.storyboard("plan", "storyboards/film.yaml", "--explain", "dance").out
    assert "score.wav (12 s to 20 s)" in " ".join(explained.split())


def test_another_part_is_another_take_and_says_so(repo: ContentRepo, host: Callable[..., Host]) -> None:
    paid = host("--edition", "2026-09")
    assert repo.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "500", **paid.env).code == 0
    repo.write("storyboards/film.yaml", FILM.replace("start: 12, seconds: 8", "start: 13, seconds: 8"))
    shown = " ".join(repo.storyboard("plan", "storyboards/film.yaml", "--all", **paid.env).out.split())

    assert "the part of storyboards/assets/score.wav: 12+8 → 13+8" in shown
