"""A task is asked for with the key that ordered it, and with no other: to another account's key it would look lost."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo, content
from tests.commands.conftest import KEY
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import POLL, record, reply

FILM = "storyboards/film.yaml"
TEXT = "storyboard: 1\ntitle: A boat\nshots:\n  - id: boat\n    prompt: A paper boat on still water\n"
OTHER_KEY = "another-made-up-key-5678"
KEY_ID = hashlib.sha256(KEY.encode()).hexdigest()[:4]
CLIP = "renders/film/kinovi/clips/boat/take-1.mp4"


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, TEXT)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(media=clip(80, 5.0, 1280, 720)) as provider:
        yield provider


def with_key(double: Double, key: str) -> dict[str, str]:
    return {"SEEDANCE_BASE_URL": double.url, "SEEDANCE_API_KEY": key, "STORYBOARD_PROVIDER": "kinovi"}


def polls(double: Double) -> int:
    """How often the one task was asked for; a run's first request asks for a made-up one."""
    return len([entry for entry in double.requests(POLL) if entry.target.endswith("=task_1")])


def is_explained(said: CommandResult) -> bool:
    text = " ".join((said.out + said.err).split())
    return f"with another key (its id begins with {KEY_ID})" in text and KEY not in text and OTHER_KEY not in text


def test_with_another_key_a_running_task_waits(film: ContentRepo, double: Double) -> None:
    assert film.storyboard("run", FILM, "--yes", "--no-wait", **with_key(double, KEY)).code == 9
    waiting = film.storyboard("run", FILM, "--no-cut", "--yes", **with_key(double, OTHER_KEY))
    assert (waiting.code, polls(double), is_explained(waiting)) == (9, 0, True), waiting
    assert film.storyboard("run", FILM, "--no-cut", "--yes", **with_key(double, KEY)).code == 0
    assert len(double.created_tasks) == 1


def test_with_another_key_a_task_of_an_earlier_prompt_waits(film: ContentRepo, double: Double) -> None:
    assert film.storyboard("run", FILM, "--yes", "--no-wait", **with_key(double, KEY)).code == 9
    film.write(FILM, TEXT.replace("still", "rough"))
    waiting = film.storyboard("run", FILM, "--no-cut", "--yes", **with_key(double, OTHER_KEY))
    assert (waiting.code, polls(double), is_explained(waiting)) == (9, 0, True), waiting


def test_with_another_key_no_new_link_is_asked_for(film: ContentRepo, double: Double) -> None:
    assert film.storyboard("run", FILM, "--no-cut", "--yes", **with_key(double, KEY)).code == 0
    asked = polls(double)
    (film.root / CLIP).unlink()
    waiting = film.storyboard("fetch", FILM, **with_key(double, OTHER_KEY))
    assert (waiting.code, polls(double), is_explained(waiting)) == (1, asked, True), waiting
    assert (
        film.storyboard("run", FILM, "--no-cut", "--yes", **with_key(double, OTHER_KEY)).code == 0
    )  # by the link that it has
    assert polls(double) == asked


def test_a_task_that_only_a_manifest_names_is_asked_for_with_any_key(
    film: ContentRepo, double: Double, tmp_path: Path
) -> None:
    double.play(reply(200, record("task_1", "generating"), on=POLL))
    assert film.storyboard("run", FILM, "--yes", "--no-wait", **with_key(double, KEY)).code == 9
    elsewhere = with_key(double, OTHER_KEY) | {"STORYBOARD_STATE": str(tmp_path / "elsewhere")}
    assert film.storyboard("run", FILM, "--no-cut", "--yes", **elsewhere).code == 0
    assert len(double.created_tasks) == 1
