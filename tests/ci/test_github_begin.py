"""The note that a job pays: after a runner that was lost with its ledger, nothing is ordered again by itself."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

JOB = "https://github.invalid/acme/film/actions/runs/7"
EARLIER = "https://github.invalid/acme/film/actions/runs/6, 2026-12-01 12:00 UTC\n"
DIGEST = "ab" * 32


class Runner:
    """The folders of one job, and what the script left there."""

    def __init__(self, top: Path) -> None:
        self.work, self.state, self.output = top / "work", top / "state", top / "output"
        self.work.mkdir()
        (self.work / "approved.json").write_text("{}")
        (self.work / "approved").write_text(f"{DIGEST}\n")

    def begin(self, typed: str = "") -> "subprocess.CompletedProcess[str]":
        env = {
            "PATH": os.environ["PATH"], "WORK": str(self.work), "STORYBOARD_STATE": str(self.state), "TYPED": typed,
            "SUMMARY": str(self.work / "summary.md"), "JOB": JOB, "GITHUB_OUTPUT": str(self.output),
        }  # fmt: skip
        script = ["bash", str(ROOT / "ci" / "github-begin.sh")]
        return subprocess.run(script, env=env, capture_output=True, text=True, check=False)

    @property
    def note(self) -> str:
        path = self.state / "paying"
        return path.read_text() if path.exists() else ""

    @property
    def pays(self) -> bool:
        return self.output.exists() and self.output.read_text() == "pays=true\n"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def left_by(runner: Runner, note: str) -> None:
    runner.state.mkdir()
    (runner.state / "paying").write_text(note)


def test_a_job_without_an_approved_plan_notes_nothing(runner: Runner) -> None:
    (runner.work / "approved.json").unlink()
    left_by(runner, EARLIER)
    assert (runner.begin().returncode, runner.pays, runner.note) == (0, False, EARLIER)


def test_a_job_that_pays_notes_its_address_and_time(runner: Runner) -> None:
    assert (runner.begin().returncode, runner.pays) == (0, True)
    assert runner.note.startswith(f"{JOB}, 20")


def test_after_a_lost_job_nothing_is_paid_and_the_ways_on_are_named(runner: Runner) -> None:
    left_by(runner, EARLIER)
    ended = runner.begin()
    assert (ended.returncode, runner.pays, runner.note) == (1, False, EARLIER)
    summary = (runner.work / "summary.md").read_text()
    for text in ("Nothing was paid", EARLIER.strip(), "storyboard settle STORYBOARD:SHOT --task ID", DIGEST):
        assert text in summary


def test_a_digest_that_a_person_typed_is_paid_for_after_a_lost_job(runner: Runner) -> None:
    left_by(runner, EARLIER)
    assert (runner.begin(DIGEST).returncode, runner.pays) == (0, True)
    assert runner.note.startswith(JOB)
    assert (runner.state / "paying.lost").read_text() == EARLIER


def test_a_lost_job_that_is_started_again_pays_for_nothing(runner: Runner) -> None:
    left_by(runner, f"{JOB}, 2026-12-01 12:00 UTC\n")
    assert (runner.begin(DIGEST).returncode, runner.pays) == (1, False)
