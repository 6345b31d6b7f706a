"""The way back after a runner that was lost with what it had ordered, as docs/ci.md describes it."""

import re
from collections.abc import Callable

import pytest

from tests.ci.conftest import BOARD, GithubProject
from tests.commands.conftest import Host
from tests.double.code_hosts import Github

TAKES = {"quay": "Noon over the quay", "boats": "Boats leave the harbour"}


@pytest.mark.long
def test_what_a_lost_job_ordered_is_taken_over_and_paid_once(
    at_github: Callable[..., GithubProject], github: Github, host: Callable[..., Host]
) -> None:
    there = host()
    project = at_github(there)
    head = project.pull_request("Sunrise", "Noon")
    assert project.comment(project.price(head)).failed == ""
    merged = project.merge()
    github.merge(merged, head)
    lost = project.pay(merged, lost_after="pay")
    assert there.state["creates"] == 2, lost.log

    # The next job, and a later merge's, pay for nothing and name the lost one.
    for _ in range(2):
        job = project.pay(merged)
        assert (job.failed, there.state["creates"]) == ("pay", 2), job.log
        assert (
            f"the job https://github.invalid/acme/film/actions/runs/{lost.context['github.run_id']}, 20" in job.summary
        )
    digest = re.findall(r"by hand with the digest `([0-9a-f]{64})`", job.summary)[0]

    # A person takes its tasks over, on a machine with the key.
    people, tasks = project.people, {task["prompt"]: task["taskId"] for task in there.state["tasks"]}
    there.wait_for_tasks()
    for shot, prompt in TAKES.items():
        settled = people.storyboard("settle", f"film:{shot}", "--task", tasks[prompt], **there.env)
        assert settled.code == 0, settled.err
    collected = people.storyboard("run", BOARD, "--max-credits", "0", **there.env)
    assert (collected.code, there.state["creates"]) == (0, 2), collected.err
    project.push("What the lost job made")

    # The digest that the job showed goes on, and has nothing left to make.
    by_hand = project.pay(project.commit("main"), digest)
    assert (by_hand.failed, there.state["creates"]) == ("", 2), by_hand.log
    assert f"ran the plan `{digest}` (exit 0)" in by_hand.summary
    takes = {shot["id"]: [take["task_id"] for take in shot["takes"]] for shot in project.main_manifest()["shots"]}
    assert takes == {shot: [tasks[prompt]] for shot, prompt in TAKES.items()}

    # From then on jobs pay by themselves again.
    people.git("pull", "-q", "--rebase", "origin", "main")
    head = project.pull_request("Boats leave", "Ferries leave", "next")
    github.comments.clear()
    assert project.comment(project.price(head)).failed == ""
    merged = project.merge("next")
    github.merge(merged, head)
    paid = project.pay(merged)
    assert (paid.failed, there.state["creates"]) == ("", 3), paid.log
