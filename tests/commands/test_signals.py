"""Signals that come at odd moments: in the last instant, and those that somebody wants ignored."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host
from tests.waiting import wait_until

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]


def ended_by(film: ContentRepo, words: list[str], pause: float) -> tuple[int, str]:
    """A command that hears Ctrl-C so many seconds after its first word."""
    process = film.start_interpreter(*words)
    assert process.stdout is not None
    process.stdout.read(1)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_a_ctrl_c_in_the_last_instant_is_130_or_too_late(film: ContentRepo) -> None:
    ends = [ended_by(film, ["explain", "circle"], tries * 0.002) for tries in range(10)]
    assert {code for code, _ in ends} <= {0, 130}
    assert not [err for _, err in ends if "Traceback" in err]


def test_a_run_under_nohup_outlives_its_terminal(paid_film: ContentRepo, host: Start, tmp_path: Path) -> None:
    there = host(seconds="1.5")
    shell = 'trap "" HUP; exec "$@"'
    words = ["sh", "-c", shell, "sh", sys.executable, "-m", "runner", "run", FILM, "--yes"]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            words,
            cwd=paid_film.root,
            env=paid_film.env(**there.env),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        wait_until(lambda: there.state["creates"] >= 1, "the first order arrives")
        os.kill(process.pid, signal.SIGHUP)
        assert process.wait(timeout=60) == 0
    assert there.state["creates"] == 2
