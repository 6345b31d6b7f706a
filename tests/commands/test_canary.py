"""`run --canary N` orders the first takes and no others; the same command without it goes on."""

from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

BOARD = "storyboards/film.yaml"


def test_only_the_first_takes_are_ordered_and_the_same_command_goes_on(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    first = paid_film.storyboard("run", BOARD, "--yes", "--canary", "1", **there.env)
    assert first.code == 9, first.err
    assert len(there.state["tasks"]) == 1
    assert "storyboard run storyboards/film.yaml" in first.err
    again = paid_film.storyboard("run", BOARD, "--yes", **there.env)
    assert again.code == 0, again.err
    assert len(there.state["tasks"]) == 2


def test_the_price_that_is_asked_for_is_that_of_the_first_takes(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--max-credits", "60", **there.env).code == 4
    assert paid_film.storyboard("run", BOARD, "--max-credits", "60", "--canary", "1", **there.env).code == 9
    assert len(there.state["tasks"]) == 1


def test_without_consent_nothing_is_sent(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--canary", "1", **there.env).code == 4
    assert there.state["tasks"] in ([], {})


def test_a_shot_that_is_made_from_another_waits_for_the_next_run(film: ContentRepo) -> None:
    assert film.storyboard("run", BOARD, "--canary", "2").code == 9
    assert film.clips() == ["renders/film/sandbox/clips/quay/take-1.mp4"]
    assert film.storyboard("run", BOARD, "--canary", "2").code == 0
    assert len(film.clips()) == 2


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_that_is_none_is_a_wrong_command_line(film: ContentRepo, number: str) -> None:
    assert film.storyboard("run", BOARD, f"--canary={number}").code == 2
