"""The screens in a clone: made clips that are not on this machine are one line with the command that downloads them."""

from collections.abc import Callable
from datetime import UTC

import pytest

from runner.attempts.history import History
from runner.planning.plan import Plan
from runner.show.json.status import status_json
from runner.show.screens.missing_clips import find_missing_clips
from runner.show.screens.plan import PlanContext, screen
from runner.show.screens.status import StatusReport, status
from runner.show.text.command_line import CommandLine
from tests.builders.screen_films import KINOVI, NOON, PATH, SANDBOX, ferry, history, plan

FETCH = f"storyboard fetch {PATH}"
PICKS = {"SH010": 1, "SH070": 2, "SH130": 3, "SH190": 1}


def clone(made_takes: int, free: bool = False) -> tuple[Plan, History]:
    """The plan of a clone without clips, after the first so many takes were made."""
    account = SANDBOX if free else KINOVI
    first = plan(ferry(), account=account)
    outcomes = {(step.shot.id, step.take): "stored" for step in first.steps[:made_takes]}
    past = history(first, outcomes, PICKS)
    return plan(ferry(), history=past, clips_here=False, account=account), past


def plan_screen(film: Plan, past: History, width: int = 120, all_shots: bool = False) -> str:
    context = PlanContext(CommandLine((PATH,)), missing_clips=find_missing_clips(film.steps, past))
    return screen(film, width, color=False, all_shots=all_shots, context=context)


def status_screen(film: Plan, past: History, width: int = 120) -> str:
    return status(StatusReport(film, past, NOON, CommandLine((PATH,)), UTC), width, color=False)


def test_the_plan_of_a_whole_clone_is_one_line_that_fetches() -> None:
    text = plan_screen(*clone(32))
    assert text.splitlines()[-1] == (f"  24 of 24 shots made and paid; 32 clips are not on this machine    {FETCH}")
    assert "missing" not in text
    assert "storyboard run" not in text
    assert "24 shots, all made. Nothing to pay." in text


def test_the_status_of_a_whole_clone_says_it_once_and_fetches() -> None:
    text = status_screen(*clone(32))
    assert text.count(f"24 of 24 shots made and paid; 32 clips are not on this machine    {FETCH}") == 1
    assert "24 of 24 shots made, 1:36 of 1:36" in text
    assert "missing" not in text
    assert "resume" not in text


@pytest.mark.parametrize("show", [plan_screen, status_screen])
def test_a_half_made_clone_fetches_and_goes_on(show: Callable[[Plan, History], str]) -> None:
    text = show(*clone(6))
    assert f"4 of 24 shots made and paid; 6 clips are not on this machine    {FETCH}" in text
    assert text.count("not on this machine") == 1
    assert "storyboard run" in text or "storyboard plan" in text


def test_free_clips_are_not_called_paid() -> None:
    assert "24 of 24 shots made; 32 clips are not on this machine" in plan_screen(*clone(32, free=True))


def test_one_clip_is_one() -> None:
    film, past = clone(1)
    assert "0 of 24 shots made and paid; 1 clip is not on this machine" in plan_screen(film, past)


def test_all_shows_the_state_of_every_take() -> None:
    text = plan_screen(*clone(32), all_shots=True)
    assert "missing or changed on disk" in text
    assert "24 of 24 shots made and paid; 32 clips are not on this machine" in text


def test_on_a_narrow_screen_the_command_has_a_line_of_its_own() -> None:
    lines = plan_screen(*clone(32), width=80).splitlines()
    assert lines[-2:] == ["  24 of 24 shots made and paid; 32 clips are not on this machine", f"  {FETCH}"]


@pytest.mark.parametrize("made_takes", [32, 10])
def test_a_made_take_without_its_clip_is_one_word_for_people_and_programs(made_takes: int) -> None:
    film, past = clone(made_takes)
    document = status_json(StatusReport(film, past, NOON, CommandLine((PATH,)), UTC), str)
    takes = [take for board in document["storyboards"] for shot in board["shots"] for take in shot["takes"]]  # type: ignore[attr-defined]
    kept = [take["reason"]["code"] for take in takes if take["action"] == "keep"]
    assert kept == ["to-download"] * made_takes
    assert not [take for take in takes if take["action"] == "resume"]
