"""Manifests of version 1, of a later version and of a stranger, and two writers at once: nothing paid, nothing lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from runner.store import locks
from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import PAID_FILM, Host
from tests.commands.test_never_twice import committed, fresh
from tests.waiting import wait_until

FILM = "storyboards/film.yaml"
MANIFEST = "renders/film/kinovi/manifest.json"
RUN = ("run", FILM, "--no-cut", "--yes")
Start = Callable[..., Host]
TWO_TAKES = PAID_FILM.replace("scene: harbour\n", "scene: harbour\n    takes: 2\n")


def shots(film: ContentRepo) -> dict[str, Any]:
    return {shot["id"]: shot for shot in film.manifest(variant="kinovi")["shots"]}


def change(film: ContentRepo, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = film.manifest(variant="kinovi")
    edit(manifest)
    film.write(MANIFEST, json.dumps(manifest))


# -- two writers --------------------------------------------------------------------------------------------


def test_what_others_write_during_a_run_is_not_lost(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="4")
    paid_film.write(FILM, TWO_TAKES)
    assert paid_film.storyboard(*RUN, "--select", "quay", **there.env).code == 0
    process = paid_film.start(*RUN, **there.env)
    wait_until(lambda: there.state["creates"] == 3, "the run orders the boats")
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    note = {"at": "2026-10-02T12:00:00.000Z", "take": 1, "text": "the light is right"}
    state = paid_film.root.parent / "state"
    with locks.lock_manifest(state, (paid_film.root / MANIFEST).parent):
        change(paid_film, lambda manifest: manifest["shots"][0].update(notes=[note]))
    assert process.poll() is None
    process.communicate(timeout=60)
    assert process.returncode == 0
    after = shots(paid_film)
    assert after["quay"]["picked"]["take"] == 2
    assert after["boats"]["notes"] == [note]
    assert [take["status"] for take in after["boats"]["takes"]] == ["succeeded"]


# -- versions -----------------------------------------------------------------------------------------------


def in_version_1(manifest: dict[str, Any]) -> None:
    manifest["manifest"] = 1
    for shot in manifest["shots"]:
        shot["picked"] = shot["picked"] and shot["picked"]["take"]


def test_version_1_pays_nothing_keeps_its_pick_and_is_written_anew(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write(FILM, TWO_TAKES)
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    before = shots(paid_film)
    change(paid_film, in_version_1)
    committed(paid_film)
    other, state = fresh(paid_film, "other")
    for film, more in ((paid_film, {}), (other, state)):
        assert film.storyboard(*RUN, "--max-credits", "0", **there.env | more).code == 0
        assert film.manifest(variant="kinovi")["manifest"] == 2
        before["quay"]["picked"]["at"] = None
        assert shots(film) == before
    assert there.state["creates"] == 3


def test_version_1_with_thousands_of_attempts_loses_none(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0

    def grow(manifest: dict[str, Any]) -> None:
        in_version_1(manifest)
        [take] = manifest["shots"][0]["takes"]
        many = [
            take | {"task_id": f"task_{n}", "request": take["request"] | {"prompt": f"version {n}"}}
            for n in range(3_000)
        ]
        manifest["shots"].append({"id": "pier", "picked": None, "takes": many, "removed": True})

    change(paid_film, grow)
    size = (paid_film.root / MANIFEST).stat().st_size
    assert paid_film.storyboard("plan", FILM, **there.env).code == 0
    assert paid_film.storyboard(*RUN, "--max-credits", "0", **there.env).code == 0
    assert {take["task_id"] for take in shots(paid_film)["pier"]["takes"]} == {f"task_{n}" for n in range(3_000)}
    assert (paid_film.root / MANIFEST).stat().st_size < size * 0.7
    assert there.state["creates"] == 2


@pytest.mark.parametrize(
    "words", [("plan", FILM), ("status", FILM), RUN, ("pick", "quay", "1"), ("fetch", FILM), ("verify", FILM)]
)
def test_a_later_version_is_refused_by_its_name_and_stays_as_it_is(
    paid_film: ContentRepo, words: tuple[str, ...]
) -> None:
    path = paid_film.write(MANIFEST, '{"manifest": 3, "films": []}')
    nowhere = {
        "SEEDANCE_BASE_URL": "http://127.0.0.1:9", "SEEDANCE_API_KEY": "made-up-key", "STORYBOARD_PROVIDER": "kinovi"
    }  # fmt: skip
    ended = paid_film.storyboard(*words, **nowhere)
    assert ended.code == 3
    assert f"{MANIFEST} was written by a newer storyboard (version 3 of the file): update it" in ended.err
    assert path.read_text() == '{"manifest": 3, "films": []}'


# -- superseded takes, and strangers ------------------------------------------------------------------------


def reworded(film: ContentRepo, prompt: str) -> None:
    film.write(FILM, PAID_FILM.replace("Sunrise", prompt))


def with_old_words_back(film: ContentRepo, there: Host) -> tuple[ContentRepo, dict[str, str]]:
    """A clone without a ledger that asks for what was superseded."""
    assert film.storyboard(*RUN, **there.env).code == 0
    reworded(film, "Dusk")
    assert film.storyboard(*RUN, **there.env).code == 0
    committed(film)
    other, state = fresh(film, "other")
    reworded(other, "Sunrise")
    return other, there.env | state


def test_a_superseded_take_that_is_wanted_again_is_confirmed_and_not_paid_again(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    other, env = with_old_words_back(paid_film, there)
    first = shots(other)["quay"]["takes"][0]
    assert "request" not in first
    planned = other.storyboard("plan", FILM, **env)
    assert "which a run confirms at the provider" in " ".join(planned.out.split())
    assert other.storyboard(*RUN, "--max-credits", "0", **env).code == 0
    assert shots(other)["quay"]["takes"][0]["request"]["prompt"] == "Sunrise over the quay"
    assert there.state["creates"] == 3


def test_what_nobody_can_confirm_now_is_neither_trusted_nor_paid(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    other, env = with_old_words_back(paid_film, there)
    assert (
        other.storyboard(*RUN, **{name: value for name, value in env.items() if name != "SEEDANCE_API_KEY"}).code == 5
    )
    assert other.storyboard(*RUN, **env | {"SEEDANCE_API_KEY": "another-key-of-no-account"}).code == 5
    assert there.state["creates"] == 3
    assert other.storyboard(*RUN, "--max-credits", "0", **env).code == 0


def test_a_strangers_claims_of_tasks_clips_picks_and_keeps_do_not_count(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    other, env = with_old_words_back(paid_film, there)
    second = shots(other)["boats"]["takes"][0]

    def claim(manifest: dict[str, Any]) -> None:
        [entry] = [shot for shot in manifest["shots"] if shot["id"] == "quay"]
        entry["takes"][0] |= {"task_id": "task_of_a_stranger", "kept_for": "ab" * 32}
        entry["picked"] = {"take": 1, "fingerprint": "cd" * 32, "task_id": second["task_id"], "at": None}

    change(other, claim)
    ended = other.storyboard(*RUN, **env)
    assert ended.code == 0, ended.err
    assert "quay take 1: the provider has no record of task_of_a_stranger" in ended.err
    assert there.state["creates"] == 4
    tasks = [take["task_id"] for take in shots(other)["quay"]["takes"]]
    assert "task_of_a_stranger" in tasks
    assert other.storyboard(*RUN, "--max-credits", "0", **env).code == 0
    assert there.state["creates"] == 4
