"""The workflows that `storyboard init` writes: their shape, and each `run:` step against a real branch."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.content_repo import ContentRepo

WORKFLOW = ".github/workflows/storyboard.yml"
PIPELINE = ".gitlab-ci.yml"
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$GH_LOG"
case "$*" in *--paginate*) cat "$GH_COMMENTS";; esac
"""
"""In the place of GitHub's command line: notes each call, and lists the ids of the comments of a file."""


def repository(tmp_path: Path, *flags: str) -> ContentRepo:
    """A repository that `init` has written, with a branch that changes a prompt."""
    repo = ContentRepo(tmp_path / "film")
    repo.root.mkdir(parents=True)
    done = repo.storyboard("init", *flags)
    assert done.code == 0, done.err
    repo.git("init", "-q", "-b", "main")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "A film")
    repo.git("checkout", "-qb", "change")
    (board,) = (repo.root / "storyboards").glob("*.yaml")
    board.write_text(board.read_text() + "\n  - {id: added, prompt: A new shot}\n")
    repo.git("commit", "-qam", "A shot more")
    return repo


def steps(repo: ContentRepo) -> dict[str, dict[str, Any]]:
    workflow = yaml.safe_load((repo.root / WORKFLOW).read_text())
    return {step["name"]: step for step in workflow["jobs"]["price"]["steps"] if "run" in step}


def run_step(repo: ContentRepo, script: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A step as GitHub runs it: bash, ending at the first failure."""
    job = repo.root.parent / "job"
    job.mkdir(exist_ok=True)
    tools = job / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(GH)
    (tools / "storyboard").write_text(f'#!/bin/sh\nexec {sys.executable} -m runner "$@"\n')
    (tools / "pip").write_text('#!/bin/sh\nprintf "%s\\n" "$*" >> "$GH_LOG"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    (job / "comments").touch()
    own = {
        "PATH": f"{tools}:{os.environ['PATH']}", "RUNNER_TEMP": str(job), "GITHUB_STEP_SUMMARY": str(job / "summary"),
        "GITHUB_OUTPUT": str(job / "output"), "GH_LOG": str(job / "log"), "GH_COMMENTS": str(job / "comments"),
        "GITHUB_REPOSITORY": "acme/film", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main", "CI": "true",
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], cwd=repo.root, env=repo.env(**own, **env), capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def log(repo: ContentRepo) -> str:
    return (repo.root.parent / "job" / "log").read_text()


def test_the_install_step_asks_for_the_variable_or_installs_what_it_names(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github")
    script = steps(repo)["install"]["run"]
    empty = run_step(repo, script, STORYBOARD_INSTALL="")
    assert (empty.returncode, "STORYBOARD_INSTALL" in empty.stdout) == (1, True)
    assert run_step(repo, script, STORYBOARD_INSTALL="./a.whl").returncode == 0
    assert log(repo) == "install ./a.whl\n"


def test_an_install_line_of_ones_own_is_written_as_it_is(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github", "--install", 'pip install "./wheels/a b.whl"')
    assert steps(repo)["install"]["run"] == 'pip install "./wheels/a b.whl"\n'


def test_the_comment_is_made_once_and_then_brought_up_to_date(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github")
    named = steps(repo)
    assert run_step(repo, named["validate"]["run"]).returncode == 0
    priced = run_step(repo, named["price"]["run"])
    assert priced.returncode == 0, priced.stderr
    job = repo.root.parent / "job"
    assert (job / "output").read_text() == "code=8\n"
    assert "| added | added |" in (job / "summary").read_text()
    assert run_step(repo, named["comment"]["run"], NUMBER="7", CODE="8").returncode == 0
    assert "--method POST repos/acme/film/issues/7/comments" in log(repo)
    (job / "comments").write_text("41\n42\n")
    assert run_step(repo, named["comment"]["run"], NUMBER="7", CODE="0").returncode == 0
    assert "--method PATCH repos/acme/film/issues/comments/41 " in log(repo)


def test_where_the_price_is_unchanged_no_comment_is_written(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github")
    assert run_step(repo, steps(repo)["comment"]["run"], NUMBER="7", CODE="0").returncode == 0
    assert "POST" not in log(repo)


def test_a_storyboard_with_errors_fails_the_job(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github")
    (board,) = (repo.root / "storyboards").glob("*.yaml")
    board.write_text(board.read_text().replace("A new shot}", "A new shot, duration: 99}"))
    assert run_step(repo, steps(repo)["validate"]["run"]).returncode == 3
    assert run_step(repo, steps(repo)["price"]["run"]).returncode == 3


def test_no_step_has_a_secret_and_runs_what_a_pull_request_brings(tmp_path: Path) -> None:
    workflow = (repository(tmp_path, "--github").root / WORKFLOW).read_text()
    assert "pull_request_target" not in workflow
    assert "secrets." not in workflow
    for step in yaml.safe_load(workflow)["jobs"]["price"]["steps"]:
        if "GH_TOKEN" in step.get("env", {}):
            assert "storyboard " not in step["run"].replace("<!-- storyboard diff -->", "")
        if "uses" in step:
            assert len(step["uses"].partition("@")[2]) == 40, "an action is named by its commit"


def test_each_line_of_the_pipeline_for_gitlab_runs(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--gitlab", "--install", "true")
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", ".", str(bare))
    repo.git("remote", "add", "origin", str(bare))
    job = yaml.safe_load((repo.root / PIPELINE).read_text())["storyboard"]
    env = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    done = run_step(repo, "\n".join(job["script"]), **env)
    assert done.returncode == 0, done.stderr
    assert "| added | added |" in (repo.root / "storyboard-diff.md").read_text()


@pytest.mark.parametrize("flags", [(), ("--no-ci",)])
def test_without_a_terminal_nobody_is_asked_and_no_workflow_is_written(tmp_path: Path, flags: tuple[str, ...]) -> None:
    repo = repository(tmp_path, *flags)
    assert not (repo.root / ".github").exists()
    assert not (repo.root / PIPELINE).exists()


def test_a_workflow_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    repo = repository(tmp_path, "--github")
    repo.write(WORKFLOW, "name: mine\n")
    assert "left as it is" in repo.storyboard("init", "--github").out
    assert (repo.root / WORKFLOW).read_text() == "name: mine\n"


def test_the_workflows_pass_the_schemas_of_their_vendors(tmp_path: Path) -> None:
    for flag, name, schema in (
        ("--github", WORKFLOW, "vendor.github-workflows"),
        ("--gitlab", PIPELINE, "vendor.gitlab-ci"),
    ):
        repo = repository(tmp_path / flag, flag)
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(repo.root / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
