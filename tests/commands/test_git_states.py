"""`plan`, a saved plan, `diff` and `mend` in every state that a git repository can be in."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import FILM, ContentRepo, content

BOARD = "storyboards/film.yaml"
OTHER = FILM.replace("pushes", "pulls")
NOTE = "notes.txt"


def commit(repo: ContentRepo, message: str = "A change") -> None:
    repo.git("add", "-A")
    repo.git("commit", "-qm", message)


def git(repo: ContentRepo, *words: str) -> int:
    """The exit code of git, which may be that of a conflict."""
    return subprocess.run(["git", *words], cwd=repo.root, env=repo.env(), capture_output=True, check=False).returncode


def at_once(film: ContentRepo) -> ContentRepo:
    return film


def detached(film: ContentRepo) -> ContentRepo:
    film.git("checkout", "-q", "--detach")
    return film


def worktree(film: ContentRepo) -> ContentRepo:
    film.git("worktree", "add", "-q", "--detach", str(film.root.parent / "worktree"))
    return ContentRepo(film.root.parent / "worktree")


def shallow(film: ContentRepo) -> ContentRepo:
    film.write(NOTE, "one more commit")
    commit(film)
    target = film.root.parent / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{film.root}", str(target)], check=True)
    return ContentRepo(target)


def submodule(film: ContentRepo) -> ContentRepo:
    outer = ContentRepo(film.root.parent / "outer")
    outer.root.mkdir()
    outer.git("init", "-q")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(film.root), "film")
    return ContentRepo(outer.root / "film")


def in_conflict(film: ContentRepo) -> ContentRepo:
    """Two branches that wrote another note: neither storyboard nor manifest is in conflict."""
    film.git("config", "user.name", "A")
    film.git("config", "user.email", "a@example.com")
    for branch in ("theirs", "ours"):
        film.git("checkout", "-q", "-b", branch, "main")
        film.write(NOTE, f"a note of {branch}")
        commit(film)
    return film


def merging(film: ContentRepo) -> ContentRepo:
    assert git(in_conflict(film), "merge", "theirs") == 1
    return film


def rebasing(film: ContentRepo) -> ContentRepo:
    assert git(in_conflict(film), "rebase", "theirs") == 1
    return film


STATES = (at_once, detached, worktree, shallow, submodule, merging, rebasing)


@pytest.fixture(params=STATES, ids=lambda state: state.__name__)
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> ContentRepo:
    """A working tree in one of the states, whose storyboard is that of its commit."""
    film = content(tmp_path)
    film.git("branch", "-M", "main")
    state: Callable[[ContentRepo], ContentRepo] = request.param
    return state(film)


def test_diff_names_what_the_tree_makes_beyond_its_commit(repo: ContentRepo) -> None:
    assert repo.storyboard("diff", "HEAD", "--exit-code").code == 0
    repo.write(BOARD, OTHER)
    shown = repo.storyboard("diff", "HEAD", "--json")
    assert shown.code == 0, shown.err
    assert [(shot["id"], shot["change"]) for shot in shown.json["shots"]] == [("enter", "changed")]


def test_a_plan_is_made_saved_and_shown_and_nothing_of_git_changes(repo: ContentRepo) -> None:
    before = repo.git("status", "--porcelain=v2", "--branch")
    assert repo.storyboard("plan", "--exit-code").code == 8
    target = repo.root.parent / "plan.json"
    saved = repo.storyboard("plan", "-o", str(target))
    assert saved.code == 0, saved.err
    assert repo.storyboard("plan", str(target), "--json").json["since"]["differences"] == []
    assert repo.git("status", "--porcelain=v2", "--branch") == before


def test_a_saved_plan_is_carried_out_once_and_refuses_what_it_does_not_list(repo: ContentRepo) -> None:
    target = str(repo.root.parent / "plan.json")
    assert repo.storyboard("plan", "-o", target, "--select", "quay").code == 0
    assert repo.storyboard("run", "--plan", target).code == 0
    assert repo.storyboard("run", "--plan", target).code == 0
    assert repo.clips() == ["renders/film/sandbox/clips/quay/take-1.mp4"]
    repo.write(BOARD, FILM.replace("Sunrise", "Sunset"))
    stopped = repo.storyboard("run", "--plan", target)
    assert (stopped.code, "quay take 1 asks for something else" in stopped.err) == (4, True), stopped.err


def test_mend_has_nothing_to_do_where_no_manifest_is_in_conflict(repo: ContentRepo) -> None:
    before = repo.git("status", "--porcelain=v2")
    done = repo.storyboard("mend")
    assert (done.code, done.out) == (0, "no manifest is in conflict\n"), done.err
    assert repo.git("status", "--porcelain=v2") == before


# -- in the middle of a merge of the storyboard itself ------------------------------------------------------------


@pytest.mark.parametrize("verb", ["merge", "rebase"])
@pytest.mark.parametrize("words", [["plan"], ["diff", "HEAD"], ["plan", "-o", "plan.json"], ["run", BOARD]])
def test_a_storyboard_with_conflict_marks_is_exit_3_with_its_line(
    film: ContentRepo, verb: str, words: list[str]
) -> None:
    film.git("branch", "-M", "main")
    film.git("config", "user.name", "A")
    film.git("config", "user.email", "a@example.com")
    for branch, text in (("theirs", OTHER), ("ours", FILM.replace("pushes", "kicks"))):
        film.git("checkout", "-q", "-b", branch, "main")
        film.write(BOARD, text)
        commit(film)
    assert git(film, verb, "theirs") == 1
    stopped = film.storyboard(*words)
    assert stopped.code == 3
    assert f"{BOARD}:9:1: error[conflict-marks] git could not merge this file" in stopped.err
    assert not (film.root / "plan.json").exists()
    assert film.clips() == []


def test_a_prompt_file_with_conflict_marks_is_never_sent(film: ContentRepo) -> None:
    film.write("prompts/light.txt", "<<<<<<< HEAD\nsoft light\n=======\nhard light\n>>>>>>> theirs\n")
    film.write(BOARD, FILM.replace("over the quay", "over the quay, {% include 'light.txt' %}"))
    stopped = film.storyboard("run", BOARD)
    assert stopped.code == 3
    assert f"{BOARD}:6:" in stopped.err
    assert "error[conflict-marks]" in stopped.err
    assert film.clips() == []


# -- without a working tree ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["plan"], 2, "there is no storyboard under storyboards"),
        (["plan", "-o", "plan.json"], 2, "there is no storyboard under storyboards"),
        (["diff", "HEAD"], 3, "is a bare repository, without files to compare"),
        (["mend"], 0, ""),
    ],
)
def test_a_bare_repository_has_no_storyboard_and_says_so(
    film: ContentRepo, words: list[str], code: int, message: str
) -> None:
    bare = film.root.parent / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(film.root), str(bare)], check=True)
    told = ContentRepo(bare).storyboard(*words)
    assert (told.code, message in told.err) == (code, True), told.err


def test_a_plan_that_was_saved_elsewhere_is_refused_in_a_bare_repository(film: ContentRepo) -> None:
    plan = film.root.parent / "plan.json"
    assert film.storyboard("plan", "-o", str(plan)).code == 0
    bare = film.root.parent / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(film.root), str(bare)], check=True)
    told = ContentRepo(bare).storyboard("run", "--plan", str(plan))
    assert told.code == 4
    assert "it names storyboards/film.yaml, which is not in" in told.err
    shown = ContentRepo(bare).storyboard("plan", str(plan), "--json")
    assert [entry["code"] for entry in shown.json["since"]["differences"]] == ["storyboards"]
    assert json.loads(plan.read_text())["plan"] == 1
