"""A saved plan of several profiles and storyboards: one ceiling for all of their films, made once, all or none."""

import json
from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

BOARD, OTHER = "storyboards/film.yaml", "storyboards/other.yaml"
TEXT = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
profiles:
  tall: {aspect_ratio: 9:16}
  wide: {aspect_ratio: 21:9}
shots:
  - {id: quay, prompt: Sunrise over the quay}
  - {id: card, prompt: The end, aspect_ratio: 1:1}
"""


@pytest.fixture
def films(paid_film: ContentRepo) -> ContentRepo:
    """Two storyboards, whose plan of two profiles is saved at 60 credits a shot."""
    paid_film.write(BOARD, TEXT)
    paid_film.write(OTHER, TEXT.replace("Sunrise over the quay", "Noon over the quay").replace("The end", "Fin"))
    return paid_film


def save(films: ContentRepo, there: Host) -> dict[str, object]:
    words = ("plan", BOARD, OTHER, "--profile", "tall", "--profile", "wide", "-o", "plan.json")
    saved = films.storyboard(*words, **there.env)
    assert saved.code == 0, saved.err
    document: dict[str, object] = json.loads((films.root / "plan.json").read_text())
    return document


def test_the_run_makes_each_film_and_each_request_once(films: ContentRepo, host: Callable[..., Host]) -> None:
    there = host()
    ceiling = save(films, there)["ceiling"]
    assert films.storyboard("run", "--plan", "plan.json", **there.env).code == 0
    assert films.storyboard("run", "--plan", "plan.json", **there.env).code == 0
    assert sum(task["charged"] for task in there.state["tasks"]) == ceiling
    made = [path.partition("/clips/") for path in films.clips()]
    assert [(folder, clip) for folder, _, clip in made] == [
        (f"renders/{board}/kinovi-{profile}", f"{shot}/take-1.mp4")
        for board in ("film", "other")
        for profile in ("tall", "wide")
        for shot in ("card", "quay")
    ]


def test_a_change_of_one_film_sends_nothing_for_any_of_them(films: ContentRepo, host: Callable[..., Host]) -> None:
    there = host()
    save(films, there)
    films.write(OTHER, (films.root / OTHER).read_text().replace("21:9", "4:3"))
    stopped = films.storyboard("run", "--plan", "plan.json", **there.env)
    assert stopped.code == 4
    assert "quay take 1 (wide) asks for something else than it lists: aspectRatio changed" in stopped.err
    assert there.state["creates"] == 0
