"""What `fetch` makes of the provider's answer about a task whose clip is missing here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo, content
from tests.commands.conftest import KEY
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import POLL, Step, record, reply

FILM = "storyboards/film.yaml"
TEXT = "storyboard: 1\ntitle: A boat\nshots:\n  - id: boat\n    prompt: A paper boat on still water\n"
CLIP = "renders/film/kinovi/clips/boat/take-1.mp4"


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, TEXT)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(media=clip(80, 5.0, 1280, 720)) as provider:
        yield provider


def fetch_after(film: ContentRepo, double: Double, answer: Step) -> CommandResult:
    """`fetch` of a clip that was deleted here, when the provider answers so to the question for its task."""
    env = {"SEEDANCE_BASE_URL": double.url, "SEEDANCE_API_KEY": KEY, "STORYBOARD_PROVIDER": "kinovi"}
    assert film.storyboard("run", FILM, "--yes", **env).code == 0
    (film.root / CLIP).unlink()
    double.play(answer)
    return film.storyboard("fetch", FILM, "--json", **env)


def verdict(result: CommandResult) -> tuple[str, str]:
    [check] = result.json["clips"]
    return check["verdict"], check["message"]


def test_a_record_of_another_model_is_no_answer(film: ContentRepo, double: Double) -> None:
    mixed_up = record("task_1", "success", model="seedance2-fast", output=[{"url": f"{double.url}/media/task_1.mp4"}])
    fetched = fetch_after(film, double, reply(200, mixed_up, on=POLL))
    assert (fetched.code, verdict(fetched)) == (1, ("failed", "the record names another model, seedance2-fast"))
    assert not (film.root / CLIP).exists()


def test_one_404_soon_after_the_order_makes_no_clip_gone(film: ContentRepo, double: Double) -> None:
    fetched = fetch_after(film, double, reply(404, {"message": "task not found"}, on=POLL))
    message = "the provider has no record of it that this key can see: fetch it again later"
    assert (fetched.code, verdict(fetched)) == (1, ("failed", message))


def test_a_refused_key_ends_the_command_with_5(film: ContentRepo, double: Double) -> None:
    fetched = fetch_after(film, double, reply(401, {"message": "invalid key"}, on=POLL))
    assert (fetched.code, fetched.err) == (5, "storyboard: the provider refused the key: task_1 was not fetched\n")


def test_a_record_without_a_link_is_no_lost_clip(film: ContentRepo, double: Double) -> None:
    fetched = fetch_after(film, double, reply(200, record("task_1", "success"), on=POLL))
    assert (fetched.code, verdict(fetched)) == (1, ("failed", "it has ended, and its clip has no link yet"))
