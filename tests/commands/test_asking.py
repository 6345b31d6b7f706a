"""The question before money is spent, at a real terminal: what it says, and which answers are a yes."""

from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.commands.test_webhooks import free_port

FILM = "storyboards/film.yaml"
RUN = ("run", FILM, "--no-color")
Start = Callable[..., Host]


def told(film: ContentRepo, host: Host, typed: str, *words: str) -> tuple[int, str]:
    """Exit code and screen, as words in a row."""
    said = film.at_terminal(*RUN, *words, typed=typed, **host.env, NO_COLOR="1")
    return said.code, " ".join(said.out.split())


def hear(film: ContentRepo, name: str) -> str:
    port = free_port()
    film.write("storyboard.toml", f'[webhook]\nurl = "http://127.0.0.1:{port}/{name}"\nlisten = "127.0.0.1:{port}"\n')
    return f"http://127.0.0.1:{port}/{name}"


def test_a_yes_makes_what_was_shown_for_the_price_that_was_asked(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    code, screen = told(paid_film, there, "y\n")
    assert (code, there.state["creates"]) == (0, 2), screen
    assert "Make 2 clips for at most 120 credits ($0.60)? [y/N]" in screen


def test_the_question_breaks_between_words(paid_film: ContentRepo, host: Start) -> None:
    address = hear(paid_film, "first")
    screen = paid_film.at_terminal(*RUN, typed="n\n", **host().env, COLUMNS="60").out
    asked = screen[screen.index("Make 2 clips") :].partition("[y/N]")[0]
    assert len(asked.splitlines()) > 1
    assert max(map(len, asked.splitlines())) <= 60
    assert f"callbacks go to {address}, received at" in " ".join(asked.split())


def test_a_ctrl_c_at_the_question_ends_on_a_line_of_its_own(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    ended = paid_film.interrupted_at_question(RUN, 0, there.env)
    assert (ended.code, there.state["creates"]) == (130, 0), ended
    assert "storyboard: interrupted; run the same command again to go on" in ended.err.splitlines()


@pytest.mark.parametrize("answer", ["n\n", "\n", "yep\n", "\x04"])
def test_everything_but_a_yes_is_a_no(paid_film: ContentRepo, host: Start, answer: str) -> None:
    there = host()
    code, screen = told(paid_film, there, answer)
    assert (code, there.state["creates"]) == (4, 0), screen
    assert "declined: nothing was sent, nothing was spent" in screen


def test_where_callbacks_go_stands_in_the_question_and_is_marked_until_a_yes(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    assert told(paid_film, there, "y\n", "--select", "quay")[0] == 0
    first = hear(paid_film, "first")
    for answer, code in (("n\n", 4), ("y\n", 0)):
        ended, screen = told(paid_film, there, answer, "--retake", "quay")
        assert ended == code, screen
        assert f"callbacks go to {first}, received at {first[7:-6]} (NEW since your last approval)? [y/N]" in screen
    second = hear(paid_film, "second")
    ended, screen = told(paid_film, there, "n\n", "--retake", "quay")
    change = f"(CHANGED since your last approval: {first})"
    assert f"callbacks go to {second}, received at {second[7:-7]} {change}? [y/N]" in screen
    assert (ended, there.state["creates"]) == (4, 2)
