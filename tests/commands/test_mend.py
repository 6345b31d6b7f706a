"""`storyboard mend` in real git repositories: in the middle of a merge and a rebase, in worktrees, as merge driver."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.store.manifest.document import Manifest
from runner.store.manifest.merging import tasks
from tests.builders.content_repo import ContentRepo
from tests.builders.manifest_branches import NAME, random_pair
from tests.manifest.test_merging import merges_plainly

Sides = tuple[Manifest, Manifest, Manifest]
DRIVER = f"{sys.executable} -m runner mend --driver %O %A %B %P"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """A manifest and what two branches made of it, which plain git cannot merge."""
    folder = tmp_path_factory.mktemp("sides")
    return next(pair for pair in map(random_pair, range(100)) if not merges_plainly(folder, *pair))


@pytest.fixture
def branches(film: ContentRepo, sides: Sides) -> ContentRepo:
    """A film with the branches `ours`, which is checked out, and `theirs`."""
    commit_sides(film, sides)
    return film


def commit_sides(repo: ContentRepo, sides: Sides) -> None:
    repo.git("config", "user.name", "A")
    repo.git("config", "user.email", "a@example.com")
    for name, manifest in zip(("base", "theirs", "ours"), (sides[0], sides[2], sides[1]), strict=True):
        repo.git("checkout", "-q", *(("base",) if name != "base" else ()), "-b", name)
        repo.write(NAME, manifest.raw.decode())
        repo.git("add", "-f", NAME)
        repo.git("commit", "-qm", f"A run on {name}")


def git(repo: ContentRepo, *words: str) -> int:
    """The exit code of git, which may be that of a conflict."""
    env = repo.env(GIT_EDITOR="true")
    return subprocess.run(["git", *words], cwd=repo.root, env=env, capture_output=True, check=False).returncode


def wanted(sides: Sides) -> set[str]:
    return {task for side in sides[1:] for task in tasks(side.content)}


def kept(repo: ContentRepo) -> set[str]:
    """The tasks of the manifest in the work tree, which is the one in the index."""
    content: dict[str, Any] = json.loads((repo.root / NAME).read_text())
    assert json.loads(repo.git("show", f":{NAME}")) == content
    assert repo.git("ls-files", "--unmerged") == ""
    return set(tasks(content))


def test_a_merge_is_mended_staged_and_committed(branches: ContentRepo, sides: Sides) -> None:
    assert git(branches, "merge", "theirs") == 1
    done = branches.storyboard("mend")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{NAME}: merged, with the {len(wanted(sides))} tasks of both sides, and staged")
    assert kept(branches) == wanted(sides)
    assert git(branches, "commit", "--no-edit") == 0
    again = branches.storyboard("mend")
    assert (again.code, again.out) == (0, "no manifest is in conflict\n")


@pytest.mark.parametrize("name", [NAME, "renders", ".", "storyboards/film.yaml"])
def test_a_manifest_is_named_by_its_file_its_folder_or_its_storyboard(branches: ContentRepo, name: str) -> None:
    git(branches, "merge", "theirs")
    assert "and staged" in branches.storyboard("mend", name).out


def test_a_rebase_is_mended_at_each_commit(branches: ContentRepo, sides: Sides) -> None:
    assert git(branches, "rebase", "theirs") == 1
    assert branches.storyboard("mend").code == 0
    assert git(branches, "rebase", "--continue") == 0
    assert kept(branches) == wanted(sides)


def test_a_merge_with_a_detached_head(branches: ContentRepo, sides: Sides) -> None:
    branches.git("checkout", "-q", "--detach")
    git(branches, "merge", "theirs")
    assert branches.storyboard("mend").code == 0
    assert kept(branches) == wanted(sides)


def test_a_merge_in_a_worktree(branches: ContentRepo, sides: Sides) -> None:
    folder = branches.root.parent / "worktree"
    branches.git("worktree", "add", "-q", "--detach", str(folder), "ours")
    tree = ContentRepo(folder)
    assert git(tree, "merge", "theirs") == 1
    assert tree.storyboard("mend").code == 0
    assert kept(tree) == wanted(sides)


def test_a_merge_in_a_submodule(branches: ContentRepo, sides: Sides) -> None:
    outer = ContentRepo(branches.root.parent / "outer")
    outer.root.mkdir()
    outer.git("init", "-q")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "-b", "ours", str(branches.root), "film")
    inner = ContentRepo(outer.root / "film")
    inner.git("config", "user.name", "A")
    inner.git("config", "user.email", "a@example.com")
    assert git(inner, "merge", "origin/theirs") == 1
    assert inner.storyboard("mend").code == 0
    assert kept(inner) == wanted(sides)


@pytest.mark.parametrize("command", ["add", "commit"])
def test_marks_that_were_staged_or_committed_as_they_are_are_mended(
    branches: ContentRepo, sides: Sides, command: str
) -> None:
    git(branches, "merge", "theirs")
    branches.git("add", NAME)
    if command == "commit":
        branches.git("commit", "-qm", "Marks and all")
    stopped = branches.storyboard("status", "--provider", "kinovi")
    assert stopped.code == 3
    line = next(line.strip() for line in stopped.err.splitlines() if "storyboard mend" in line)
    assert branches.storyboard(*line.split()[1:]).code == 0
    assert kept(branches) == wanted(sides)


def test_a_side_that_removed_the_manifest_takes_nothing_away(branches: ContentRepo, sides: Sides) -> None:
    branches.git("rm", "-q", NAME)
    branches.git("commit", "-qm", "No renders")
    assert git(branches, "merge", "theirs") == 1
    assert "one side had removed it; kept" in branches.storyboard("mend").out
    assert kept(branches) == set(tasks(sides[2].content))


def test_what_a_run_wrote_beside_an_open_conflict_stays(branches: ContentRepo, sides: Sides) -> None:
    branches.write(".git/info/attributes", f"{NAME} -merge\n")
    assert git(branches, "merge", "theirs") == 1
    own = json.loads((branches.root / NAME).read_text())
    own["shots"][0]["takes"].append(
        {"take": 9, "fingerprint": "9" * 64, "status": "running", "task_id": "task_late", "request": {"prompt": "x"},
         "credits": {"quoted": 60, "used": None}, "error": None, "clip": None, "created_at": "2026-04-01T00:00:00Z",
         "completed_at": None}
    )  # fmt: skip
    branches.write(NAME, json.dumps(own))
    assert branches.storyboard("mend").code == 0
    assert kept(branches) == wanted(sides) | {"task_late"}


def with_driver(repo: ContentRepo) -> None:
    repo.git("config", "merge.storyboard.driver", DRIVER)
    (repo.root / ".git" / "info").mkdir(exist_ok=True)
    repo.write(".git/info/attributes", "renders/**/manifest.json merge=storyboard\n")


def test_git_merges_by_itself_with_the_driver(
    branches: ContentRepo, sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_driver(branches)
    assert git(branches, "merge", "--no-edit", "theirs") == 0
    assert kept(branches) == wanted(sides)


def test_the_driver_that_cannot_merge_leaves_both_sides_with_marks(branches: ContentRepo) -> None:
    with_driver(branches)
    branches.write(NAME, (branches.root / NAME).read_text().replace('"manifest": 2', '"manifest": 99'))
    branches.git("commit", "-qam", "From the future")
    assert git(branches, "merge", "--no-edit", "theirs") == 1
    text = (branches.root / NAME).read_text()
    assert "<<<<<<< " in text
    stopped = branches.storyboard("mend")
    assert stopped.code == 3
    assert "newer storyboard" in stopped.err
    assert (branches.root / NAME).read_text() == text


def test_the_driver_merges_in_a_bare_repository(branches: ContentRepo, sides: Sides) -> None:
    bare = branches.root.parent / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(branches.root), str(bare)], check=True, capture_output=True)
    (bare / "info").mkdir(exist_ok=True)
    (bare / "info" / "attributes").write_text("renders/**/manifest.json merge=storyboard\n")
    inside = ["git", "-C", str(bare), "-c", f"merge.storyboard.driver={DRIVER}"]
    merged = subprocess.run(
        [*inside, "merge-tree", "--write-tree", "ours", "theirs"], env=branches.env(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    text = subprocess.run(
        [*inside, "show", f"{merged.stdout.strip()}:{NAME}"], capture_output=True, text=True, check=True
    ).stdout
    assert set(tasks(json.loads(text))) == wanted(sides)
    assert ContentRepo(bare).storyboard("mend").out == "no manifest is in conflict\n"


def test_two_accounts_in_one_file_are_refused_and_nothing_changes(branches: ContentRepo) -> None:
    branches.write(NAME, (branches.root / NAME).read_text().replace("kinovi.ai", "other.example"))
    branches.git("commit", "-qam", "Another host")
    git(branches, "merge", "theirs")
    before = (branches.root / NAME).read_text()
    stopped = branches.storyboard("mend")
    assert stopped.code == 3
    assert "other.example" in stopped.err
    assert (branches.root / NAME).read_text() == before


def test_a_file_that_does_not_exist_is_a_wrong_command_line(branches: ContentRepo, tmp_path: Path) -> None:
    assert branches.storyboard("mend", "renders/none/manifest.json").code == 2
    assert branches.storyboard("mend", "none.yaml").code == 2


def test_status_names_the_command_that_mends_in_a_line_of_its_own(branches: ContentRepo) -> None:
    assert git(branches, "merge", "theirs") == 1
    branches.write("storyboards/other.yaml", "storyboard: 1\nshots: [{id: sea, prompt: The sea}]\n")
    shown = branches.storyboard("status", "--provider", "kinovi")
    assert shown.code == 3
    assert f"  storyboard mend {NAME}" in shown.err.splitlines()
    assert "\\n" not in shown.err


def test_outside_of_git_the_file_is_asked_for(tmp_path: Path) -> None:
    folder = ContentRepo(tmp_path / "plain")
    folder.root.mkdir()
    stopped = folder.storyboard("mend")
    assert stopped.code == 3
    assert "no git work tree" in stopped.err
