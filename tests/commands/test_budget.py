"""A storyboard's budget counts all its current takes, whatever the command line chooses of them."""

from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.commands.test_never_twice import clone_with_renders, committed, fresh

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]


@pytest.fixture
def bounded(paid_film: ContentRepo) -> ContentRepo:
    """Two shots at 60 credits, another profile that makes them longer, and 100 credits for all of it."""
    text = (paid_film.root / FILM).read_text()
    paid_film.write(FILM, text.replace("title:", "budget: {credits: 100}\nprofiles: {long: {duration: 6}}\ntitle:", 1))
    return paid_film


def test_shots_that_are_not_selected_count(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    said = bounded.storyboard("run", FILM, "--yes", "--exclude", "quay", **there.env)
    assert said.code == 4
    assert "the budget in storyboards/film.yaml" in said.err
    assert there.state["creates"] == 1


def test_a_retake_counts_with_what_is_made(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert bounded.storyboard("run", FILM, "--yes", "--retake", "quay", **there.env).code == 4
    assert there.state["creates"] == 1


def test_retakes_that_were_made_count(bounded: ContentRepo, host: Start) -> None:
    there = host()
    bounded.write(FILM, (bounded.root / FILM).read_text().replace("credits: 100", "credits: 150"))
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert bounded.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env).code == 0
    assert bounded.storyboard("run", FILM, "--yes", **there.env).code == 4
    assert there.state["creates"] == 2


def test_takes_of_another_profile_count(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert bounded.storyboard("run", FILM, "--yes", "--profile", "long", "--select", "quay", **there.env).code == 4
    assert there.state["creates"] == 1


def test_takes_of_another_profile_count_on_another_machine(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--profile", "long", "--select", "quay", **there.env).code == 0
    committed(bounded)
    other, state = fresh(bounded, "other")
    env = there.env | state
    assert other.storyboard("run", FILM, "--yes", "--select", "quay", **env).code == 4
    assert there.state["creates"] == 1
    assert "90 of 100 credits" in other.in_process("status", FILM, **env).out
    for bill in (other.in_process("spend", "--json", **env), other.storyboard("spend", FILM, "--json", **env)):
        assert bill.json["total"]["billed"] == 90


def test_takes_that_another_clone_on_this_machine_ordered_count(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--profile", "long", "--select", "quay", **there.env).code == 0
    committed(bounded)
    other = clone_with_renders(bounded, "other")
    assert other.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 4
    assert other.storyboard("run", FILM, "--yes", "--profile", "long", "--retake", "quay", **there.env).code == 4
    assert there.state["creates"] == 1
    assert "90 of 100 credits" in other.in_process("status", FILM, **there.env).out
    assert "so far 90 billed" in other.in_process("plan", FILM, "--profile", "long", **there.env).out
    for words in ([], [FILM]):
        assert other.in_process("spend", *words, "--json", **there.env).json["total"]["billed"] == 90


def test_what_earlier_words_were_paid_for_does_not_count(bounded: ContentRepo, host: Start) -> None:
    there = host()
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    text = (bounded.root / FILM).read_text()
    bounded.write(FILM, text.replace("prompt: ", "prompt: At noon, ", 1))
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 2


def test_status_tells_what_the_budget_counts_retakes_too(bounded: ContentRepo, host: Start) -> None:
    there = host()
    bounded.write(FILM, (bounded.root / FILM).read_text().replace("credits: 100", "credits: 150"))
    assert bounded.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert bounded.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env).code == 0
    assert "120 of 150 credits" in bounded.in_process("status", FILM, **there.env).out
