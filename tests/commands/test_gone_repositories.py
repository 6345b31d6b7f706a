"""What a repository that is gone has left is listed in all others of the account, and its clip can be collected."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import KEY, PAID_FILM, Host
from tests.commands.test_repository_names import FILM, QUAY

Start = Callable[..., Host]
LOST = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
SCHEMAS = Path(__file__).parents[2] / "schemas"


def beside(film: ContentRepo, there: Host) -> tuple[ContentRepo, dict[str, str]]:
    """A repository with another film, and its environment with the ledger of the first one."""
    other = ContentRepo(film.root.with_name("other"))
    other.write(FILM, PAID_FILM.replace("Sunrise", "Noon").replace("Boats", "Ships"))
    other.git("init", "-q")
    return other, there.env | {"STORYBOARD_STATE": str(film.state)}


def left_running(film: ContentRepo, host: Start, **more: str) -> tuple[ContentRepo, dict[str, str], str, Host]:
    """Another repository, its environment, the task that a repository left which is gone, and the provider."""
    there = host(**more)
    assert film.storyboard(*QUAY, "--no-wait", **there.env).code == 9
    [task] = [task["taskId"] for task in there.state["tasks"]]
    other, env = beside(film, there)
    shutil.rmtree(film.root)
    return other, env, task, there


def words(text: str) -> str:
    return " ".join(text.split())


def test_status_and_settle_list_it_with_the_way_out(paid_film: ContentRepo, host: Start) -> None:
    other, env, task, _ = left_running(paid_film, host)
    for command in ("status", "settle"):
        said = other.storyboard(command, **env)
        assert said.code == 0, said.err
        assert "ordered in ../film, which is gone" in words(said.out)
        assert f"storyboard fetch --task {task} --to FILE" in words(said.out)
        document = other.storyboard(command, "--json", **env).json
        jsonschema.validate(document, json.loads((SCHEMAS / f"{command}.schema.json").read_text()))
        assert [(entry["repository"], entry["task_id"]) for entry in document["left_behind"]] == [
            (str(paid_film.root), task)
        ]


def test_what_still_stands_at_its_place_is_not_listed(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, "--no-wait", **there.env).code == 9
    other, env = beside(paid_film, there)
    assert "which is gone" not in other.storyboard("status", **env).out
    assert "left_behind" not in other.storyboard("settle", "--json", **env).json


def test_its_clip_is_collected_into_a_file_for_nothing(paid_film: ContentRepo, host: Start) -> None:
    other, env, task, there = left_running(paid_film, host)
    there.wait_for_tasks()
    said = other.storyboard("fetch", "--task", task, "--to", "quay.mp4", **env)
    assert (said.code, said.out) == (0, f"{other.root}/quay.mp4: the clip of quay take 1, paid before\n"), said.err
    assert (other.root / "quay.mp4").read_bytes()[4:8] == b"ftyp"
    assert there.state["creates"] == 1
    assert "which is gone" not in other.storyboard("status", **env).out
    other.write(FILM, PAID_FILM)
    assert other.storyboard(*QUAY, **env).code == 0
    clip = other.root / "renders/film/kinovi/clips/quay/take-1.mp4"
    assert clip.read_bytes() == (other.root / "quay.mp4").read_bytes()
    assert there.state["creates"] == 1


def test_a_file_that_exists_stays_as_it_is(paid_film: ContentRepo, host: Start) -> None:
    other, env, task, _ = left_running(paid_film, host)
    own = other.write("quay.mp4", "somebody's own")
    said = other.storyboard("fetch", "--task", task, "--to", "quay.mp4", **env)
    assert (said.code, own.read_text()) == (3, "somebody's own")
    assert "quay.mp4 exists, and is never overwritten" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--task", "task_nobody_knows", "--to", "a.mp4"), 2, "no attempt in this machine's ledger has the task"),
        (("--task", "TASK"), 2, "storyboard fetch --task ID --to FILE"),
        (("--to", "a.mp4"), 2, "storyboard fetch --task ID --to FILE"),
        (("--task", "TASK", "--to", "nowhere/a.mp4"), 3, "nowhere is no folder"),
        (("--task", "TASK", "--to", "a.mp4"), 9, "still runs at the provider"),
    ],
)
def test_what_cannot_be_fetched_is_said_and_writes_nothing(
    paid_film: ContentRepo, host: Start, arguments: tuple[str, ...], code: int, said: str
) -> None:
    other, env, task, there = left_running(paid_film, host, seconds="600")
    ended = other.storyboard("fetch", *(task if word == "TASK" else word for word in arguments), **env)
    assert ended.code == code
    assert said in ended.err
    assert not list(other.root.glob("*.mp4*"))
    assert there.state["creates"] == 1


def test_without_a_key_or_with_a_wrong_one_it_is_exit_5(paid_film: ContentRepo, host: Start) -> None:
    other, env, task, _ = left_running(paid_film, host)
    fetch = ("fetch", "--task", task, "--to", "quay.mp4")
    assert other.storyboard(*fetch, **env | {"SEEDANCE_API_KEY": "not-the-key-0123456789"}).code == 5
    del env["SEEDANCE_API_KEY"]
    assert other.storyboard(*fetch, **env).code == 5
    assert not (other.root / "quay.mp4").exists()


def test_doubt_that_it_left_is_settled_from_here(paid_film: ContentRepo, host: Start) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", LOST)))
    assert paid_film.storyboard(*QUAY, **there.env).code == 6
    [task] = [task["taskId"] for task in there.state["tasks"]]
    other, env = beside(paid_film, there)
    shutil.rmtree(paid_film.root)
    listed = other.storyboard("settle", **env)
    assert listed.code == 6
    assert "ordered in ../film, which is gone" in words(listed.out)
    [name] = [word for word in listed.out.split() if word.startswith("film:quay#1@")]
    settled = other.storyboard("settle", name, "--task", task, **env)
    assert settled.code == 0, settled.err
    there.wait_for_tasks()
    assert other.storyboard("fetch", "--task", task, "--to", "quay.mp4", **env).code == 0
    assert there.state["creates"] == 1
    assert KEY not in listed.out + settled.out
