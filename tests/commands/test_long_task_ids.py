"""`settle --task` compares whole ids: one that begins as another is another task."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import KEY, PAID_FILM
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import POLL, dropped, record, reply

FILM = "storyboards/film.yaml"
SAME = "task_" + "x" * 67
"""The 72 characters that the ids have in common."""


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, PAID_FILM)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(media=clip(80, 4.0, 854, 480)) as provider:
        yield provider


@pytest.mark.parametrize("rest", ["", "b", "ab", "b" * 40])
def test_a_task_that_begins_as_another_shots_is_not_taken_for_it(film: ContentRepo, double: Double, rest: str) -> None:
    env = {"SEEDANCE_BASE_URL": double.url, "SEEDANCE_API_KEY": KEY, "STORYBOARD_PROVIDER": "kinovi"}
    taken = SAME + "a"
    double.play(dropped(creates=True), reply(200, {"taskId": taken}))
    assert film.storyboard("run", FILM, "--yes", "--select", "quay", **env).code == 6
    assert film.storyboard("run", FILM, "--yes", "--select", "boats", "--no-wait", **env).code == 9
    refused = film.storyboard("settle", "quay", "--task", taken, **env)
    assert (refused.code, "belongs to another attempt" in refused.err) == (2, True), refused
    unknown = film.storyboard("settle", "quay", "--task", SAME + rest, **env)
    assert (unknown.code, "no record of" in unknown.err) == (2, True), unknown
    sent = film.storyboard("settle", "--json", **env).json["unsettled"][0]["sent_at"]
    double.play(reply(200, record(SAME + rest, "generating", createTime=milliseconds(sent)), on=POLL))
    adopted = film.storyboard("settle", "quay", "--task", SAME + rest, **env)
    assert adopted.code == 0, adopted.err
    status = film.storyboard("status", "--json", **env).json["storyboards"][0]["shots"]
    assert [shot["takes"][0]["task_id"] for shot in status] == [SAME + rest, taken]


def milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
