"""Every known shape of a webhook's body, and what is made of the rest: nothing."""

import json
from typing import Any

import pytest

from runner.attempts.task_facts import Callback
from runner.providers.kinovi.callback import read_callback

FLAT = {"taskId": "task_1", "model": "seedance-20", "status": "success", "output": [{"url": "https://evil.example/"}]}
OTHERS = {"taskId": "task_1", "state": "SUCCEEDED"}


@pytest.mark.parametrize(
    "body",
    [
        FLAT,
        OTHERS,
        {"code": 200, "message": "ok", "data": FLAT},
        {"code": 200, "msg": "ok", "data": OTHERS},
        {"data": {"task_id": "task_1", "status": "completed"}},
        {"data": [FLAT]},
    ],
)
def test_the_task_and_its_status_are_found_in_every_shape(body: Any) -> None:
    assert read_callback(json.dumps(body).encode()) == Callback("task_1", "success")


@pytest.mark.parametrize("word", ["archived", "", None, 7])
def test_a_status_that_no_page_documents_is_not_told(word: Any) -> None:
    assert read_callback(json.dumps({"taskId": "task_1", "status": word}).encode()) == Callback("task_1", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"taskId=task_1",
        b'{"taskId": "../x"}',
        b'{"taskId": null}',
        b'{"taskId": "a", "taskId": "b"}',
        b'{"taskId": "a", "data": {"taskId": "b"}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_names_no_single_task_is_no_callback(body: bytes) -> None:
    assert read_callback(body) is None
