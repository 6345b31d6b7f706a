"""The run of a saved plan, killed at every boundary: each take is paid once, and the plan's ceiling holds."""

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from .programs import AT_ONCE, Programs
from .scenario import BOARD, THREE_SHOTS, Film, Provider, Scenario, sandbox_server

_SHARDS = 8
_CHANGES = ("send", "fsync", "fdatasync", "rename", "unlink")
"""Calls after which the disk or the provider is in another state."""
SAVE = ("plan", BOARD, "--provider", "kinovi", "-o", "plan.json")


class PlannedFilm(Film):
    """A film whose run carries out the plan that was saved before."""

    __slots__ = ()

    @property
    def run(self) -> tuple[str, ...]:
        return ("run", "--plan", "plan.json", "--concurrency", "2")


FILM = PlannedFilm(**{field.name: getattr(THREE_SHOTS, field.name) for field in fields(THREE_SHOTS)})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with sandbox_server("--seconds", "0.1") as server:
        yield server


def saved(scenario: Scenario) -> Scenario:
    """The scenario with a saved plan."""
    end = scenario.program(*SAVE)
    assert end.code == 0, end.output
    return scenario


def boundaries_of(scenario: Scenario, command: Sequence[str] = ()) -> list[int]:
    """The calls (from 1) of a whole command that follow a change."""
    calls = scenario.cut(0, "", command)
    assert scenario.runs[-1].code == 0, scenario.runs[-1].output
    return [at + 2 for at in range(len(calls)) if calls[at].startswith(_CHANGES)]


@pytest.fixture(scope="module")
def boundaries(programs: Programs, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    with programs.borrow() as program:
        folder = tmp_path_factory.mktemp("whole") / "film"
        return boundaries_of(saved(Scenario(folder, "whole", provider, program, film=FILM)))


def violations(
    points: Sequence[int], programs: Programs, provider: Provider, folder: Path, *, while_saving: bool = False
) -> list[tuple[int, list[str]]]:
    """The violations after a kill at each of some points, and two whole runs."""

    def point(at: int) -> tuple[int, list[str]]:
        with programs.borrow() as program:
            name = f"{'save' if while_saving else 'run'}{at}"
            scenario = Scenario(folder / str(at), name, provider, program, film=FILM)
            if while_saving:
                scenario.cut(at, "before", SAVE)
                saved(scenario)
            else:
                saved(scenario).cut(at, "before")
            scenario.run()
            scenario.run()
            found = [*scenario.violations(), *scenario.losses()]
        shutil.rmtree(folder / str(at))
        return at, found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [end for end in pool.map(point, points) if end[1]]


def sample(points: Sequence[int], number: int) -> list[int]:
    """Some points, spread evenly."""
    return [points[index * len(points) // number] for index in range(number)]


def test_a_kill_of_a_plans_run_pays_for_no_take_twice(
    boundaries: list[int], programs: Programs, provider: Provider, tmp_path: Path
) -> None:
    assert violations(sample(boundaries, 4), programs, provider, tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("shard", range(_SHARDS))
def test_no_kill_of_a_plans_run_pays_twice(
    boundaries: list[int], programs: Programs, provider: Provider, tmp_path: Path, shard: int
) -> None:
    part, parts = (int(number) for number in os.environ.get("CRASH_SHARD", "1/1").split("/"))
    points = boundaries[part - 1 :: parts][shard::_SHARDS]
    assert violations(points, programs, provider, tmp_path) == []


@pytest.mark.long
def test_a_kill_while_a_plan_is_saved_leaves_it_whole_or_not_there(
    programs: Programs, provider: Provider, tmp_path: Path
) -> None:
    with programs.borrow() as program:
        points = boundaries_of(Scenario(tmp_path / "whole", "saving", provider, program, film=FILM), SAVE)
    assert violations(points, programs, provider, tmp_path, while_saving=True) == []


def test_two_processes_with_one_plan_and_one_ledger_make_each_take_once(
    programs: Programs, provider: Provider, tmp_path: Path
) -> None:
    with programs.borrow() as program:
        first = saved(Scenario(tmp_path / "one", "both", provider, program, tmp_path / "state", film=FILM))
    second = Scenario(tmp_path / "two", "both", provider, None, tmp_path / "state", film=FILM)
    shutil.copy(first.folder / "plan.json", second.folder / "plan.json")
    running = [scenario.start() for scenario in (first, second)]
    ends = [scenario.wait_for(process) for scenario, process in zip((first, second), running, strict=True)]
    assert [end.code for end in ends] == [0, 0], ends
    assert sorted(provider.tasks("both").values()) == [1, 1, 1]
