"""The step that commits the manifests: also beside others who push, and never a clip that Git LFS does not track."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.builders.content_repo import ContentRepo
from tests.ci.conftest import BOARD, Project
from tests.commands.conftest import Host
from tests.docs.pages import ROOT

MANIFEST = "renders/film/kinovi/manifest.json"
CLIP = "renders/film/kinovi/clips/quay/take-1.mp4"


def commit(project: Project, repo: ContentRepo) -> "subprocess.CompletedProcess[str]":
    env = project.env(repo, WORK=str(repo.root.parent / "work"), BRANCH="main", REMOTE="origin", AUTHOR="A bot")
    pause = repo.root.parent / "bin" / "sleep"
    pause.write_text("#!/bin/sh\n")
    pause.chmod(0o755)
    return subprocess.run(
        ["bash", str(ROOT / "ci" / "commit.sh")], cwd=repo.root, env=env | {"EMAIL": "bot@example.com"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def made(project: Project, shot: str) -> ContentRepo:
    """The working tree of a job that has made one shot."""
    repo = project.checkout("origin/main")
    words = ("run", BOARD, "--provider", "kinovi", "--select", shot, "--yes", "--quiet")
    done = repo.storyboard(*words, **project.paid.env)
    assert done.code == 0, done.err
    return repo


def on_main(project: Project) -> list[str]:
    project.people.git("fetch", "-q", "origin")
    return project.people.git("ls-tree", "-r", "--name-only", "origin/main", "renders").split()


def taken(project: Project) -> set[str]:
    return {shot["id"] for shot in project.main_manifest()["shots"] if shot["takes"]}


def test_two_jobs_that_made_takes_of_one_film_lose_none(tmp_path: Path, host: Callable[..., Host]) -> None:
    project = Project(tmp_path, "github", host())
    first, second = made(project, "quay"), made(project, "boats")
    for repo in (first, second, second):  # the third has nothing to commit
        done = commit(project, repo)
        assert done.returncode == 0, done.stderr
    assert (on_main(project), taken(project)) == ([MANIFEST], {"quay", "boats"})
    assert project.people.git("log", "--format=%an", "origin/main").split("\n")[:3] == ["A bot", "A bot", "A"]
    gathered = second.root.parent / "work" / "clips" / "renders/film/kinovi"
    assert sorted(str(path.relative_to(gathered)) for path in gathered.rglob("*.*")) == [
        "clips/boats/take-1.mp4", "manifest.json",
    ]  # fmt: skip


def test_clips_that_git_lfs_tracks_are_committed_and_no_artifact(tmp_path: Path, host: Callable[..., Host]) -> None:
    project = Project(tmp_path, "github", host())
    for name, old, new in ((".gitattributes", "# renders/**/clips/**", "renders/**/clips/**"),
                           (".gitignore", "\nrenders/**/clips/\n", "\n")):  # fmt: skip
        text = (project.people.root / name).read_text()
        assert old in text
        project.people.write(name, text.replace(old, new))
    project.push("Clips in Git LFS")
    repo = made(project, "quay")
    assert commit(project, repo).returncode == 0
    assert on_main(project) == [CLIP, MANIFEST]
    assert not (repo.root.parent / "work" / "clips").exists()


def test_a_branch_that_takes_no_push_fails_the_step_with_the_way_out(tmp_path: Path, host: Callable[..., Host]) -> None:
    project = Project(tmp_path, "github", host())
    repo = made(project, "quay")
    hook = project.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    done = commit(project, repo)
    assert (done.returncode, "let this job push there" in done.stdout) == (1, True)
    assert (repo.root.parent / "work" / "clips" / CLIP).is_file()
