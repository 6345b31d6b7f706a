"""The three storyboards that come with the project, and the one that `init` writes: right, small, and telling."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from runner.diagnostics.problem import Problems
from runner.editions.edition import load
from runner.language import compiler as language
from runner.language.model import Batch
from tests.builders.histories import local_files
from tests.builders.plans import plan_of
from tests.docs.pages import ROOT

EXAMPLES = sorted((ROOT / "storyboards").glob("*.yaml"))
TEMPLATE = ROOT / "runner/show/templates/init/storyboards/first-light.yaml"


def _compiled(*paths: Path, profile: str | None = None) -> tuple[Batch, Problems]:
    return language.compile(list(paths), ROOT, language.CompileOptions(profile=profile))


@pytest.mark.parametrize("path", [*EXAMPLES, TEMPLATE], ids=lambda path: path.name)
@pytest.mark.parametrize("profile", [None, "draft"])
def test_an_example_has_neither_problem_nor_warning(path: Path, profile: str | None) -> None:
    batch, problems = _compiled(path, profile=profile)
    assert [problem.message for problem in problems] == []
    assert list(batch.shots)


@pytest.mark.parametrize("path", [*EXAMPLES, TEMPLATE], ids=lambda path: path.name)
def test_an_example_fits_its_own_budget_and_length(path: Path) -> None:
    batch, _ = _compiled(path)
    [board] = batch.storyboards
    prices = [load("classic").price(shot.request).credits for shot in board.shots for _ in range(shot.takes)]
    total = sum(price for price in prices if price is not None)
    assert None not in prices
    assert total <= (board.budget_credits or (board.budget_usd or Decimal(0)) / Decimal("0.005"))
    assert board.length is None or plan_of(batch).film_length(board) == board.length


def test_the_spot_sends_no_file_of_this_machine() -> None:
    batch, _ = _compiled(ROOT / "storyboards/spot.yaml")
    assert local_files(batch) == ()


def test_a_version_of_the_spot_lasts_ten_seconds() -> None:
    batch, _ = _compiled(ROOT / "storyboards/spot.yaml")
    version = {"rain-tokyo-tall", "hero-tokyo-tall-ja", "pack-tall"}
    assert sum(shot.on_screen() for shot in batch.shots if shot.id in version) == 10


def test_the_pilot_of_the_spot_is_the_city_that_the_client_sees_first() -> None:
    batch, problems = _compiled(ROOT / "storyboards/spot.yaml", profile="pilot")
    assert not list(problems)
    assert {shot.id for shot in batch.shots if not shot.skip} == {
        shot.id for shot in batch.shots if "tokyo" not in shot.id and "london" not in shot.id
    }
    assert sum(not shot.skip for shot in batch.shots) == 10


def test_the_music_piece_refers_to_pictures_a_move_and_a_sound() -> None:
    batch, _ = _compiled(ROOT / "storyboards/music.yaml")
    assert {file.kind for file in local_files(batch)} == {"image", "video", "audio"}


def test_the_films_shots_go_on_from_one_another() -> None:
    batch, _ = _compiled(ROOT / "storyboards/harbour.yaml")
    needs = {shot.id: shot.needs for shot in batch.shots if shot.needs}
    assert needs == {"enter": ("quay",), "coffee": ("counter",), "stays": ("cast-off",), "wide": ("stays",)}


def test_the_assets_are_small_and_each_is_used() -> None:
    files = [path for path in (ROOT / "storyboards/assets").iterdir() if path.is_file() and path.suffix != ".py"]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    batch, _ = _compiled(*EXAMPLES)
    sent = {Path(file.path).name for file in local_files(batch)}
    below_cuts = {Path(board.music.path).name for board in batch.storyboards if board.music is not None}
    in_cuts = {
        Path(entry.path).name for board in batch.storyboards for entry in board.cut or () if entry.path is not None
    }
    assert {path.name for path in files} == sent | below_cuts | in_cuts
    assert not sent & below_cuts, "the music below a cut is never sent"


def test_the_examples_have_music_below_a_cut() -> None:
    harbour, paper_waltz, spot = (_compiled(path)[0].storyboards[0] for path in EXAMPLES)
    assert harbour.music is not None
    # The sound of the waltz is made with its clips, and a spot of ten seconds has the rain.
    assert (paper_waltz.music, spot.music) == (None, None)


def test_what_init_writes_needs_nothing_but_itself(tmp_path: Path) -> None:
    film = Path(shutil.copy(TEMPLATE, tmp_path))
    batch, problems = language.compile([film], tmp_path, language.CompileOptions())
    assert not list(problems)
    assert local_files(batch) == ()
    assert [shot.needs for shot in batch.shots] == [(), (), ("stairs",)]
