"""The pipeline for GitLab, job by job against a bare repository and GitLab's API on loopback."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.content_repo import ContentRepo
from tests.ci.conftest import ANIMATICS, Project
from tests.commands.conftest import KEY, Host
from tests.double.code_hosts import OWN_REPOSITORY, Gitlab

PIPELINE = ".gitlab-ci.yml"
EDIT = ("Sunrise", "Sunset")


class Ran:
    """One job that ran: its code and what it printed, that of `after_script` included."""

    def __init__(self, root: Path, code: int, out: str) -> None:
        self.work, self.code, self.out = root / "storyboard-ci", code, out


def job(project: Project, name: str) -> dict[str, Any]:
    """A job with what it extends, as GitLab joins them."""
    jobs = yaml.safe_load((project.people.root / PIPELINE).read_text())
    joined: dict[str, Any] = jobs[name]
    while "extends" in joined:
        base = jobs[joined.pop("extends")]
        variables = {**base.get("variables", {}), **joined.get("variables", {})}
        joined = {**base, **joined, "variables": variables}
    return joined


def run_job(project: Project, gitlab: Gitlab, repo: ContentRepo, name: str, **env: str) -> Ran:
    """Run a job as GitLab's runner does: all lines in one shell, and `after_script` in another."""
    described = job(project, name)
    own = {
        "GITLAB_CI": "true", "CI_PROJECT_DIR": str(repo.root), "CI_API_V4_URL": gitlab.url, "CI_SERVER_HOST": "gitlab",
        "CI_PROJECT_ID": str(OWN_REPOSITORY), "CI_DEFAULT_BRANCH": "main", "CI_SERVER_URL": str(project.top),
        "CI_PROJECT_PATH": "acme/film", "STORYBOARD_TOKEN": gitlab.token,
    }  # fmt: skip
    variables = {
        name: str(value).replace("$CI_PROJECT_DIR", str(repo.root)) for name, value in described["variables"].items()
    }
    code, out = 0, ""
    for lines in ([*described.get("before_script", ()), *described["script"]], described.get("after_script", [])):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(lines)], cwd=repo.root,
            env=project.env(repo, **(variables | own | env)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=200,
        )  # fmt: skip
        code, out = code or done.returncode, out + done.stdout
    return Ran(repo.root, code, out)


def price(project: Project, gitlab: Gitlab, head: str) -> Ran:
    """The job that prices a merge request whose last commit is `head`."""
    env = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    return run_job(project, gitlab, project.checkout(head), "storyboard", **env)


def note(project: Project, gitlab: Gitlab, priced: Ran, **env: str) -> Ran:
    """The job that writes the note, with the artifact of the job before it and nothing else."""
    project.jobs += 1
    empty = ContentRepo(project.top / f"job-{project.jobs}" / "film")
    shutil.copytree(priced.work, empty.root / "storyboard-ci")
    return run_job(project, gitlab, empty, "storyboard-note", **({"CI_MERGE_REQUEST_IID": "1"} | env))


def pay(project: Project, gitlab: Gitlab, commit: str, repo: ContentRepo | None = None, **env: str) -> Ran:
    """The job that pays, after a push of a commit."""
    own = {"CI_COMMIT_SHA": commit, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push"}
    key = {"SEEDANCE_API_KEY": KEY, "STORYBOARD_MAX_CREDITS": "1000"}
    name = "storyboard-paid-by-digest" if "STORYBOARD_DIGEST" in env else "storyboard-paid"
    return run_job(project, gitlab, repo or project.checkout(commit), name, **own, **key, **env)


def test_the_note_is_written_once_then_brought_up_to_date_and_none_where_the_price_is_the_same(
    tmp_path: Path, gitlab: Gitlab
) -> None:
    project = Project(tmp_path, "gitlab")
    priced = price(project, gitlab, project.pull_request(*EDIT))
    assert priced.code == 0, priced.out
    plan = json.loads((priced.work / "plan.json").read_text())
    drawn = [path for path in priced.work.rglob("*.*") if path.suffix in (".jpg", ".html", ".mp4")]
    assert {str(path.relative_to(priced.work / "animatics")) for path in drawn} == ANIMATICS
    (page,) = priced.work.rglob("dailies.*.html")
    assert '"clips/quay/take-1.mp4' in page.read_text()
    for _ in range(2):
        assert note(project, gitlab, priced).code == 0
    (written,) = gitlab.notes
    assert f"`{plan['digest']}`" in written["body"]
    assert [call.split()[0] for call in gitlab.calls if not call.startswith("GET")] == ["POST", "PUT"]
    without_token = note(project, gitlab, priced, STORYBOARD_TOKEN="")
    assert (without_token.code, "STORYBOARD_TOKEN" in without_token.out) == (0, True)
    gitlab.notes.clear()
    (priced.work / "orders").write_text("false\n")
    assert (note(project, gitlab, priced).code, gitlab.notes) == (0, [])


@pytest.mark.long
def test_what_the_note_names_is_paid_after_the_merge_and_what_was_shown_by_its_digest(
    tmp_path: Path, gitlab: Gitlab, host: Callable[..., Host]
) -> None:
    there = host()
    project = Project(tmp_path, "gitlab", there)
    pushed = project.checkout("main")
    shown = pay(project, gitlab, project.commit("main"), pushed)
    assert (shown.code, there.state["creates"]) == (0, 0), shown.out
    digest = json.loads((shown.work / "plan.json").read_text())["digest"]
    wrong = pay(project, gitlab, project.commit("main"), pushed, STORYBOARD_DIGEST="ab" * 32)
    assert (wrong.code, there.state["creates"]) == (1, 0), wrong.out
    (shown.work / "approved.json").rename(shown.work / "plan.json")
    by_hand = pay(project, gitlab, project.commit("main"), pushed, STORYBOARD_DIGEST=digest)
    assert (by_hand.code, there.state["creates"]) == (0, 2), by_hand.out
    assert len(project.main_manifest()["shots"]) == 2
    assert len([*by_hand.work.glob("clips/**/*.mp4")]) == 2

    project.people.git("pull", "-q", "--rebase", "origin", "main")
    head = project.pull_request(*EDIT)
    priced = price(project, gitlab, head)
    assert note(project, gitlab, priced).code == 0
    merged = project.merge()
    gitlab.merge(merged, head)
    gitlab.upload(head, (priced.work / "plan.json").read_bytes())
    next_job = project.checkout(merged)
    shutil.copytree(pushed.root / "storyboard-state", next_job.root / "storyboard-state")
    paid = pay(project, gitlab, merged, next_job)
    assert (paid.code, there.state["creates"]) == (0, 3), paid.out
    quay = next(shot for shot in project.main_manifest()["shots"] if shot["id"] == "quay")
    assert len(quay["takes"]) == 2


def test_jobs_that_pay_run_one_at_a_time_on_the_default_branch_and_keep_the_ledger(tmp_path: Path) -> None:
    project = Project(tmp_path, "gitlab")
    for name in ("storyboard-paid", "storyboard-paid-by-digest"):
        described = job(project, name)
        assert (described["resource_group"], described["interruptible"]) == ("storyboard-paid", False)
        assert (described["cache"]["when"], described["cache"]["paths"]) == ("always", ["storyboard-state/"])
        (rule,) = described["rules"]
        assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"]
    assert job(project, "storyboard-paid-by-digest")["rules"][0]["when"] == "manual"


def test_the_job_that_runs_what_a_request_brings_has_no_environment_and_the_one_with_a_token_no_tree(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path, "gitlab")
    assert "environment" not in job(project, "storyboard")
    with_token = job(project, "storyboard-note")
    assert (with_token["environment"]["name"], with_token["variables"]["GIT_STRATEGY"]) == ("storyboard/note", "none")
    assert not any("storyboard " in line.replace("<!-- storyboard diff -->", "") for line in with_token["script"])
