"""Webhooks in each observed shape, and with each fault."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.sandbox.api.callbacks import payload
from tests.sandbox.sandbox_client import SandboxClient, running_sandbox
from tests.waiting import stays, wait_until


class CallbackReceiver(HTTPServer):
    """A receiver of callbacks; `requests` holds path and raw body of each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.requests: list[tuple[str, bytes]] = []
        self.answers: list[int] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/secret?a=1"

    def wait_for(self, count: int) -> None:
        """Wait for so many callbacks."""
        wait_until(lambda: len(self.requests) >= count, f"{count} callbacks arrive")

    def bodies(self, count: int) -> list[Any]:
        """The first so many bodies, as soon as they are here."""
        self.wait_for(count)
        return [json.loads(raw) for _, raw in self.requests]


class _Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, CallbackReceiver)
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, raw))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


RECORD: Any = {"taskId": "task_1", "status": "success", "output": [{"url": "x"}], "error": None}


def test_every_known_shape() -> None:
    other_fields = {key: value for key, value in RECORD.items() if key != "status"}
    assert payload("flat", RECORD, 0) == RECORD
    assert payload("flat-state", RECORD, 0) == {**other_fields, "state": "success"}
    assert payload("envelope", RECORD, 0) == {"code": 200, "message": "success", "data": RECORD}
    assert payload("envelope-state", RECORD, 0)["data"] == {**other_fields, "state": "success"}
    assert payload("envelope", {**RECORD, "error": "no"}, 0)["code"] == 501
    assert [set(payload("each", RECORD, turn)) for turn in range(3)][2] == {"code", "message", "data"}


def test_a_task_that_is_over_calls_back_once_with_its_record(
    sandbox: SandboxClient, receiver: CallbackReceiver
) -> None:
    task = sandbox.create_task(callBackUrl=receiver.address)
    record = sandbox.wait_for_end(task)
    (body,) = receiver.bodies(1)
    assert receiver.requests[0][0] == "/hook/secret?a=1"
    assert (body["taskId"], body["status"], body["creditsUsed"]) == (task, "success", 60)
    assert body["output"][0]["width"] == record["output"][0]["width"]
    stays(lambda: len(receiver.requests) == 1, "there is no second callback")
    assert sandbox.state()["tasks"][0]["callback"] == "204"


def test_a_failed_task_calls_back_too(sandbox: SandboxClient, receiver: CallbackReceiver) -> None:
    sandbox.set_faults({"on": "task", "do": {"error": "face", "seconds": 0.1}})
    sandbox.create_task(callBackUrl=receiver.address)
    (body,) = receiver.bodies(1)
    assert (body["status"], body["error"][:13]) == ("fail", "Face detected")


def test_a_callback_that_is_answered_with_an_error_is_not_repeated(
    sandbox: SandboxClient, receiver: CallbackReceiver
) -> None:
    receiver.answers = [500]
    sandbox.create_task(callBackUrl=receiver.address)
    wait_until(lambda: sandbox.state()["tasks"][0]["callback"], "the callback is settled")
    assert sandbox.state()["tasks"][0]["callback"] == "500"
    stays(lambda: len(receiver.requests) == 1, "there is no second callback")


@pytest.mark.parametrize("address", ["https://hooks.invalid/x", "http://hooks.invalid/x", "http://127.0.0.1.invalid/"])
def test_nothing_is_sent_beyond_loopback(sandbox: SandboxClient, address: str) -> None:
    task = sandbox.create_task(callBackUrl=address)
    sandbox.wait_for_end(task)
    wait_until(lambda: sandbox.state()["tasks"][0]["callback"], "the callback is settled")
    assert sandbox.state()["tasks"][0]["callback"] == "not sent: beyond loopback"


def test_webhooks_can_be_off(tmp_path: Path, receiver: CallbackReceiver) -> None:
    with running_sandbox(tmp_path, webhooks="off") as sandbox:
        sandbox.wait_for_end(sandbox.create_task(callBackUrl=receiver.address))
        stays(lambda: receiver.requests == [], "nothing is sent")


@pytest.mark.parametrize(("effect", "count"), [({"never": True}, 0), ({"copies": 3}, 3), ({"early": True}, 2)])
def test_a_callback_comes_never_often_or_before_the_task_is_over(
    sandbox: SandboxClient, receiver: CallbackReceiver, effect: Any, count: int
) -> None:
    sandbox.set_faults({"on": "callback", "do": effect})
    sandbox.wait_for_end(sandbox.create_task(callBackUrl=receiver.address))
    receiver.bodies(count)
    stays(lambda: len(receiver.requests) == count, f"there are {count} callbacks")


def test_a_callback_can_make_false_claims(sandbox: SandboxClient, receiver: CallbackReceiver) -> None:
    sandbox.set_faults(
        {"on": "callback", "occurrence": 1, "do": {"says": "fail"}},
        {"on": "callback", "occurrence": 2, "do": {"says": "other-task"}},
        {"on": "callback", "occurrence": 3, "do": {"says": "garbage"}},
        {"on": "callback", "occurrence": 4, "do": {"says": "long"}},
    )
    for count in range(1, 5):
        sandbox.wait_for_end(sandbox.create_task({"prompt": f"shot {count}"}, callBackUrl=receiver.address))
        receiver.wait_for(count)
    raw = [body for _, body in receiver.requests]
    assert json.loads(raw[0])["status"] == "fail"
    assert json.loads(raw[1])["taskId"] == "task_clsomebodyelse0000000000"
    assert raw[2] == b'{"taskId": '
    assert len(raw[3]) > 1 << 20


def test_a_callback_that_a_killed_server_owed_is_sent_by_the_next(tmp_path: Path, receiver: CallbackReceiver) -> None:
    with running_sandbox(tmp_path, seconds=600) as sandbox:
        sandbox.create_task(callBackUrl=receiver.address)
    with running_sandbox(tmp_path) as sandbox:
        sandbox.set_clock(advance=601)
        assert receiver.bodies(1)[0]["status"] == "success"
