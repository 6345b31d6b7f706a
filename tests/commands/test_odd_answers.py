"""Right answers that are oddly written, and numbers that are none: one order, and the clip is had."""

import json
import re
from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import POLL, Step, record

Start = Callable[..., Host]
FILM = "storyboards/film.yaml"
JSON = (("Content-Type", "application/json"),)


def columns(screen: str) -> str:
    """A screen with two spaces between its columns, whatever their width, as one line."""
    return "  ".join(re.sub(" {2,}", "  ", line.strip()) for line in screen.splitlines())


def run_with(film: ContentRepo, host: Start, rule: str) -> tuple[Host, str]:
    """Order one take from a host with a rule of faults; what the run said."""
    there = host("--faults", str(film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")))
    result = film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    assert result.code == 0, result.err
    assert there.state["creates"] == 1
    return there, result.out + result.err


@pytest.mark.parametrize("event", ["create", "poll"])
@pytest.mark.parametrize("encoding", ["gzip", "utf-8-sig"])
def test_an_answer_that_is_encoded_unasked_is_read(
    paid_film: ContentRepo, host: Start, event: str, encoding: str
) -> None:
    run_with(paid_film, host, f"{{on: {event}, do: {{encoding: {encoding}}}}}")


@pytest.mark.parametrize("credits", ["1e-99999999", "1e-999999999999", "9" * 400, "2000000000"])
def test_a_bill_that_is_no_number_leaves_the_clip_and_a_readable_manifest(paid_film: ContentRepo, credits: str) -> None:
    link = {"url": "{host}/media/task_1.mp4", "width": 854, "height": 480}
    success = record("task_1", "success", output=[link], completeTime=1735599754000, creditsUsed="BILL")
    body = json.dumps(success).replace('"BILL"', credits).encode()
    with Double([Step(on=POLL, body=body, headers=JSON, times=0)], clip(seconds=4, width=854, height=480)) as double:
        env = Host(double.url).env
        result = paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **env)
        assert len(double.created_tasks) == 1
        assert (paid_film.root / "renders/film/kinovi/clips/quay/take-1.mp4").is_file(), result.err
        assert paid_film.storyboard("plan", FILM, **env).code == 0
        assert len(result.err + result.out) < 4000
        if credits != "2000000000":
            assert "it counts as its quote, 60 credits" in " ".join((result.err + result.out).split())
            assert "billed  60 credits  $0.30  as quoted; 1 clip without a bill that can be read" in columns(result.out)
            assert "billed  60 credits" in columns(paid_film.storyboard("status", FILM, **env).out)


@pytest.mark.parametrize("field", ["required", "available"])
def test_a_402_whose_numbers_are_none_is_exit_4(paid_film: ContentRepo, host: Start, field: str) -> None:
    body = f'{{"message": "Insufficient credits", "{field}": 1e-99999999}}'
    rule = f"faults: 1\nrules:\n  - {{on: create, do: {{status: 402, body: '{body}'}}}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    result = paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    assert result.code == 4, result.err
    assert len(result.err + result.out) < 3000


def test_a_download_link_that_answers_404_is_told_with_its_number(paid_film: ContentRepo, host: Start) -> None:
    _, said = run_with(paid_film, host, "{on: media, times: 1, do: {status: 404}}")
    assert "404" in said


def test_a_429_beside_an_unsettled_order_ends_by_its_own_pause_and_buys_nothing_twice(
    paid_film: ContentRepo, host: Start
) -> None:
    rules = (
        "faults: 1\nrules:\n"
        "  - {on: create, occurrence: [1], do: {made: true, answer: none}}\n"
        "  - {on: create, occurrence: [2], do: {status: 429, headers: {Retry-After: '1'}}}\n"
    )
    there = host("--faults", str(paid_film.write("faults.yaml", rules)))
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--concurrency", "2", **there.env)
    assert (said.code, there.state["creates"]) == (6, 2), said.err
    assert len(paid_film.clips()) == 1
    assert "storyboard settle" in said.out
