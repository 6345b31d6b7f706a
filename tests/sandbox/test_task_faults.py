"""Faults of tasks, scripted before their creation."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runner.sandbox.drawing.worker_pool import DrawingError, WorkerPool
from tests.sandbox.sandbox_client import SandboxClient


def record_with_fault(sandbox: SandboxClient, **effect: Any) -> Any:
    """The final record of a task with this fault."""
    sandbox.set_faults({"on": "task", "do": effect})
    return sandbox.wait_for_end(sandbox.create_task())


@pytest.mark.parametrize(("form", "kind"), [("text", str), ("object", dict), ("list", list)])
def test_an_error_comes_in_three_forms(sandbox: SandboxClient, form: str, kind: type) -> None:
    assert isinstance(record_with_fault(sandbox, error="Out of dragons.", error_form=form, seconds=0)["error"], kind)


def test_a_failed_task_may_show_what_was_reserved_although_it_is_refunded(sandbox: SandboxClient) -> None:
    assert record_with_fault(sandbox, error="server", reserved=True, seconds=0)["creditsUsed"] == 60
    assert sandbox.state()["charged"] == 0


@pytest.mark.parametrize("credits", [61.5, "60", None, 10**12, -1])
def test_a_bill_is_wrong(sandbox: SandboxClient, credits: Any) -> None:
    assert record_with_fault(sandbox, credits=credits)["creditsUsed"] == credits


def test_a_clip_that_cannot_be_written_is_a_failure_of_the_server(sandbox: SandboxClient, tmp_path: Path) -> None:
    (tmp_path / "clips").rmdir()
    record = sandbox.wait_for_end(sandbox.create_task())
    assert (record["status"], record["creditsUsed"]) == ("fail", 0)


def test_a_drawing_process_that_cannot_be_started_is_an_error_with_its_cause() -> None:
    pool = WorkerPool(python="/no/python/here")
    with pytest.raises(DrawingError, match=r"no drawing process can be started \(No such file or directory\)"):
        asyncio.run(pool.run({"job": "measure", "path": "door.png"}))


def test_a_task_never_ends(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "do": {"never_ends": True, "seconds": 0}})
    task = sandbox.create_task()
    sandbox.set_clock(advance=10 * 86400)
    assert sandbox.record(task)["status"] == "generating"
    assert sandbox.state()["accounts"][0]["inProgress"] == 1


@pytest.mark.parametrize("status", ["queuing", "RUNNING", "", None, 3])
def test_a_status_is_odd_while_it_runs(sandbox: SandboxClient, status: Any) -> None:
    sandbox.set_faults({"on": "task", "do": {"status": status, "seconds": 1000}})
    assert sandbox.record(sandbox.create_task())["status"] == status


@pytest.mark.parametrize("status", ["SUCCEEDED", "completed", "archived"])
def test_a_status_is_odd_at_the_end(sandbox: SandboxClient, status: str) -> None:
    sandbox.set_faults({"on": "task", "do": {"final_status": status}})
    task = sandbox.create_task()
    while sandbox.record(task)["status"] != status:
        pass
    assert sandbox.record(task)["output"]


def test_a_status_goes_backwards(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "do": {"backwards": 2}})
    task = sandbox.create_task()
    sandbox.wait_for_end(task)
    assert [sandbox.record(task)["status"] for _ in range(3)] == ["generating", "generating", "success"]


def test_a_record_is_missing_at_first_and_gone_later(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "do": {"missing": 2, "vanish": 600}})
    task = sandbox.create_task()
    assert [sandbox.poll(task).status_code for _ in range(3)] == [404, 404, 200]
    sandbox.set_clock(advance=601)
    assert sandbox.poll(task).status_code == 404


@pytest.mark.parametrize(
    ("output", "expected"),
    [("none", None), ("empty", []), ("no-url", [{"width": 854, "height": 480}])],
)
def test_a_success_shows_no_clip(sandbox: SandboxClient, output: str, expected: Any) -> None:
    assert record_with_fault(sandbox, output=output)["output"] == expected


def test_a_success_shows_two_clips_or_one_at_a_place_that_nobody_should_ask(sandbox: SandboxClient) -> None:
    assert len(record_with_fault(sandbox, output="two")["output"]) == 2
    urls = [record_with_fault(sandbox, output=name)["output"][0]["url"] for name in ("file", "private", "elsewhere")]
    assert [url.partition(":")[0] for url in urls] == ["file", "http", "https"]


def test_a_record_is_of_another_task_or_another_model(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "times": 1, "do": {"record": "other-task"}})
    first = sandbox.create_task()
    assert sandbox.record(first)["taskId"] != first
    sandbox.set_faults({"on": "task", "do": {"record": "other-model"}})
    assert sandbox.record(sandbox.create_task())["model"] == "veo-3"


def test_times_come_in_other_forms(sandbox: SandboxClient) -> None:
    assert len(str(record_with_fault(sandbox, times="seconds")["createTime"])) == 10
    assert record_with_fault(sandbox, times="iso")["completeTime"].endswith("+00:00")
    assert record_with_fault(sandbox, times="none")["createTime"] is None
    assert record_with_fault(sandbox, times="future")["createTime"] > 2_000_000_000_000


def test_a_clip_has_another_size_and_length_than_was_asked(sandbox: SandboxClient) -> None:
    clip = record_with_fault(sandbox, size=[320, 240], length=2)["output"][0]
    assert (clip["width"], clip["height"]) == (320, 240)


# -- conditions of rules --------------------------------------------------------------------------------------


def failures(sandbox: SandboxClient, prompts: list[str]) -> list[bool]:
    tasks = [sandbox.create_task({"prompt": prompt}) for prompt in prompts]
    return [sandbox.wait_for_end(task)["status"] == "fail" for task in tasks]


FAIL = {"on": "task", "do": {"error": "server", "seconds": 0}}


def test_by_occurrence(sandbox: SandboxClient) -> None:
    sandbox.set_faults({**FAIL, "occurrence": [2, 4]})
    assert failures(sandbox, list("abcde")) == [False, True, False, True, False]


def test_by_every_and_at_most_so_often(sandbox: SandboxClient) -> None:
    sandbox.set_faults({**FAIL, "every": 2, "times": 1})
    assert failures(sandbox, list("abcde")) == [False, True, False, False, False]


def test_by_prompt_in_any_case(sandbox: SandboxClient) -> None:
    sandbox.set_faults({**FAIL, "prompt": "RAIN"})
    assert failures(sandbox, ["sun", "soft rain", "Rainbow"]) == [False, True, True]


def test_by_the_number_of_the_task_with_the_same_body(sandbox: SandboxClient) -> None:
    sandbox.set_faults({**FAIL, "number": 1})
    assert failures(sandbox, ["a", "b", "a", "b"]) == [True, True, False, False]


def test_by_chance_the_same_for_the_same_request_in_any_order(sandbox: SandboxClient) -> None:
    prompts = [f"shot {number}" for number in range(24)]
    sandbox.set_faults({**FAIL, "chance": 0.5})
    once = dict(zip(prompts, failures(sandbox, prompts), strict=True))
    assert 3 < sum(once.values()) < 21


def test_the_first_rule_that_happens_is_the_one(sandbox: SandboxClient) -> None:
    sandbox.set_faults({**FAIL, "occurrence": 1}, {"on": "task", "do": {"error": "face", "seconds": 0}})
    ends = [sandbox.wait_for_end(sandbox.create_task())["error"] for _ in range(2)]
    assert ends[0].startswith("Video generation failed")
    assert ends[1].startswith("Face detected")
    assert [rule["happened"] for rule in sandbox.state()["faults"]] == [1, 1]
