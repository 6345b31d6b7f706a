"""A model that no page has, added by a data file alone: planned, run, billed and shown by the installed command."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo, content
from tests.commands.conftest import KEY
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import POLL, record, reply

EDITION = """\
name = "workshop"
dated = "2027-02-01"
source = "a workshop's own page"
media_days = 7
record_days = 30

[every_model]
task_life = 1200
default_seconds = 6
default_resolution = "480p"
seconds = [6, 12]
prompt = 200
aspect_ratios = ["16:9", "1:1"]
images = 1
videos = 0
audio = 0
video_seconds = [0, 5]
audio_seconds = 5
frames = 1
prompt_required = ["text", "keyframe", "reference"]
fields = ["seed"]

[models.loom-1]

[[prices]]
model = "loom-1"
rows = {480p = "3.5", 720p = "8"}

[[prices]]
model = "loom-1"
from = 2020-01-01
until = 2020-12-31
rows = {480p = "1"}

[body]
duration = {key = "length", form = "plain"}
resolution = {key = "lines", form = "text"}
aspect_ratio = {key = "shape", form = "text"}
prompt = {key = "words", form = "text"}
mode = {key = "mode", form = "text", sent_for = []}
seed = {key = "seed", form = "plain"}
images = {key = "pictures"}
frames = {key = "pictures"}
"""
FILM = """\
storyboard: 1
defaults: {model: loom-1}
shots:
  - {id: quay, prompt: A quay}
  - {id: ferry, prompt: A ferry, duration: 12, resolution: 720p, seed: 7}
"""
BOARD = "storyboards/film.yaml"
WITH_DATA = """\
import sys
from pathlib import Path
from runner.editions import edition
edition.DATA = Path(sys.argv.pop(1))
edition.NAMES = tuple(sorted(path.stem for path in edition.DATA.glob("*.toml")))
from runner.settings.schema import keys
keys().values["providers.kinovi.edition"]["enum"] = [*edition.NAMES, "classic"]
sys.argv[0] = "storyboard"
from runner.__main__ import main
raise SystemExit(main())
"""
"""Runs `storyboard` with the editions of another folder."""


@pytest.fixture
def workshop(tmp_path: Path) -> ContentRepo:
    film = content(tmp_path, FILM)
    film.write("storyboard.toml", '[providers.kinovi]\nedition = "workshop"\n')
    (tmp_path / "editions").mkdir()
    (tmp_path / "editions/workshop.toml").write_text(EDITION)
    return film


@pytest.fixture
def double() -> Iterator[Double]:
    with Double(media=clip(80, 6.0, 854, 480)) as host:
        yield host


def run(film: ContentRepo, *words: str, **env: str) -> CommandResult:
    editions = str(film.root.parent / "editions")
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITH_DATA, editions, *words],
        cwd=film.root,
        env=film.env(**env) | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def test_it_is_planned_run_and_billed(workshop: ContentRepo, double: Double) -> None:
    env = {"SEEDANCE_BASE_URL": double.url, "SEEDANCE_API_KEY": KEY, "STORYBOARD_PROVIDER": "kinovi"}
    planned = run(workshop, "plan", BOARD, "--json", **env).json
    assert planned["totals"]["credits"] == 6 * 3.5 + 12 * 8
    for task, credits, link in (("task_1", 21, "a"), ("task_2", 96.00000000000001, "b")):
        output = [{"url": f"{double.url}/media/{link}.mp4", "width": 854, "height": 480}]
        ended = record(task, "success", model="loom-1", creditsUsed=credits, output=output)
        double.play(reply(200, ended, on=f"{POLL}?taskId={task}", times=0))

    made = run(workshop, "run", BOARD, "--max-credits", "117", **env)

    assert made.code == 0, made.out + made.err
    bodies = [request.body for request in double.requests()]
    assert b'"model": "loom-1"' in bodies[0]
    assert b'"length": 6, "shape": "16:9", "lines": "480p"' in bodies[0]
    assert b'"seed": 7' in bodies[1]
    spent = run(workshop, "spend", BOARD, "--json", **env).json
    assert spent["total"]["billed"] == 117


def test_its_limits_are_those_of_its_data(workshop: ContentRepo) -> None:
    workshop.write(BOARD, FILM.replace("duration: 12", "duration: 13"))
    said = run(workshop, "validate", BOARD)
    assert said.code == 3
    assert "`duration` is 13, but clips have 6 to 12 seconds" in said.out + said.err


def test_prices_shows_its_rows_with_their_days(workshop: ContentRepo) -> None:
    shown = run(workshop, "prices").out
    assert [line.split() for line in shown.splitlines() if "480p" in line] == [
        ["loom-1", "480p", "3.5", "21", "$0.105"],
        ["loom-1", "480p", "1", "6", "$0.03", "from", "2020-01-01", "until", "2020-12-31"],
    ]
    assert "loom-1: 6 to 12 s, prompts of 200 characters, 1 image" in shown
