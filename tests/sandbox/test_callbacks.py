"""Webhooks in each known shape, and each way they go wrong."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.sandbox.api.callbacks import payload
from tests.sandbox.sandbox_client import Guest, house


class Ear(HTTPServer):
    """Hears callbacks; `heard` holds each as path and raw body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.heard: list[tuple[str, bytes]] = []
        self.answers: list[int] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/secret?a=1"

    def bodies(self, count: int, seconds: float = 10) -> list[Any]:
        """The first so many bodies, as soon as they are here."""
        end = time.monotonic() + seconds
        while len(self.heard) < count and time.monotonic() < end:
            time.sleep(0.02)
        assert len(self.heard) >= count, self.heard
        return [json.loads(raw) for _, raw in self.heard]


class _Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Ear)
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, raw))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


RECORD: Any = {"taskId": "task_1", "status": "success", "output": [{"url": "x"}], "error": None}


def test_every_known_shape() -> None:
    told = {key: value for key, value in RECORD.items() if key != "status"}
    assert payload("flat", RECORD, 0) == RECORD
    assert payload("flat-state", RECORD, 0) == {**told, "state": "success"}
    assert payload("envelope", RECORD, 0) == {"code": 200, "message": "success", "data": RECORD}
    assert payload("envelope-state", RECORD, 0)["data"] == {**told, "state": "success"}
    assert payload("envelope", {**RECORD, "error": "no"}, 0)["code"] == 501
    assert [set(payload("each", RECORD, turn)) for turn in range(3)][2] == {"code", "message", "data"}


def test_a_task_that_is_over_calls_back_once_with_its_record(own: Guest, ear: Ear) -> None:
    task = own.task(callBackUrl=ear.address)
    told = own.over(task)
    (body,) = ear.bodies(1)
    assert ear.heard[0][0] == "/hook/secret?a=1"
    assert (body["taskId"], body["status"], body["creditsUsed"]) == (task, "success", 60)
    assert body["output"][0]["width"] == told["output"][0]["width"]
    time.sleep(0.3)
    assert len(ear.heard) == 1
    assert own.state()["tasks"][0]["callback"] == "204"


def test_a_failed_task_calls_back_too(own: Guest, ear: Ear) -> None:
    own.set_faults({"on": "task", "do": {"error": "face", "seconds": 0.1}})
    own.task(callBackUrl=ear.address)
    (body,) = ear.bodies(1)
    assert (body["status"], body["error"][:13]) == ("fail", "Face detected")


def test_a_receiver_that_fails_is_asked_again(own: Guest, ear: Ear) -> None:
    ear.answers = [500]
    own.task(callBackUrl=ear.address)
    assert len(ear.bodies(2)) == 2


@pytest.mark.parametrize("address", ["https://hooks.invalid/x", "http://hooks.invalid/x", "http://127.0.0.1.invalid/"])
def test_nothing_is_sent_beyond_loopback(own: Guest, address: str) -> None:
    task = own.task(callBackUrl=address)
    own.over(task)
    for _ in range(100):
        if own.state()["tasks"][0]["callback"]:
            break
        time.sleep(0.02)
    assert own.state()["tasks"][0]["callback"] == "not sent: beyond loopback"


def test_webhooks_can_be_off(tmp_path: Path, ear: Ear) -> None:
    with house(tmp_path, webhooks="off") as guest:
        guest.over(guest.task(callBackUrl=ear.address))
        time.sleep(0.4)
        assert ear.heard == []


@pytest.mark.parametrize(("do", "count"), [({"never": True}, 0), ({"copies": 3}, 3), ({"early": True}, 2)])
def test_it_comes_never_often_or_before_the_task_is_over(own: Guest, ear: Ear, do: Any, count: int) -> None:
    own.set_faults({"on": "callback", "do": do})
    own.over(own.task(callBackUrl=ear.address))
    ear.bodies(count)
    time.sleep(0.3)
    assert len(ear.heard) == count


def test_it_lies(own: Guest, ear: Ear) -> None:
    own.set_faults(
        {"on": "callback", "occurrence": 1, "do": {"says": "fail"}},
        {"on": "callback", "occurrence": 2, "do": {"says": "other-task"}},
        {"on": "callback", "occurrence": 3, "do": {"says": "garbage"}},
        {"on": "callback", "occurrence": 4, "do": {"says": "long"}},
    )
    for count in range(1, 5):
        own.over(own.task({"prompt": f"shot {count}"}, callBackUrl=ear.address))
        end = time.monotonic() + 5
        while len(ear.heard) < count and time.monotonic() < end:
            time.sleep(0.02)
    raw = [body for _, body in ear.heard]
    assert json.loads(raw[0])["status"] == "fail"
    assert json.loads(raw[1])["taskId"] == "task_clsomebodyelse0000000000"
    assert raw[2] == b'{"taskId": '
    assert len(raw[3]) > 1 << 20


def test_a_callback_that_a_killed_server_owed_is_sent_by_the_next(tmp_path: Path, ear: Ear) -> None:
    with house(tmp_path, seconds=600) as guest:
        guest.task(callBackUrl=ear.address)
    with house(tmp_path) as guest:
        guest.set_clock(advance=601)
        assert ear.bodies(1)[0]["status"] == "success"
