"""Picks: of the clip that somebody saw, through renames, changes and mistakes elsewhere; against a paid host."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
BROKEN = "storyboard: 1\ntitle: Broken\nshots:\n  - id: door\n    prompt: A door\n    duration: none\n"


def storyboard(*shots: str) -> str:
    head = "storyboard: 1\ntitle: The quay\ndefaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}\nshots:\n"
    return head + "".join(f"  - {{{shot}}}\n" for shot in shots)


def quay(prompt: str = "Tulips", id: str = "quay", takes: int = 2) -> str:
    return f"id: {id}, prompt: {prompt}, takes: {takes}"


def like(id: str = "quay") -> str:
    return f'id: enter, prompt: "@{id} at night"'


def shots(film: ContentRepo, there: Host, command: str = "status") -> dict[str, Any]:
    said = film.storyboard(command, FILM, "--json", **there.env)
    assert said.code == 0, said.err
    return {shot["id"]: shot for board in said.json["storyboards"] for shot in board["shots"]}


def picked(film: ContentRepo, there: Host, id: str) -> int | None:
    pick = shots(film, there)[id]["picked"]
    return None if pick is None else int(pick["take"])


def made(film: ContentRepo, host: Start, *entries: str) -> Host:
    """A host at which the shots without a reference are made."""
    there = host()
    film.write(FILM, storyboard(*entries))
    assert film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code in (0, 9)
    return there


def test_a_pick_holds_the_clip_that_was_seen(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay())
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    entry = paid_film.manifest(variant="kinovi")["shots"][0]
    take = next(take for take in entry["takes"] if take["take"] == 2)
    assert entry["picked"].pop("at").endswith("Z")
    assert entry["picked"] == {"take": 2, "fingerprint": take["fingerprint"], "task_id": take["task_id"]}


def test_a_changed_prompt_gives_the_pick_up_and_the_old_one_brings_it_back(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay())
    paid_film.storyboard("pick", "quay", "2", **there.env)
    paid_film.write(FILM, storyboard(quay("A castle"), like()))
    text = paid_film.in_process("plan", FILM, **there.env).out
    assert "gives up the pick of quay, unless `storyboard keep quay`" in text
    assert "pick again: quay's prompt changed" in text
    assert picked(paid_film, there, "quay") is None
    paid_film.write(FILM, storyboard(quay(), like()))
    assert picked(paid_film, there, "quay") == 2


@pytest.mark.parametrize("name", ["quay", "pier"])
def test_a_pick_on_the_old_or_the_new_name_of_a_shot_is_of_its_clip(
    paid_film: ContentRepo, host: Start, name: str
) -> None:
    there = made(paid_film, host, quay())
    paid_film.write(FILM, storyboard(quay(id="pier")))
    assert paid_film.storyboard("pick", name, "2", **there.env).code == 0
    assert picked(paid_film, there, "pier") == 2
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert picked(paid_film, there, "pier") == 2
    assert there.state["creates"] == 2


def test_no_pick_stays_no_pick_under_a_new_name(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay())
    paid_film.storyboard("pick", "quay", "2", **there.env)
    paid_film.write(FILM, storyboard(quay(id="pier")))
    assert paid_film.storyboard("pick", "pier", "none", **there.env).code == 0
    assert picked(paid_film, there, "pier") is None
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert picked(paid_film, there, "pier") is None


def test_a_pick_under_a_name_that_went_to_another_shot_leaves_the_others_pick(
    paid_film: ContentRepo, host: Start
) -> None:
    there = made(paid_film, host, quay())
    paid_film.storyboard("pick", "quay", "2", **there.env)
    paid_film.write(FILM, storyboard(quay(id="pier"), quay("The sea")))
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert paid_film.storyboard("pick", "quay", "1", **there.env).code == 0
    assert [picked(paid_film, there, id) for id in ("pier", "quay")] == [2, 1]


def test_a_retake_is_picked_listed_and_verified_also_under_a_new_name(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay(takes=1))
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env).code == 0
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    paid_film.write(FILM, storyboard(quay(id="pier", takes=1)))
    assert "◉ 2 picked (retake)" in paid_film.in_process("status", FILM, **there.env).out
    assert "◉ 2 picked (retake)" in paid_film.in_process("plan", FILM, "--all", **there.env).out
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert paid_film.storyboard("verify", FILM, **there.env).code == 0
    retake = paid_film.root / "renders/film/kinovi/clips/pier/take-2.mp4"
    retake.unlink()
    assert paid_film.storyboard("verify", FILM, **there.env).code == 1
    assert paid_film.storyboard("fetch", FILM, **there.env).code == 0
    assert retake.is_file()
    assert there.state["creates"] == 2


def test_what_follows_a_shot_with_a_retake_waits_for_a_pick(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay(takes=1))
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env).code == 0
    paid_film.write(FILM, storyboard(quay(takes=1), like()))
    (take,) = shots(paid_film, there, "plan")["enter"]["takes"]
    assert (take["action"], take["waits_for"]) == ("wait", "pick")


@pytest.mark.parametrize("words", [("pick", "quay", "2"), ("keep", "quay"), ("settle", "quay", "--undo")])
def test_a_mistake_in_another_storyboard_does_not_matter(
    paid_film: ContentRepo, host: Start, words: tuple[str, ...]
) -> None:
    there = made(paid_film, host, quay())
    paid_film.write("storyboards/other.yaml", BROKEN)
    said = paid_film.storyboard(*words, **there.env)
    assert said.code == (2 if words[0] == "settle" else 0), said.err
    assert "none" not in said.err


def test_a_mistake_in_the_storyboard_of_the_shot_itself_is_shown(paid_film: ContentRepo, host: Start) -> None:
    there = made(paid_film, host, quay())
    paid_film.write("storyboards/other.yaml", BROKEN)
    said = paid_film.storyboard("pick", "door", "1", **there.env)
    assert said.code == 3
    assert "other.yaml:6" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--profile", "small", "--profile", "small"), "small is given twice: each film once"),
        (("--profile", "small+small"), "small stands twice in small+small"),
        (("--profile", "small+"), "'small+' has an empty name"),
        (("--profile", "none+small"), "none is the storyboard without a profile"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run", "status", "validate"])
def test_no_profile_is_dropped_without_a_word(
    film: ContentRepo, command: str, words: tuple[str, ...], message: str
) -> None:
    said = film.storyboard(command, FILM, *words)
    assert said.code == 2
    assert message in " ".join(said.err.split())
