"""Committed and pushed files, found in the clone's own data: no connection, and five reasons why not."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.settings.environment import child_environment
from runner.store import git_files
from runner.store.git_files import Pushed, find_pushed


@dataclass(frozen=True)
class Clone:
    """A clone with a bare repository as its remote."""

    root: Path

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
        done = subprocess.run(["git", *identity, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, name: str, content: bytes, *, push: bool = True) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "-qm", name)
        if push:
            self.git("push", "-q", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def find(self, *names: str) -> dict[str, Pushed | str]:
        return find_pushed(self.root, names, child_environment())


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    bare, root = tmp_path / "film.git", tmp_path / "film"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    made = Clone(root)
    made.git("remote", "add", "origin", str(bare))
    return made


def test_the_commit_is_the_last_one_on_a_remote_branch_that_brought_the_present_bytes(clone: Clone) -> None:
    first = clone.commit("assets/maria.png", b"first")
    clone.commit("assets/maria.png", b"second")
    third = clone.commit("assets/door.png", b"door")
    (clone.root / "assets/maria.png").write_bytes(b"first")

    assert clone.find("assets/maria.png", "assets/door.png") == {
        "assets/maria.png": Pushed(first),
        "assets/door.png": Pushed(third),
    }


def test_a_name_with_spaces_umlauts_and_glob_signs_is_a_name(clone: Clone) -> None:
    name = "assets/Tür [1] *.png"
    commit = clone.commit(name, b"door")
    assert clone.find(name) == {name: Pushed(commit)}


def test_a_file_that_differs_from_its_commit_is_told_so(clone: Clone) -> None:
    clone.commit("maria.png", b"first")
    (clone.root / "maria.png").write_bytes(b"changed since")
    assert clone.find("maria.png") == {"maria.png": git_files.DIFFERS}


def test_a_commit_that_was_not_pushed_is_told_so(clone: Clone) -> None:
    clone.commit("door.png", b"door")
    clone.commit("maria.png", b"first", push=False)
    assert clone.find("maria.png") == {"maria.png": git_files.UNPUSHED}


def test_a_file_that_was_never_committed_is_told_so(clone: Clone) -> None:
    clone.commit("door.png", b"door")
    (clone.root / "maria.png").write_bytes(b"new")
    assert clone.find("maria.png") == {"maria.png": git_files.UNCOMMITTED}


def test_a_file_that_git_lfs_keeps_is_told_so(clone: Clone) -> None:
    clone.commit(".gitattributes", b"*.png filter=lfs diff=lfs merge=lfs -text\n")
    (clone.root / "maria.png").write_bytes(b"bytes that LFS would keep elsewhere")
    assert clone.find("maria.png") == {"maria.png": git_files.LFS}


def test_a_file_of_a_submodule_is_told_so(clone: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "cast")
    subprocess.run(["git", "init", "-q", str(other.root)], check=True)
    (other.root / "maria.png").write_bytes(b"maria")
    other.git("add", "--all")
    other.git("commit", "-qm", "maria")
    clone.commit("door.png", b"door")
    clone.git("submodule", "add", "-q", str(other.root), "cast")
    assert clone.find("cast/maria.png") == {"cast/maria.png": git_files.SUBMODULE}


def test_a_folder_without_git_has_no_commits(tmp_path: Path) -> None:
    (tmp_path / "maria.png").write_bytes(b"maria")
    assert find_pushed(tmp_path, ["maria.png"], child_environment()) == {"maria.png": git_files.NO_REPOSITORY}
