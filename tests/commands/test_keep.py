"""`storyboard keep`: the clips at hand stand for a storyboard that changed since; against a paid host."""

from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.commands.test_picks import made, picked, quay, shots, storyboard

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]


def actions(film: ContentRepo, there: Host, id: str = "quay") -> list[str]:
    return [take["action"] for take in shots(film, there, "plan")[id]["takes"]]


def changed(film: ContentRepo, host: Start, before: str = "", after: str = "") -> Host:
    """A host at which a shot was made whose prompt has changed since."""
    there = made(film, host, before or quay())
    film.write(FILM, storyboard(after or quay("A castle")))
    return there


def test_a_kept_shot_is_not_made_until_it_changes_again(paid_film: ContentRepo, host: Start) -> None:
    there = changed(paid_film, host)
    said = paid_film.storyboard("keep", "quay", **there.env)
    assert said.code == 0, said.err
    assert "film:quay: take 1 stands for the storyboard as it is now" in said.out
    assert actions(paid_film, there) == ["keep", "keep"]
    assert "although the prompt has changed since" in paid_film.in_process("plan", FILM, "--all", **there.env).out
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert paid_film.storyboard("verify", FILM, **there.env).code == 0
    assert actions(paid_film, there) == ["keep", "keep"]
    paid_film.write(FILM, storyboard(quay("The sea")))
    assert actions(paid_film, there) == ["make", "make"]
    paid_film.write(FILM, storyboard(quay("A castle")))
    assert actions(paid_film, there) == ["keep", "keep"]
    assert there.state["creates"] == 2


def test_undo_makes_the_shot_again_and_says_its_price(paid_film: ContentRepo, host: Start) -> None:
    there = changed(paid_film, host)
    paid_film.storyboard("keep", "quay", **there.env)
    said = paid_film.storyboard("keep", "quay", "--undo", **there.env)
    assert said.code == 0, said.err
    assert "to be made now: quay   120 credits" in said.out
    assert actions(paid_film, there) == ["make", "make"]
    assert paid_film.storyboard("keep", "quay", "--undo", **there.env).code == 2


def test_a_keep_keeps_the_pick_in_force(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay())
    paid_film.storyboard("pick", "quay", "2", **there.env)
    paid_film.write(FILM, storyboard(quay("A castle")))
    assert picked(paid_film, there, "quay") is None
    paid_film.storyboard("keep", "quay", **there.env)
    assert picked(paid_film, there, "quay") == 2


def test_a_picked_retake_is_kept_with_its_shot(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay(takes=1))
    paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env)
    paid_film.storyboard("pick", "quay", "2", **there.env)
    paid_film.write(FILM, storyboard(quay("A castle", takes=1)))
    assert paid_film.storyboard("keep", "quay", **there.env).code == 0
    assert actions(paid_film, there) == ["keep", "keep"]
    assert picked(paid_film, there, "quay") == 2


def test_a_take_without_a_clip_is_named_and_still_made(paid_film: ContentRepo, host: Start) -> None:
    there = changed(paid_film, host, quay(takes=1), quay("A castle"))
    said = paid_film.storyboard("keep", "quay", **there.env)
    assert said.code == 0
    assert "take 2 has no clip of an earlier request: it is to be made" in said.out
    assert actions(paid_film, there) == ["keep", "make"]


def test_a_kept_shot_keeps_its_clip_under_a_new_name(paid_film: ContentRepo, host: Start) -> None:
    there = changed(paid_film, host)
    paid_film.storyboard("keep", "quay", **there.env)
    paid_film.write(FILM, storyboard(quay("A castle", id="pier")))
    assert actions(paid_film, there, "pier") == ["keep", "keep"]
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert "renders/film/kinovi/clips/pier/take-1.mp4" in paid_film.clips()
    assert there.state["creates"] == 2


def test_the_clip_at_hand_is_the_one_that_was_restored_and_not_the_latest(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay("Tulips", takes=1))
    for prompt in ("A castle", "Tulips"):
        paid_film.write(FILM, storyboard(quay(prompt, takes=1)))
        assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    tulips = shots(paid_film, there)["quay"]["takes"][0]["fingerprint"]
    paid_film.write(FILM, storyboard(quay("The sea", takes=1)))
    assert paid_film.storyboard("keep", "quay", **there.env).code == 0
    assert shots(paid_film, there)["quay"]["takes"][0]["fingerprint"] == tulips


def test_nothing_below_a_kept_shot_changes(film: ContentRepo) -> None:
    """At the sandbox, which takes local frames."""
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    film.write(FILM, (film.root / FILM).read_text().replace("Sunrise", "Sunset"))
    assert film.in_process("plan", FILM, "--exit-code").code == 8
    assert film.storyboard("keep", "quay").code == 0
    assert film.in_process("plan", FILM, "--exit-code").code == 0


@pytest.mark.parametrize(("words", "code"), [(("keep", "boat"), 2), (("keep",), 2)])
def test_what_keep_cannot_find_is_a_wrong_command_line(
    paid_film: ContentRepo, words: tuple[str, ...], code: int
) -> None:
    assert paid_film.storyboard(*words).code == code
