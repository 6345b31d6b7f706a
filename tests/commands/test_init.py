"""What `storyboard init` says to type next, typed one line after the other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo


@pytest.mark.parametrize("service", ["--github", "--gitlab", "--no-ci"])
def test_no_line_is_wider_than_80_columns(tmp_path: Path, service: str) -> None:
    repo = ContentRepo(tmp_path / "work")
    repo.root.mkdir()
    printed = repo.storyboard("init", "film", service).out
    assert [line for line in printed.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("folder", ["film", "films/the quay", "."])
def test_both_lines_run_one_after_the_other(tmp_path: Path, folder: str) -> None:
    repo = ContentRepo(tmp_path / "work")
    repo.root.mkdir()
    _, _, next_lines = repo.storyboard("init", folder).out.partition("\nnext")
    first, second = (line.strip() for line in next_lines.strip().split("\n\n")[0].splitlines()[::2])
    commands = tmp_path / "bin"
    commands.mkdir()
    tool = commands / "storyboard"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m runner validate "$2"\n')
    tool.chmod(0o755)
    env = repo.env(PATH=f"{commands}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["sh", "-ec", f"{first}\n{second}"], cwd=repo.root, env=env, check=True, capture_output=True)
    assert (repo.root / folder / ".git").is_dir()
