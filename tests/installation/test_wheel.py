"""The built wheel, installed into an environment of its own, carries docs, examples and schemas."""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import requirements
from tests.docs.pages import ROOT

WHEELS = "DEPENDENCY_WHEELS"
"""A folder with the wheels of every dependency, for pip to install from alone; else those of the tests serve."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
                   cwd=ROOT, check=True, capture_output=True)  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment into which pip installed the wheel from a folder of wheels."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    wheels = os.environ.get(WHEELS)
    dependencies = ["--find-links", wheels] if wheels else ["--no-deps"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-compile"]
    links = ["--find-links", str(wheel.parent), *dependencies]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}  # pip asks every compiler for its version
    subprocess.run([*command, *links, "storyboard-runner"], check=True, capture_output=True, env=env)
    if not wheels:
        places = [path for path in sys.path if path.endswith("site-packages")]
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text("\n".join(places), "utf-8")
    return folder / "bin" / "storyboard"


def with_pipx(wheel: Path, folder: Path) -> Path:
    """The command that pipx installs from folders of wheels."""
    program, wheels = requirements.installer("pipx")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder)}
    pip = f"--no-index --no-compile --find-links {wheels}"
    command = [program, "install", "--python", sys.executable, "--pip-args", pip, str(wheel)]
    subprocess.run(command, check=True, capture_output=True, env=env)
    return folder / "storyboard"


def with_uv(wheel: Path, folder: Path) -> Path:
    """The command that uv installs from folders of wheels."""
    program, wheels = requirements.installer("uv")
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "UV_TOOL_DIR": str(folder / "uv"),
        "UV_TOOL_BIN_DIR": str(folder),
    }
    links = ["--no-index", "--offline", "--no-cache", "--find-links", wheels]
    command = [program, "tool", "install", "--python", sys.executable, *links, str(wheel)]
    subprocess.run(command, check=True, capture_output=True, env=env)
    return folder / "storyboard"


def printed(command: Path, folder: Path, *words: str) -> str:
    """What the installed command prints, far from this repository."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "STORYBOARD_STATE": str(folder / "state")}
    return subprocess.run(
        [str(command), *words], cwd=folder, env=env, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_wheel_holds_every_page_schema_and_example_of_the_repository(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    files = [*ROOT.glob("docs/*.md"), *ROOT.glob("schemas/*.json"), *ROOT.glob("storyboards/**/*.yaml")]
    assert {f"runner/{path.relative_to(ROOT)}" for path in files} - held == set()
    scripts = {f"runner/ci/{path.name}" for path in (ROOT / "action.yml", *ROOT.glob("ci/*.sh"))}
    assert len(scripts) > 1
    assert scripts <= held
    assert wheel.stat().st_size < 5_000_000


def test_the_installed_command_prints_docs_examples_and_schemas(installed: Path, tmp_path: Path) -> None:
    assert printed(installed, tmp_path, "docs", "language") == (ROOT / "docs/language.md").read_text("utf-8")
    assert printed(installed, tmp_path, "example", "spot") == (ROOT / "storyboards/spot.yaml").read_text("utf-8")
    schema = printed(installed, tmp_path, "schema", "storyboard")
    assert schema == (ROOT / "schemas/storyboard.schema.json").read_text("utf-8")
    assert "The take has another prompt." in printed(installed, tmp_path, "explain", "prompt-changed")
    assert "_storyboard_words" in printed(installed, tmp_path, "completion", "bash")


def test_the_installed_command_starts_a_repository_that_validates(installed: Path, tmp_path: Path) -> None:
    printed(installed, tmp_path, "init", "film")
    assert "3 shots: nothing is wrong" in printed(installed, tmp_path / "film", "validate")


def test_the_installed_command_writes_the_workflows_with_their_action_and_scripts(
    installed: Path, tmp_path: Path
) -> None:
    printed(installed, tmp_path, "init", "film", "--github")
    action = tmp_path / "film/.github/actions/storyboard"
    assert (action / "action.yml").read_bytes() == (ROOT / "action.yml").read_bytes()
    assert (action / "ci/pay.sh").read_bytes() == (ROOT / "ci/pay.sh").read_bytes()


@pytest.mark.parametrize("install", [with_pipx, with_uv])
def test_pipx_and_uv_install_a_command_that_carries_all_of_them(
    install: Callable[[Path, Path], Path], wheel: Path, tmp_path: Path
) -> None:
    command = install(wheel, tmp_path)
    assert printed(command, tmp_path, "docs", "language") == (ROOT / "docs/language.md").read_text("utf-8")
    assert printed(command, tmp_path, "example", "spot") == (ROOT / "storyboards/spot.yaml").read_text("utf-8")
    schema = printed(command, tmp_path, "schema", "storyboard")
    assert schema == (ROOT / "schemas/storyboard.schema.json").read_text("utf-8")
    printed(command, tmp_path, "init", "film")
    assert "3 shots: nothing is wrong" in printed(command, tmp_path / "film", "validate")
