"""`status`: how every take stands, what it cost, and what to do about it."""

import re
from datetime import UTC, timedelta

import pytest

from runner.attempts.sums import sum_credits
from runner.commands import COMMANDS
from runner.show.screens.status import StatusReport, status
from runner.show.text.cells import width as cells
from runner.show.text.command_line import CommandLine
from tests.builders.screen_films import NOON, edited_series, ferry, history, plan, series
from tests.show.conftest import Golden
from tests.show.test_plan import HALF_MADE, whole


def half() -> StatusReport:
    past = history(plan(ferry()), HALF_MADE, {"SH010": 2})
    film = plan(ferry(), history=past)
    sums = {film.batch.storyboards[0].path: sum_credits(past.own())}
    return StatusReport(film, past, NOON, CommandLine(("storyboards/ferry.yaml",)), UTC, sums=sums)


def untouched() -> StatusReport:
    film = plan(series(12, 2))
    return StatusReport(film, history(film, {}), NOON, CommandLine(("storyboards/series.yaml",)), UTC)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_screen_as_it_is_drawn(width: int, golden: Golden) -> None:
    golden(f"status-half-{width}", status(half(), width, color=False))


def test_all_shows_every_take(golden: Golden) -> None:
    text = status(half(), 140, color=False, all_shots=True)
    golden("status-all", text)
    assert text.count("SH010") >= 3


def test_nothing_made_yet(golden: Golden) -> None:
    golden("status-untouched", status(untouched(), 100, color=False))


@pytest.mark.parametrize("width", range(72, 150, 13))
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert all(cells(line) <= width for line in status(half(), width, color=False).splitlines())


def test_only_commands_that_exist_are_named() -> None:
    named = set(re.findall(r"storyboard ([a-z]+)", status(half(), 100, color=False)))
    assert {"settle", "pick", "plan"} <= named <= set(COMMANDS)


def test_a_paid_clip_that_is_not_here_has_the_day_on_which_it_is_forgotten() -> None:
    first = plan(ferry())
    past = history(first, {("SH030", 1): "succeeded"})
    text = status(StatusReport(plan(ferry(), history=past), past, NOON, zone=UTC), 100, color=False)
    day = NOON + timedelta(days=14)
    assert f"until {day:%Y-%m-%d %H:%M}" in text


def test_several_takes_without_a_pick_lead_to_the_page_on_which_they_are_compared() -> None:
    picked = status(half(), 100, color=False)
    first = plan(ferry())
    past = history(first, HALF_MADE)
    line = CommandLine(("storyboards/ferry.yaml",))
    unpicked = status(StatusReport(plan(ferry(), history=past), past, NOON, line, UTC), 100, color=False)
    named = "storyboard dailies storyboards/ferry.yaml --serve"
    assert (named in unpicked, named in picked) == (True, False)


def test_a_whole_film_has_no_line_of_trouble() -> None:
    film = whole()
    text = status(
        StatusReport(film, history(film, {}), NOON, CommandLine(("storyboards/ferry.yaml",)), UTC), 100, color=False
    )
    assert "24 of 24 shots made" in text
    assert "task" not in text


@pytest.mark.parametrize(
    ("selected", "made", "counts"),
    [
        pytest.param(None, (), "0 of 3 shots made, 0:02 of 0:12", id="the title needs no clip"),
        pytest.param(None, ("S0001",), "1 of 3 shots made, 0:05 of 0:12", id="a shot that is shown twice"),
        pytest.param(None, ("S0001", "S0002", "S0003"), "3 of 3 shots made, 0:12 of 0:12", id="all"),
        pytest.param({"S0001", "S0002"}, ("S0001",), "1 of 2 shots made, 0:03 of 0:08", id="a selection"),
    ],
)
def test_the_film_has_the_time_of_its_cut(selected: set[str] | None, made: tuple[str, ...], counts: str) -> None:
    past = history(plan(edited_series()), {(id, 1): "stored" for id in made})
    film = plan(edited_series(), history=past, selected=selected)
    report = StatusReport(film, past, NOON, zone=UTC)
    assert f"  {counts} · " in status(report, 100, color=False)
