"""A repository may change its name in every way: what it has ordered is one order, whatever became of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import PAID_FILM, Host

FILM = "storyboards/film.yaml"
QUAY = ("run", FILM, "--yes", "--select", "quay")
Start = Callable[..., Host]
FAULTS = {
    "a lost answer": "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n",
    "a running task": "faults: 1\nrules: []\n",
    "a made clip": "faults: 1\nrules: []\n",
    "a refusal": 'faults: 1\nrules:\n  - {on: create, do: {status: 400, body: \'{"message": "Invalid request"}\'}}\n',
}
CODES = {"a lost answer": (6, 6), "a running task": (9, 0), "a made clip": (0, 0), "a refusal": (1, 1)}


def amended(film: ContentRepo) -> ContentRepo:
    film.git("commit", "--amend", "-qm", "other words")
    return film


def orphaned(film: ContentRepo) -> ContentRepo:
    film.git("checkout", "-q", "--orphan", "new")
    film.git("commit", "-qm", "new")
    return film


def begun_anew(film: ContentRepo) -> ContentRepo:
    shutil.rmtree(film.root / ".git")
    film.git("init", "-q")
    film.git("add", ".")
    film.git("commit", "-qm", "anew")
    return film


def without_git(film: ContentRepo) -> ContentRepo:
    shutil.rmtree(film.root / ".git")
    (film.root / "storyboard.toml").touch()
    return film


def moved(film: ContentRepo) -> ContentRepo:
    return ContentRepo(Path(shutil.move(film.root, film.root.with_name("moved"))))


def worktree(film: ContentRepo) -> ContentRepo:
    film.git("worktree", "add", "-q", str(film.root.with_name("tree")))
    return ContentRepo(film.root.with_name("tree"))


def another(film: ContentRepo) -> ContentRepo:
    """Another repository that asks for the same request."""
    strange = ContentRepo(film.root.with_name("strange"))
    strange.write(FILM, PAID_FILM)
    strange.git("init", "-q")
    strange.git("add", ".")
    strange.git("commit", "-qm", "another film")
    return strange


@pytest.mark.parametrize("story", FAULTS)
@pytest.mark.parametrize("rename", [amended, orphaned, begun_anew, without_git, moved, worktree, another])
def test_whatever_its_name_a_repository_orders_once(
    paid_film: ContentRepo, host: Start, rename: Callable[[ContentRepo], ContentRepo], story: str
) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", FAULTS[story])))
    before, after = CODES[story]
    words = (*QUAY, "--no-wait") if story == "a running task" else QUAY
    assert paid_film.storyboard(*words, **there.env).code == before
    ordered = there.state["creates"]
    film = rename(paid_film)
    shutil.rmtree(film.root / "renders", ignore_errors=True)
    state = {"STORYBOARD_STATE": str(paid_film.state)}
    result = film.storyboard(*QUAY, **there.env | state)
    assert result.code == after, result.err
    assert there.state["creates"] == ordered


def test_a_film_gets_the_clip_that_another_has_made_for_nothing_and_without_a_download(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    strange = another(paid_film)
    env = there.env | {"STORYBOARD_STATE": str(paid_film.state)}
    quay = strange.storyboard("plan", FILM, "--select", "quay", "--json", **env).json["storyboards"][0]["shots"][0]
    [take] = quay["takes"]
    assert (take["action"], take["credits"]) == ("keep", 0)
    assert take["reason"]["text"].startswith("the same request was made for ../film (")
    clip = "renders/film/kinovi/clips/quay/take-1.mp4"
    assert strange.storyboard(*QUAY, **env).code == 0
    assert (strange.root / clip).read_bytes() == (paid_film.root / clip).read_bytes()
    assert there.state["creates"] == 1
    again = strange.storyboard("plan", FILM, "--select", "quay", "--json", **env).json["storyboards"][0]["shots"][0]
    assert [take["action"] for take in again["takes"]] == ["keep"]
    mine = paid_film.storyboard("plan", FILM, "--select", "quay", "--json", **env).json["storyboards"][0]["shots"][0]
    assert [take["action"] for take in mine["takes"]] == ["keep"]


@pytest.mark.parametrize("change", ["a link", "another content", "gone"])
def test_what_is_not_the_clip_elsewhere_is_not_copied(paid_film: ContentRepo, host: Start, change: str) -> None:
    there = host()
    assert paid_film.storyboard(*QUAY, **there.env).code == 0
    strange = another(paid_film)
    clip = "renders/film/kinovi/clips/quay/take-1.mp4"
    made = (paid_film.root / clip).read_bytes()
    (paid_film.root / clip).unlink()
    if change == "a link":
        (paid_film.root / "other.mp4").write_bytes(made)
        (paid_film.root / clip).symlink_to(paid_film.root / "other.mp4")
    elif change == "another content":
        (paid_film.root / clip).write_bytes(made[::-1])
    env = there.env | {"STORYBOARD_STATE": str(paid_film.state)}
    assert strange.storyboard(*QUAY, **env).code == 0
    assert (strange.root / clip).read_bytes() == made
    assert there.state["creates"] == 1
