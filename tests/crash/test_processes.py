"""The real program, asked to stop, and beside others of its kind."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .scenario import Provider, Scene, served


@pytest.fixture(scope="module")
def slow() -> Iterator[Provider]:
    with served("--seconds", "2") as found:
        yield found


def until_created(scene: Scene, count: int) -> subprocess.Popen[str]:
    """A run that has so many tasks at the provider."""
    running = scene.start()
    deadline = time.monotonic() + 60
    while sum(scene.provider.tasks(scene.name).values()) < count:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    return running


@pytest.mark.parametrize(
    "asked",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
    ],
)
def test_the_first_signal_leaves_what_runs_and_the_next_run_goes_on(
    slow: Provider, tmp_path: Path, asked: signal.Signals
) -> None:
    scene = Scene(tmp_path / "film", asked.name, slow)
    running = until_created(scene, 2)
    running.send_signal(asked)
    ended = scene.ended(running)
    assert (ended.code, sum(slow.tasks(asked.name).values())) == (130, 2), ended.said
    assert scene.run().code == 0
    assert scene.violations() == []


def test_the_second_signal_leaves_at_once(slow: Provider, tmp_path: Path) -> None:
    scene = Scene(tmp_path / "film", "twice", slow)
    running = until_created(scene, 1)
    for _ in range(5):
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(0.05)
    ended = scene.ended(running)
    assert ended.code == 130, ended.said
    assert "Traceback" not in ended.said
    again = scene.run()
    assert again.code in (0, 6), again.said
    assert scene.violations() == []


def test_two_runs_of_one_account_share_its_cap_and_both_end(slow: Provider, tmp_path: Path) -> None:
    scenes = [Scene(tmp_path / name, name, slow, state=tmp_path / "state") for name in ("one", "other")]
    runs = [scene.start() for scene in scenes]
    ended = [scene.ended(running) for scene, running in zip(scenes, runs, strict=True)]
    assert [end.code for end in ended] == [0, 0], ended
    peaks = [account["peak"] for account in slow.told()["accounts"]]
    assert max(peaks) == 2
    assert [scene.violations() for scene in scenes] == [[], []]


def test_of_two_runs_of_one_output_the_second_says_so_and_spends_nothing(slow: Provider, tmp_path: Path) -> None:
    scene = Scene(tmp_path / "film", "same", slow)
    running = until_created(scene, 1)
    second = scene.run()
    assert (second.code, "another run" in second.said) == (7, True)
    scene.ended(running)
    assert scene.run().code == 0
    assert scene.violations() == []
