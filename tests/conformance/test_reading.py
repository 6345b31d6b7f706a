"""What the pages promise of reading: costs nothing, changes nothing, at any host."""

import httpx
import pytest

from tests.conformance.host import POLL, Host

FIELDS = {"taskId", "model", "status", "creditsUsed", "output", "error", "createTime", "completeTime"}
SUCCEEDED = ["demo_task_t2v_success", "demo_task_i2v_success"]
FAILED = {
    "demo_task_fail_text_moderation": "text violates platform rules",
    "demo_task_fail_face_detected": "Face detected",
    "demo_task_fail_server_error": "generation failed",
}


def is_error(answer: httpx.Response, status: int) -> bool:
    return answer.status_code == status and bool(answer.json()["message"])


def test_without_a_key_nothing_is_told(host: Host) -> None:
    assert is_error(host.ask("GET", POLL, key="", params={"taskId": SUCCEEDED[0]}), 401)


def test_a_wrong_key_is_refused(host: Host) -> None:
    assert is_error(host.poll(SUCCEEDED[0], key="not-a-key-of-anybody-0000"), 401)


def test_a_task_that_nobody_made_is_not_found_and_in_json(host: Host) -> None:
    answer = host.poll("task_that_nobody_ever_made")

    assert 400 <= answer.status_code < 500
    assert answer.json()["message"]


@pytest.mark.parametrize("task", SUCCEEDED)
def test_a_sample_that_succeeded_has_every_documented_field(host: Host, demo_key: str, task: str) -> None:
    answer = host.poll(task, key=demo_key)
    record = answer.json()

    assert answer.status_code == 200
    assert record.keys() >= FIELDS
    assert (record["taskId"], record["status"], record["error"]) == (task, "success", None)
    assert record["creditsUsed"] > 0
    assert record["completeTime"] > record["createTime"] > 1_600_000_000_000
    [clip] = record["output"]
    assert clip["url"].startswith("http")
    assert clip["width"] > clip["height"] > 0


@pytest.mark.parametrize("task", FAILED)
def test_a_sample_that_failed_says_why_and_cost_nothing(host: Host, demo_key: str, task: str) -> None:
    record = host.poll(task, key=demo_key).json()

    assert (record["taskId"], record["status"], record["output"]) == (task, "fail", None)
    assert FAILED[task].lower() in record["error"].lower()
    assert record["creditsUsed"] == 0


@pytest.mark.parametrize("task", SUCCEEDED)
def test_a_samples_clip_is_fetched_without_a_key_and_is_an_mp4(host: Host, demo_key: str, task: str) -> None:
    url = host.poll(task, key=demo_key).json()["output"][0]["url"]
    answer = host.ask("GET", url, key="")

    assert answer.status_code == 200
    assert answer.content[4:8] == b"ftyp"


@pytest.mark.parametrize("task", SUCCEEDED[:1])
def test_the_rest_of_a_clip_can_be_asked_for(host: Host, demo_key: str, task: str) -> None:
    url = host.poll(task, key=demo_key).json()["output"][0]["url"]
    whole = host.ask("GET", url, key="")
    rest = host.ask("GET", url, key="", headers={"Range": "bytes=100-"})

    assert rest.status_code == 206
    assert rest.content == whole.content[100:]
    assert rest.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
