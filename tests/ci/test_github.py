"""The workflows for GitHub, job by job against a bare repository, the sandbox, and GitHub's API on loopback."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.workflow_jobs import Job
from tests.ci.conftest import ANIMATICS, GithubProject
from tests.commands.conftest import Host
from tests.docs.pages import ROOT
from tests.double.code_hosts import Github

At = Callable[..., GithubProject]
CONTRACT = re.compile(r"^Merging runs this plan and nothing else, for at most (.+): `([0-9a-f]{64})`$", re.MULTILINE)


def contract(github: Github) -> tuple[str, str]:
    """The price and the digest that the only comment names."""
    (comment,) = github.comments
    found = CONTRACT.findall(comment["body"])
    assert len(found) == 1, comment["body"]
    price, digest = found[0]
    return price, digest


def creates(host: Host) -> int:
    count: int = host.state["creates"]
    return count


@pytest.mark.long
def test_what_the_comment_names_is_paid_once_after_the_merge(
    at_github: At, github: Github, host: Callable[..., Host]
) -> None:
    there = host()
    project = at_github(there)

    # A push without a pull request is priced; who types its digest pays for it.
    first = project.pay(project.commit("main"))
    assert (first.failed, creates(there)) == ("", 0), first.log
    assert "Nothing was paid: this commit is not the merge of a pull request." in first.summary
    assert re.search(r"now +2 +8 +120 +\$0.60", first.summary)
    shown = re.findall(r"by hand with this digest: `([0-9a-f]{64})`", first.summary)[0]
    by_hand = project.pay(project.commit("main"), shown)
    assert (by_hand.failed, creates(there)) == ("", 2), by_hand.log
    assert [take["status"] for shot in project.main_manifest()["shots"] for take in shot["takes"]] == ["succeeded"] * 2
    (clips,) = (artifact["name"] for artifact in github.artifacts if artifact["name"].startswith("storyboard-clips-"))
    assert sum(name.endswith(".mp4") for name in github.files(clips)) == 2

    # A branch changes a shot: one comment, with each push brought up to date; its animatics.
    project.people.git("pull", "-q", "--rebase", "origin", "main")
    priced = project.price(project.pull_request("Sunrise", "Sunset"))
    assert priced.failed == "", priced.log
    assert project.comment(priced).failed == ""
    before = contract(github)
    head = project.pull_request("Sunrise", "Noon")
    priced = project.price(head)
    assert project.comment(priced).failed == ""
    price, digest = contract(github)
    assert (price, digest == before[1]) == ("60 credits (&#36;0.30)", False)
    assert json.loads(github.files(f"storyboard-plan-{digest}")["plan.json"])["digest"] == digest
    drawn = github.files("storyboard-animatics")
    assert {name for name in drawn if name.endswith((".mp4", ".jpg", ".html"))} == ANIMATICS
    assert creates(there) == 2

    # The merge runs that plan; its second run has nothing to do.
    merged = project.merge()
    github.merge(merged, head)
    paid = project.pay(merged)
    assert (paid.failed, creates(there)) == ("", 3), paid.log
    assert f"ran the plan `{digest}` (exit 0)" in paid.summary
    again = project.pay(merged)
    assert (again.failed, creates(there)) == ("", 3), again.log
    quay = next(shot for shot in project.main_manifest()["shots"] if shot["id"] == "quay")
    assert [take["status"] for take in quay["takes"]] == ["succeeded", "succeeded"]


@pytest.mark.long
def test_two_merges_in_a_row_are_each_paid_by_their_own_plan_though_the_second_has_no_manifest_of_the_first(
    at_github: At, github: Github, host: Callable[..., Host]
) -> None:
    there = host()
    project = at_github(there)
    comments = {}
    for branch, old, new in (("first", "Sunrise", "Sunset"), ("second", "Boats", "Ferries")):
        head = project.pull_request(old, new, branch)
        assert project.comment(project.price(head)).failed == ""
        comments[branch] = head, github.comments.copy()
        github.comments.clear()
    merges = {branch: project.merge(branch) for branch in comments}
    for (branch, (head, comment)), total in zip(comments.items(), (2, 3), strict=True):
        github.comments[:] = comment
        github.merge(merges[branch], head)
        paid = project.pay(merges[branch])
        assert (paid.failed, creates(there)) == ("", total), paid.log
    takes = {shot["id"]: [take["status"] for take in shot["takes"]] for shot in project.main_manifest()["shots"]}
    assert takes == {"quay": ["succeeded"], "boats": ["succeeded"] * 2}


@pytest.fixture
def priced(github: Github, at_github: At, tmp_path: Path) -> tuple[GithubProject, Job]:
    """A project, and a job that priced a pull request of it: its comment and digest are made up."""
    project = at_github()
    job = project.job(project.checkout("main"), "", "pull_request", {})
    github.upload("storyboard-comment", {"comment.md": b'<!-- storyboard diff -->\n\nA "price" \xe2\x82\xac'}, "")
    return project, job


@pytest.mark.parametrize(("orders", "method"), [("true", ["POST"]), ("false", [])])
def test_a_first_comment_is_written_only_where_the_branch_orders_something(
    priced: tuple[GithubProject, Job], github: Github, orders: str, method: list[str]
) -> None:
    project, job = priced
    github.comment("<!-- storyboard diff --> by a person", "ines")
    job.outputs["steps.price.outputs.orders"] = orders
    assert project.comment(job).failed == ""
    assert [call.split()[0] for call in github.calls if not call.startswith("GET")] == method
    assert [comment["body"] for comment in github.comments[1:]] == ['<!-- storyboard diff -->\n\nA "price" €'] * len(
        method
    )


def test_a_comment_that_is_there_is_brought_up_to_date_also_behind_a_hundred_others(
    priced: tuple[GithubProject, Job], github: Github
) -> None:
    project, job = priced
    for number in range(120):
        github.comment(f"Comment {number}", "ines")
    own = github.comment("<!-- storyboard diff -->\n\nold")
    github.comment("After it", "ines")
    job.outputs["steps.price.outputs.orders"] = "false"
    assert project.comment(job).failed == ""
    assert own["body"] == '<!-- storyboard diff -->\n\nA "price" €'
    assert len(github.comments) == 122


def test_a_branch_that_orders_nothing_names_no_plan(at_github: At, github: Github) -> None:
    project = at_github()
    project.people.git("checkout", "-q", "-b", "change")
    project.people.write("README.md", "Another text\n")
    job = project.price(project.push("A text"))
    assert (job.failed, job.outputs["steps.price.outputs.orders"]) == ("", "false"), job.log
    assert "orders nothing more" in job.summary
    assert [artifact["name"] for artifact in github.artifacts] == ["storyboard-comment"]


def test_a_price_that_nobody_knows_is_shown_and_is_no_contract(at_github: At, github: Github) -> None:
    project = at_github()
    job = project.price(project.pull_request("prompt: Sunrise", "inputs: {sparkle: 3}\n    prompt: Sunrise"))
    assert (job.failed, job.outputs["steps.price.outputs.orders"]) == ("", "true"), job.log
    assert "an unknown number of credits" in job.summary
    assert not CONTRACT.search(job.summary)
    assert {artifact["name"] for artifact in github.artifacts} == {"storyboard-comment", "storyboard-animatics"}


def test_a_storyboard_with_errors_fails_the_job_before_the_price(at_github: At, github: Github) -> None:
    project = at_github()
    job = project.price(project.pull_request("Sunrise over the quay", "Sunrise\n    duration: 99"))
    assert (job.failed, "::error file=storyboards/film.yaml" in job.log) == ("price", True), job.log
    assert github.artifacts == []


def test_state_and_manifests_are_kept_after_a_failure_and_the_newest_state_is_restored(
    at_github: At, github: Github
) -> None:
    project = at_github()
    for key in ("storyboard-state-9-1", "storyboard-state-8-1", "others-10"):
        (project.top / "cache" / key).mkdir()
        (project.top / "cache" / key / "key").write_text(key)
    for age, key in enumerate(("storyboard-state-9-1", "storyboard-state-8-1")):
        os.utime(project.top / "cache" / key, (1_000_000 - age, 1_000_000 - age))
    failed = project.pay(project.commit("main"), "ab" * 32)
    assert (failed.failed, "no artifact of this repository holds the plan" in failed.log) == ("pay", True), failed.log
    assert "== commit the manifests" in failed.log
    saved = next(path for path in (project.top / "cache").glob(f"storyboard-state-{project.jobs}-*"))
    assert (saved / "key").read_text() == "storyboard-state-9-1"


def workflow(project: GithubProject, name: str) -> dict[str, Any]:
    text = (project.people.root / ".github/workflows" / name).read_text()
    assert "pull_request_target" not in text
    described: dict[str, Any] = yaml.safe_load(text)
    return described


def test_no_job_has_a_secret_and_runs_what_a_pull_request_brings(at_github: At) -> None:
    project = at_github()
    jobs = workflow(project, "storyboard.yml")["jobs"]
    assert jobs["price"]["permissions"] == {"contents": "read"}
    assert not re.search(r"secrets\.|github\.token", json.dumps(jobs["price"]))
    assert not re.search(r"checkout|\./|bash ", json.dumps(jobs["comment"]))
    assert jobs["comment"]["permissions"] == {"pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in jobs["comment"]["if"]


def test_the_note_that_a_job_pays_is_saved_before_it_pays_and_found_by_the_next_job() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    names = [step["name"] for step in steps]
    first = names.index("note that this job pays")
    assert names[first : first + 3] == ["note that this job pays", "save the note", "pay"]
    template = ROOT / "runner/show/templates/github/dot-github/workflows/storyboard-paid.yml"
    restore = next(
        step
        for step in yaml.safe_load(template.read_text())["jobs"]["pay"]["steps"]
        if "restore" in step.get("name", "")
    )
    assert steps[first + 1]["with"]["key"].startswith(restore["with"]["restore-keys"])


def test_the_paid_job_runs_alone_in_turn_and_on_the_default_branch(at_github: At) -> None:
    described = workflow(at_github(), "storyboard-paid.yml")
    events = next(value for key, value in described.items() if key not in ("name", "permissions", "jobs"))
    assert events.keys() == {"push", "workflow_dispatch"}  # YAML reads their name, `on`, as true
    assert events["push"] == {"branches": ["**"]}
    job = described["jobs"]["pay"]
    # A job that is skipped on another branch waits for none, and none waits for it.
    assert job["concurrency"] == {"group": "storyboard-paid", "cancel-in-progress": False, "queue": "max"}
    assert job["if"] == "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
    after = [step["name"] for step in job["steps"] if "always()" in str(step.get("if"))]
    assert after == ["save the state folder", "commit the manifests", "keep the clips"]


def test_actions_of_others_are_named_by_their_commit(at_github: At) -> None:
    files = [ROOT / "action.yml", *(at_github().people.root / ".github").rglob("*.yml")]
    uses = [name for path in files for name in re.findall(r"uses: (\S+)", path.read_text())]
    assert len(uses) > 8
    assert all(re.fullmatch(r"\./\S+|[\w/-]+@[0-9a-f]{40}", name) for name in uses), uses
