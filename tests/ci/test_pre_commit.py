"""The hook of `.pre-commit-hooks.yaml`, run by pre-commit from a local repository of this program."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import requirements
from tests.builders.content_repo import ContentRepo, content
from tests.docs.pages import ROOT

HOOKS = ".pre-commit-hooks.yaml"


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    """A film whose commits the hook checks, by the hook file of this working tree."""
    requirements.module("pre_commit")
    program = ContentRepo(tmp_path / "program")
    program.root.mkdir()
    for name in (HOOKS, "pyproject.toml", "README.md", "LICENSE", "action.yml"):
        shutil.copy(ROOT / name, program.root / name)
    for name in ("runner", "docs", "schemas", "storyboards", "ci"):
        shutil.copytree(ROOT / name, program.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    program.git("init", "-q")
    program.git("add", "-A")
    program.git("commit", "-qm", "storyboard")
    film = content(tmp_path)
    revision = program.git("rev-parse", "HEAD").strip()
    hook = {"repo": str(program.root), "rev": revision, "hooks": [{"id": "storyboard-validate"}]}
    film.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [hook]}))
    return film


def pre_commit(film: ContentRepo) -> "subprocess.CompletedProcess[str]":
    """Run the hook on what is staged; its environment has the dependencies of this one, and builds without an index."""
    site = next(path for path in sys.path if path.endswith("site-packages"))
    env = film.env(
        PRE_COMMIT_HOME=str(film.root.parent / "pre-commit"), PYTHONPATH=os.pathsep.join([site, *_shared(site)]),
        PIP_NO_DEPS="1", PIP_NO_BUILD_ISOLATION="0", PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1",
        HOME=str(film.root.parent),
    )  # fmt: skip
    film.git("add", "-A")
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--verbose"], cwd=film.root, env=env, capture_output=True,
        text=True, check=False, timeout=280,
    )  # fmt: skip


def _shared(site: str) -> list[str]:
    """Further folders of packages of this interpreter."""
    return [path for path in sys.path if path.endswith("site-packages") and path != site]


def test_pre_commit_reports_what_is_wrong_with_the_storyboards_of_a_commit(film: ContentRepo) -> None:
    board = film.root / "storyboards/film.yaml"
    board.write_text(board.read_text().replace("duration: 4", "duration: 99"))
    failed = pre_commit(film)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "storyboards/film.yaml" in failed.stdout
    assert "99" in failed.stdout
    board.write_text(board.read_text().replace("duration: 99", "duration: 5"))
    passed = pre_commit(film)
    assert (passed.returncode, "Passed" in passed.stdout) == (0, True), passed.stdout + passed.stderr
