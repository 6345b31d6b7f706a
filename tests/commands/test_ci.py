"""What `storyboard init` writes for CI: workflows that pass their vendors' schemas, and the scripts that they run."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.builders.content_repo import ContentRepo
from tests.builders.workflow_jobs import tool_path
from tests.docs.pages import ROOT

PRICE, PAID = ".github/workflows/storyboard.yml", ".github/workflows/storyboard-paid.yml"
ACTION, PIPELINE = ".github/actions/storyboard", ".gitlab-ci.yml"
SCHEMAS = {
    PRICE: "vendor.github-workflows",
    PAID: "vendor.github-workflows",
    f"{ACTION}/action.yml": "vendor.github-actions",
    PIPELINE: "vendor.gitlab-ci",
}


def written(tmp_path: Path, *flags: str) -> ContentRepo:
    """A repository that `init` has written."""
    repo = ContentRepo(tmp_path / "film")
    repo.root.mkdir(parents=True)
    done = repo.storyboard("init", *flags)
    assert done.code == 0, done.err
    return repo


def install_lines(repo: ContentRepo, name: str) -> str:
    """The lines of a workflow that install storyboard."""
    described = yaml.safe_load((repo.root / name).read_text())
    if name == PIPELINE:
        return str(described[".storyboard"]["before_script"][-1])
    (job,) = (job for job in described["jobs"].values() if any(step.get("name") == "install" for step in job["steps"]))
    return str(next(step["run"] for step in job["steps"] if step.get("name") == "install"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_written_passes_the_schema_of_its_vendor(tmp_path: Path, name: str) -> None:
    repo = written(tmp_path, "--gitlab" if name == PIPELINE else "--github")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name], str(repo.root / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("flag", "name"), [("--github", PRICE), ("--github", PAID), ("--gitlab", PIPELINE)])
def test_the_install_step_asks_for_the_variable_or_installs_what_it_names(tmp_path: Path, flag: str, name: str) -> None:
    repo = written(tmp_path, flag)
    path = tool_path(tmp_path / "tools" / "bin")
    words = ["bash", "-ec", install_lines(repo, name)]
    for value, code in (("", 1), ("./a.whl", 0)):
        env = {"PATH": path, "STORYBOARD_INSTALL": value}
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "STORYBOARD_INSTALL" in done.stdout) == (code, not value)
    assert (tmp_path / "tools" / "pip.log").read_text() == "install ./a.whl\n"


@pytest.mark.parametrize(("flag", "name"), [("--github", PRICE), ("--github", PAID), ("--gitlab", PIPELINE)])
def test_an_install_line_of_ones_own_is_written_as_it_is(tmp_path: Path, flag: str, name: str) -> None:
    repo = written(tmp_path, flag, "--install", 'pip install "./wheels/a b.whl"')
    assert install_lines(repo, name).strip() == 'pip install "./wheels/a b.whl"'


@pytest.mark.parametrize(
    ("flag", "folder", "others"),
    [("--github", ACTION, "gitlab"), ("--gitlab", ".gitlab/storyboard", "github")],
)
def test_the_action_and_its_scripts_are_those_of_this_repository(
    tmp_path: Path, flag: str, folder: str, others: str
) -> None:
    repo = written(tmp_path, flag)
    scripts = {path.name for path in (ROOT / "ci").glob("*.sh") if not path.name.startswith(others)}
    assert {path.name for path in (repo.root / folder / "ci").iterdir()} == scripts
    for name in scripts:
        assert (repo.root / folder / "ci" / name).read_bytes() == (ROOT / "ci" / name).read_bytes()
    if flag == "--github":
        assert (repo.root / folder / "action.yml").read_bytes() == (ROOT / "action.yml").read_bytes()


@pytest.mark.parametrize("flags", [(), ("--no-ci",)])
def test_without_a_terminal_nobody_is_asked_and_no_workflow_is_written(tmp_path: Path, flags: tuple[str, ...]) -> None:
    repo = written(tmp_path, *flags)
    assert not (repo.root / ".github").exists()
    assert not (repo.root / PIPELINE).exists()


def test_a_workflow_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    repo = written(tmp_path, "--github")
    repo.write(PRICE, "name: mine\n")
    assert "left as it is" in repo.storyboard("init", "--github").out
    assert (repo.root / PRICE).read_text() == "name: mine\n"


def test_the_scripts_are_bash_without_an_error_of_grammar() -> None:
    for script in (ROOT / "ci").glob("*.sh"):
        assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0, script
