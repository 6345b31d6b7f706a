"""The real program under signals, and beside other runs."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.running_commands import RunningCommand
from tests.waiting import wait_until

from .scenario import Provider, Scenario, sandbox_server


@pytest.fixture(scope="module")
def slow() -> Iterator[Provider]:
    with sandbox_server("--seconds", "2") as server:
        yield server


def until_created(scenario: Scenario, count: int) -> RunningCommand:
    """Start a run and wait until the provider has `count` of its tasks."""
    running = scenario.start()

    def are_created() -> bool:
        assert running.poll() is None
        return sum(scenario.provider.tasks(scenario.name).values()) >= count

    wait_until(are_created, f"{count} tasks are created", 60)
    return running


@pytest.mark.parametrize(
    "stop_signal",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
    ],
)
def test_the_first_signal_leaves_what_runs_and_the_next_run_goes_on(
    slow: Provider, tmp_path: Path, stop_signal: signal.Signals
) -> None:
    scenario = Scenario(tmp_path / "film", stop_signal.name, slow)
    running = until_created(scenario, 2)
    running.send_signal(stop_signal)
    ended = scenario.wait_for(running)
    assert (ended.code, sum(slow.tasks(stop_signal.name).values())) == (130, 2), ended.output
    assert scenario.run().code == 0
    assert scenario.violations() == []


def test_the_second_signal_leaves_at_once(slow: Provider, tmp_path: Path) -> None:
    scenario = Scenario(tmp_path / "film", "twice", slow)
    running = until_created(scenario, 1)

    def has_ended() -> bool:
        running.send_signal(signal.SIGINT)
        return running.poll() is not None

    wait_until(has_ended, "the run ends")
    ended = scenario.wait_for(running)
    assert ended.code == 130, ended.output
    assert "Traceback" not in ended.output
    again = scenario.run()
    assert again.code in (0, 6), again.output
    assert scenario.violations() == []


def test_two_runs_of_one_account_share_its_cap_and_both_end(slow: Provider, tmp_path: Path) -> None:
    scenarios = [Scenario(tmp_path / name, name, slow, state=tmp_path / "state") for name in ("one", "other")]
    runs = [scenario.start() for scenario in scenarios]
    ended = [scenario.wait_for(running) for scenario, running in zip(scenarios, runs, strict=True)]
    assert [end.code for end in ended] == [0, 0], ended
    peaks = [account["peak"] for account in slow.state()["accounts"]]
    assert max(peaks) == 2
    assert [scenario.violations() for scenario in scenarios] == [[], []]


def test_of_two_runs_of_one_output_the_second_says_so_and_spends_nothing(slow: Provider, tmp_path: Path) -> None:
    scenario = Scenario(tmp_path / "film", "same", slow)
    running = until_created(scenario, 1)
    second = scenario.run()
    assert (second.code, "another run" in second.output) == (7, True)
    scenario.wait_for(running)
    assert scenario.run().code == 0
    assert scenario.violations() == []
