"""The script that pays: for the approved plan alone, with a ceiling, and never without the ledger that it needs."""

import json
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.clock import format_utc
from runner.planning.saved_plan import read_saved_plan
from runner.providers.transport.strict_json import parse
from tests.builders.content_repo import ContentRepo, content
from tests.builders.workflow_jobs import tool_path
from tests.ci.conftest import BOARD, OFFLINE
from tests.commands.conftest import PAID_FILM, Host
from tests.docs.pages import ROOT
from tests.waiting import wait_until

PAID = ("--provider", "kinovi")
PICKED = """\
  - id: gate
    takes: 2
    prompt: A gate
  - id: next
    first_frame: "@gate.last_frame"
    prompt: The gate opens
"""


@dataclass
class Paid:
    """One run of the script that pays."""

    code: int
    out: str
    work: Path

    @property
    def summary(self) -> str:
        return (self.work / "summary.md").read_text()


def approve(repo: ContentRepo, host: Host, work: Path) -> str:
    """Let the present plan be the approved one; its digest."""
    work.mkdir(exist_ok=True)
    env = host.env | {"STORYBOARD_STATE": str(repo.root.parent / "other-state")}
    assert repo.storyboard("plan", BOARD, *PAID, "-o", str(work / "approved.json"), **env).code == 0
    digest: str = json.loads((work / "approved.json").read_text())["digest"]
    (work / "approved").write_text(f"{digest}\n")
    return digest


def start(repo: ContentRepo, host: Host, work: Path, **env: str) -> "subprocess.Popen[str]":
    """Start the script."""
    work.mkdir(exist_ok=True)
    own = {"PATH": tool_path(repo.root.parent / "bin"), "WORK": str(work), "SUMMARY": str(work / "summary.md")}
    own |= {"OPTIONS": "--provider kinovi", "STORYBOARD_MAX_CREDITS": "1000", "CI": "true", "GITHUB_EVENT_NAME": "push"}
    variables = repo.env(**host.env, **(own | env))
    return subprocess.Popen(
        ["bash", str(ROOT / "ci" / "pay.sh")], cwd=repo.root, env=variables, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]", work: Path) -> Paid:
    out, _ = process.communicate(timeout=200)
    return Paid(process.returncode, out, work)


def pay(repo: ContentRepo, host: Host, work: Path, **env: str) -> Paid:
    """Run the script to its end."""
    return ended(start(repo, host, work, **env), work)


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, PAID_FILM)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_without_an_approved_plan_the_present_one_is_shown_and_saved_and_no_ledger_begins(
    film: ContentRepo, work: Path
) -> None:
    work.mkdir()
    (work / "why").write_text("this commit is not the merge of a pull request.\n")
    done = pay(film, OFFLINE, work)
    assert done.code == 0, done.out
    digest = json.loads((work / "plan.json").read_text())["digest"]
    for text in ("Nothing was paid: this commit is not the merge", "make   new", f"this digest: `{digest}`"):
        assert text in done.summary
    assert not film.state.exists()


@pytest.mark.parametrize(("credits", "code"), [("", 1), ("119", 4)])
def test_the_variable_of_the_repository_is_the_ceiling(
    film: ContentRepo, work: Path, host: Callable[..., Host], credits: str, code: int
) -> None:
    there = host()
    approve(film, there, work)
    done = pay(film, there, work, STORYBOARD_MAX_CREDITS=credits)
    assert (done.code, there.state["creates"]) == (code, 0), done.out
    assert ("STORYBOARD_MAX_CREDITS" in done.summary) == (not credits)


def test_a_plan_of_another_digest_is_not_paid_for(film: ContentRepo, work: Path) -> None:
    approve(film, OFFLINE, work)
    (work / "approved").write_text("ab" * 32)
    done = pay(film, OFFLINE, work)
    assert (done.code, "is not the approved one" in done.summary) == (1, True)


def test_a_job_without_a_plan_leaves_the_note_of_a_lost_job(film: ContentRepo, work: Path) -> None:
    work.mkdir()
    (work / "why").write_text("there is no pull request.\n")
    film.write(str(film.state / "paying"), "the lost job\n")
    assert pay(film, OFFLINE, work).code == 0
    assert (film.state / "paying").read_text() == "the lost job\n"


def test_a_job_that_orders_nothing_leaves_the_note_of_a_lost_job(film: ContentRepo, work: Path) -> None:
    approve(film, OFFLINE, work)
    (work / "approved").write_text("ab" * 32)
    film.write(str(film.state / "paying"), "this job\n")
    film.write(str(film.state / "paying.lost"), "the lost job\n")
    assert pay(film, OFFLINE, work).code == 1
    assert (film.state / "paying").read_text() == "the lost job\n"
    assert not (film.state / "paying.lost").exists()


def test_a_plan_that_has_expired_is_not_paid_for_and_the_present_one_is_shown(film: ContentRepo, work: Path) -> None:
    approve(film, OFFLINE, work)
    document = json.loads((work / "approved.json").read_text())
    document["expires_at"] = format_utc(datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1))
    document["digest"] = read_saved_plan(parse(json.dumps(document).encode())).digest
    (work / "approved.json").write_text(json.dumps(document))
    (work / "approved").write_text(document["digest"])
    done = pay(film, OFFLINE, work)
    assert done.code == 0, done.out
    assert "Nothing was paid: the approved plan has expired." in done.summary
    assert "make   new" in done.summary


def test_what_the_storyboards_ask_for_beyond_the_plan_is_not_paid_for(film: ContentRepo, work: Path) -> None:
    approve(film, OFFLINE, work)
    film.write(BOARD, (film.root / BOARD).read_text().replace("Sunrise", "Sunset"))
    done = pay(film, OFFLINE, work)
    assert (done.code, "is not what the storyboards ask for now" in done.out) == (4, True), done.out


@pytest.mark.parametrize("status", ["running", "unsettled"])
def test_without_the_state_folder_nothing_is_paid_while_a_manifest_names_open_takes(
    film: ContentRepo, work: Path, host: Callable[..., Host], status: str
) -> None:
    there = host(seconds="60")
    env = there.env | {"STORYBOARD_STATE": str(film.root.parent / "lost-state")}
    assert film.storyboard("run", BOARD, *PAID, "--select", "quay", "--yes", "--no-wait", **env).code == 9
    path = film.root / "renders/film/kinovi/manifest.json"
    path.write_text(path.read_text().replace('"running"', f'"{status}"'))
    film.git("add", "-A")
    film.git("commit", "-qm", "One take runs")
    approve(film, there, work)
    done = pay(film, there, work)
    assert (done.code, there.state["creates"]) == (1, 1), done.out
    assert f"storyboards/film.yaml: quay take 1 is {status}" in done.summary
    assert "the state folder of earlier jobs is gone" in done.summary
    assert not film.state.exists()


def test_a_manifest_that_nobody_can_read_is_no_reason_to_pay(film: ContentRepo, work: Path) -> None:
    approve(film, OFFLINE, work)
    film.write("renders/old/kinovi/manifest.json", "<<<<<<< ours\n")
    film.git("add", "-A")
    done = pay(film, OFFLINE, work)
    assert (done.code != 0, film.state.exists()) == (True, False), done.out


def test_a_take_that_waits_for_a_pick_does_not_fail_the_job(
    tmp_path: Path, work: Path, host: Callable[..., Host]
) -> None:
    film, there = content(tmp_path, PAID_FILM + PICKED), host("--edition", "2026-10")
    film.write("storyboard.toml", '[providers.kinovi]\nedition = "2026-10"\n[publish]\nways = ["vendor", "upload"]\n')
    digest = approve(film, there, work)
    done = pay(film, there, work)
    assert (done.code, there.state["creates"]) == (0, 4), done.out
    assert f"ran the plan `{digest}` (exit 9)" in done.summary


def test_a_take_that_failed_fails_the_job(film: ContentRepo, work: Path, host: Callable[..., Host]) -> None:
    rules = "faults: 1\nrules:\n  - {on: task, prompt: Sunrise, do: {error: text}}\n"
    there = host("--faults", str(film.write("faults.yaml", rules)))
    approve(film, there, work)
    done = pay(film, there, work)
    assert (done.code, "(exit 1)" in done.summary) == (1, True), done.out


def test_a_job_that_is_cancelled_ends_after_its_run_whose_tasks_are_in_the_ledger(
    film: ContentRepo, work: Path, host: Callable[..., Host]
) -> None:
    there = host(seconds="60")
    approve(film, there, work)
    note = film.write(str(film.state / "paying"), "the job that pays\n")
    process = start(film, there, work)
    wait_until(lambda: there.state["creates"] == 2, "both tasks are created")
    process.send_signal(signal.SIGINT)
    done = ended(process, work)
    assert (done.code, "(exit 130)" in done.summary) == (130, True), done.out
    env = there.env | {"STORYBOARD_STATE": str(film.state)}
    totals = film.storyboard("status", BOARD, *PAID, "--json", **env).json["totals"]
    assert (totals["resume"], there.state["creates"], note.exists()) == (2, 2, False)
