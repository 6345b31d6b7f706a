"""A paid run in an edition that storyboard.toml chose: spelled, priced and shown by that edition alone."""

from collections.abc import Callable

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
LATER = '[providers.kinovi]\nedition = "2026-09"\n'
SEEDED = "storyboard: 1\ndefaults: {resolution: 480p, duration: 4}\nshots:\n  - {id: quay, seed: 7, prompt: A quay}\n"


def test_the_edition_of_storyboard_toml_is_spoken_priced_and_shown(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    paid_film.write("storyboard.toml", LATER)
    paid_film.write(FILM, SEEDED.replace("480p", "1080p"))
    # The host is strict: `duration` as text, or a field that it does not know, would be a 400.
    there = host("--edition", "2026-09")
    planned = paid_film.storyboard("plan", FILM, **there.env)
    assert "edition 2026-09" in planned.out
    assert "360" in planned.out
    assert paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "360", **there.env).code == 0
    assert (there.state["creates"], there.state["charged"]) == (1, 360)


def test_what_was_paid_in_one_edition_is_not_bought_again_in_another(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "120", **there.env).code == 0
    paid_film.write("storyboard.toml", LATER)
    later = paid_film.storyboard("plan", FILM, **there.env)
    assert "edition 2026-09" in later.out
    assert later.code == 0
    assert "make" not in later.out, later.out
    assert paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "120", **there.env).code == 0
    assert there.state["creates"] == 2


def test_editions_are_never_mixed_in_one_request(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    paid_film.write(FILM, SEEDED)
    there = host()
    said = paid_film.storyboard("run", FILM, "--max-credits", "120", **there.env)
    assert said.code == 3
    assert "the edition classic does not support `seed`" in said.err + said.out
    paid_film.write("storyboard.toml", LATER)
    refused = paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "120", **there.env)
    assert refused.code == 1
    assert "duration" in refused.out + refused.err
    assert there.state["charged"] == 0
