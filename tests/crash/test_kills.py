"""The real program, killed, denied the disk or without power at every call by which it changes files or talks.

The judge is the provider's journal. `CRASH_SHARD=2/8` runs the second eighth of each family; the library that cuts the
program off is built with the C compiler, and without one these tests are skipped.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .prepared import PreparedProgram
from .programs import AT_ONCE, Programs
from .scenario import ALL_CUTS, Provider, Scenario, sandbox_server

_SHARDS = 8
"""Parts of a family, for the workers of pytest-xdist."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with sandbox_server("--seconds", "0.2") as server:
        yield server


@pytest.fixture(scope="module")
def calls(programs: Programs, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The calls of a whole run, in order: `send the provider`."""
    with programs.borrow() as program:
        whole = Scenario(tmp_path_factory.mktemp("whole") / "film", "whole", provider, program)
        calls = whole.cut(0, "")
    assert whole.runs[-1].code == 0, whole.runs[-1].output
    return calls


def outcome_of(scenario: Scenario, at: int, how: str) -> tuple[str, list[str]]:
    """The outcome, and the violations, of a scenario that was cut off at a call and then run twice."""
    scenario.cut(at, how)
    scenario.run()
    last = scenario.run()
    arrived = sum(scenario.provider.tasks(scenario.name).values())
    outcome = "whole" if last.code == 0 else f"unsettled, {'arrived' if arrived == 3 else 'nothing sent'}"
    return outcome, [*scenario.violations(), *scenario.losses()]


def try_points(
    points: Sequence[int], how: str, programs: Programs, provider: Provider, folder: Path
) -> list[tuple[int, str, list[str]]]:
    """The results (point, outcome, violations) of several points, in parallel since a run mostly waits."""

    def point(at: int) -> tuple[int, str, list[str]]:
        with programs.borrow() as program:
            outcome, violations = outcome_of(Scenario(folder / str(at), f"{how}{at}", provider, program), at, how)
        shutil.rmtree(folder / str(at))
        return at, outcome, violations

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(point, points))


def receipt(calls: list[str]) -> int:
    """The number (from 1) of the call that writes the first receipt."""
    return next(number for number, call in enumerate(calls, 1) if call.startswith("write") and "/receipts/" in call)


def around_the_request(calls: list[str]) -> list[int]:
    """From the sending mark's commit to the row of the first task id, each state that the disk can be left in.

    That is the call after each sync, and after each send, since then the provider knows more.
    """
    written = receipt(calls)
    commits = [at for at, call in enumerate(calls, 1) if call.startswith("unlink") and "ledger.db-journal" in call]
    begin, end = [at for at in commits if at < written][-2], next(at for at in commits if at > written)
    return [at for at in range(begin + 1, end + 3) if calls[at - 2].startswith(("fsync", "fdatasync", "send"))]


@pytest.mark.parametrize("ahead", [-4, -1, 2])
def test_a_kill_around_the_request_never_pays_twice(
    calls: list[str], program: PreparedProgram, provider: Provider, tmp_path: Path, ahead: int
) -> None:
    at = receipt(calls) + ahead
    ended, violations = outcome_of(Scenario(tmp_path / "film", f"around{at}", provider, program), at, "before")
    assert not violations, (at, calls[at - 1], ended, violations)


@pytest.mark.parametrize("how", ["full", "eio"])
def test_a_disk_that_fails_after_the_answer_loses_no_task(
    calls: list[str], program: PreparedProgram, provider: Provider, tmp_path: Path, how: str
) -> None:
    at = receipt(calls)
    ended, violations = outcome_of(Scenario(tmp_path / "film", f"{how}{at}", provider, program), at, how)
    assert not violations, (at, calls[at - 1], ended, violations)


@pytest.mark.parametrize("how", ["full", "eio", "enospc"])
def test_a_disk_that_fails_while_the_film_is_joined_is_a_note(
    calls: list[str], program: PreparedProgram, provider: Provider, tmp_path: Path, how: str
) -> None:
    """The cut, the sheet and the end of the run's own file: the last calls of a run."""
    warm = Scenario(tmp_path / "warm", f"warm{how}", provider, program).cut(0, "")
    film = next(at for at, call in enumerate(warm, 1) if call.startswith("write") and ".cut.mp4.part" in call)
    for at in (film - 1, film + 3, len(warm)):
        ended, violations = outcome_of(Scenario(tmp_path / f"{at}", f"{how}{at}", provider, program), at, how)
        assert (ended, violations) == ("whole", []), (at, warm[at - 1])


def test_a_power_loss_around_the_request_never_pays_twice(
    calls: list[str], programs: Programs, provider: Provider, tmp_path: Path
) -> None:
    ends = try_points(around_the_request(calls), "power", programs, provider, tmp_path)
    assert not [(at, calls[at - 1], ended, violations) for at, ended, violations in ends if violations]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1.0])
def test_a_power_loss_anywhere_takes_nothing_that_was_said_to_be_stored(
    calls: list[str], program: PreparedProgram, provider: Provider, tmp_path: Path, share: float
) -> None:
    at, how = int(share * len(calls)), "chance" if share < 1 else "power"
    ended, violations = outcome_of(Scenario(tmp_path / "film", f"{how}{at}", provider, program), at, how)
    assert not violations, (at, calls[at - 1], ended, violations)


@pytest.mark.long
@pytest.mark.parametrize("shard", range(_SHARDS))
@pytest.mark.parametrize("how", ALL_CUTS)
def test_no_call_of_the_whole_run_can_be_cut_off_with_harm(
    calls: list[str], programs: Programs, provider: Provider, tmp_path: Path, how: str, shard: int
) -> None:
    part, parts = (int(number) for number in os.environ.get("CRASH_SHARD", "1/1").split("/"))
    ends = try_points(range(part, len(calls) + 2, parts)[shard::_SHARDS], how, programs, provider, tmp_path)
    print(how, f"{shard + 1}/{_SHARDS}", len(ends), "points:", dict(Counter(ended for _, ended, _ in ends)))
    assert not [(at, calls[at - 1 : at], ended, violations) for at, ended, violations in ends if violations]
