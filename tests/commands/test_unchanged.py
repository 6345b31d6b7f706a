"""A second run with nothing to do is answered from memory, in the same words, and never when anything is another."""

import ast
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.settings.environment import OBSERVED_VARIABLES
from runner.settings.pull_request import PULL_REQUEST_VARIABLES
from runner.store import locks
from tests.architecture.test_doors import used
from tests.commands.content_repo import CommandResult, ContentRepo, content

FILM = "storyboards/film.yaml"
BOARD = """\
storyboard: 1
title: The quay
include: [shared.yaml]
vars: {sky: pink}
defaults: {resolution: 480p, duration: 4}
assets: {door: {image: assets/door.png}}
shots:
  - id: quay
    prompt: "{% include 'dawn.txt' %} The sky is {{ sky }}"
  - id: enter
    first_frame: "@quay.last_frame"
    prompt: She pushes the door open
"""
"""Everything that a run can look at: an include, an asset that no shot uses, a prompt file, a frame of another take."""
FROM_MEMORY = "ALL MADE"
ASSETS = Path(__file__).parents[2] / "storyboards/assets"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ContentRepo]:
    """Copies of a film that is made, old enough to be remembered; each with its own ledger."""
    first = content(tmp_path_factory.mktemp("made"), BOARD)
    first.write("storyboards/shared.yaml", "vars: {sea: grey}\n")
    first.write("prompts/dawn.txt", "Sunrise over the quay.")
    first.write("storyboards/assets/door.png", "")
    shutil.copy(ASSETS / "door.png", first.root / "storyboards/assets/door.png")
    said = first.storyboard("run", FILM)
    assert said.code == 0, said.out + said.err
    folder = tmp_path_factory.mktemp("copies")
    names = [name.replace(" ", "-") for name in DOUBTS]
    for name in [*names, "same", "json", "quiet", "held"]:
        shutil.copytree(first.root.parent, folder / name)
    time.sleep(2.1)
    return lambda name: ContentRepo(folder / name.replace(" ", "-") / "film")


def remembered(film: ContentRepo) -> CommandResult:
    """A run with nothing to do, after which what it remembers can be told from what is worked out anew."""
    said = film.storyboard("run", FILM)
    assert said.code == 0, said.err
    (kept,) = (film.state / "unchanged").iterdir()
    kept.write_text(kept.read_text("utf-8").replace("all made", FROM_MEMORY), "utf-8")
    assert FROM_MEMORY in film.storyboard("run", FILM).out
    return said


def test_the_same_line_says_the_same_and_writes_nothing(made: Callable[[str], ContentRepo]) -> None:
    film = made("same")
    whole = remembered(film)
    before = {path: path.stat().st_mtime_ns for path in film.root.rglob("*") if path.is_file()}
    again = film.storyboard("run", FILM)
    assert again == CommandResult(0, whole.out.replace("all made", FROM_MEMORY), "")
    assert before == {path: path.stat().st_mtime_ns for path in film.root.rglob("*") if path.is_file()}
    script = "import sys, runner.__main__ as m; sys.argv = ['x', 'run', %r]; m.main(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script % FILM], cwd=film.root, env=film.env(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert FROM_MEMORY in done.stdout
    heavy = {"argparse", "re", "json", "hashlib", "sqlite3", "pathlib", "typing", "yaml", "tomllib", "runner.cli"}
    assert heavy & set(done.stdout.split()) == set()


def test_quiet_stays_quiet(made: Callable[[str], ContentRepo]) -> None:
    film = made("quiet")
    for _ in range(3):
        assert film.storyboard("run", FILM, "--quiet") == CommandResult(0, "", "")
    assert len(list((film.state / "unchanged").iterdir())) == 1


def test_lines_for_programs_tell_their_time_and_are_made_anew(made: Callable[[str], ContentRepo]) -> None:
    film = made("json")
    first, second = (film.storyboard("run", FILM, "--json") for _ in range(2))
    assert json.loads(first.out)["at"] < json.loads(second.out)["at"]
    assert not (film.state / "unchanged").exists()


def edit(name: str, text: str) -> Callable[[ContentRepo], object]:
    return lambda film: film.write(name, text)


def open_attempt(film: ContentRepo) -> None:
    """What another process has in the ledger now."""
    with sqlite3.connect(film.state / "ledger.db") as connection:
        connection.execute("INSERT INTO turn VALUES ('another run', 1, 0.0)")
    connection.close()


def shorter_clip(film: ContentRepo) -> None:
    path = film.root / film.clips()[0]
    path.write_bytes(path.read_bytes()[:-1])


def linked(name: str) -> Callable[[ContentRepo], object]:
    """The same files by way of a link that leads out of the repository."""

    def link(film: ContentRepo) -> None:
        there = film.root.parent / "elsewhere"
        (film.root / name).rename(there)
        (film.root / name).symlink_to(there)

    return link


DOUBTS: dict[str, Callable[[ContentRepo], object]] = {
    "a storyboard": edit(FILM, BOARD.replace("pink", "red")),
    "an include": edit("storyboards/shared.yaml", "vars: {sea: blue}\n"),
    "a prompt file": edit("prompts/dawn.txt", "Sunset over the quay."),
    "a prompt file nearer by": edit("storyboards/prompts/dawn.txt", "Night over the quay."),
    "an asset that no shot uses": lambda film: (film.root / "storyboards/assets/door.png").unlink(),
    "the settings": edit("storyboard.toml", 'output = "elsewhere"\n'),
    "my own settings": edit("../config/storyboard/config.toml", 'provider = "kinovi"\n'),
    "a clip that is gone": lambda film: (film.root / film.clips()[0]).unlink(),
    "a clip that is shorter": shorter_clip,
    "the manifest": lambda film: (film.root / "renders/film/sandbox/manifest.json").unlink(),
    "a folder of materials that a link leads to": linked("storyboards/assets"),
    "an output that a link leads to": linked("renders"),
    "the ledger": open_attempt,
    "the ledger gone": lambda film: (film.state / "ledger.db").unlink(),
    "the commit": lambda film: film.git("commit", "-q", "--allow-empty", "-m", "More"),
    "the repository": lambda film: shutil.rmtree(film.root / ".git"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_another(doubt: str, made: Callable[[str], ContentRepo]) -> None:
    film = made(doubt)
    remembered(film)
    DOUBTS[doubt](film)
    assert FROM_MEMORY not in film.storyboard("run", FILM).out


def test_another_line_or_variable(made: Callable[[str], ContentRepo]) -> None:
    film = made("same")
    for words in (["--provider", "kinovi"], ["--output", "elsewhere"], ["--var", "sky=red"], ["--select", "quay"]):
        assert FROM_MEMORY not in film.storyboard("run", FILM, *words, "--max-credits", "0").out
    for name, value in {"STORYBOARD_PROVIDER": "kinovi", "COLUMNS": "60", "STORYBOARD_MAX_CREDITS": "x"}.items():
        assert FROM_MEMORY not in film.storyboard("run", FILM, **{name: value}).out


def test_an_output_that_another_run_holds_is_still_exit_7(made: Callable[[str], ContentRepo]) -> None:
    film = made("held")
    remembered(film)
    with locks.lock_outputs(film.state, [film.root / "renders/film/sandbox"]):
        assert film.storyboard("run", FILM).code == 7
    assert FROM_MEMORY in film.storyboard("run", FILM).out


def test_every_variable_that_settings_read_is_looked_at() -> None:
    text = (Path(__file__).parents[2] / "runner/settings/settings.py").read_text("utf-8")
    found = set(re.findall(r'\.get\("([A-Z_]+)"', text))
    assert len(found) > 10
    found |= {name for variables in PULL_REQUEST_VARIABLES.values() for name in variables}
    assert any(name == "os.environ" for name, _ in used(ast.parse(text)))
    assert found - set(OBSERVED_VARIABLES) == {"SEEDANCE_API_KEY"}
