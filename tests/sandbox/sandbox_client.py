"""A sandbox for one test, and a client of it: real HTTP on loopback."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from runner.sandbox.embedded import run_in_thread
from runner.sandbox.options import Options
from tests.builders.plain_clips import plain_clips
from tests.waiting import wait_until

KEY = "test-key-of-the-house"
BOAT = {"prompt": "A boat leaves the harbour", "outputResolution": "480p", "duration": "4"}


def body(inputs: Mapping[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """A valid body with some fields replaced."""
    return {"model": "seedance-20", "inputs": {**BOAT, **(inputs or {})}, **others}


def picture(width: int = 64, height: int = 36, color: str = "teal") -> bytes:
    """A small PNG."""
    content = BytesIO()
    Image.new("RGB", (width, height), color).save(content, "PNG")
    return content.getvalue()


@dataclass
class SandboxClient:
    """A client with a key; every answer is httpx's own."""

    base_url: str
    key: str = KEY
    http: httpx.Client = field(init=False)
    clients: list["SandboxClient"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, headers={"Authorization": f"Bearer {self.key}"}, timeout=20)

    def with_key(self, key: str) -> "SandboxClient":
        """A client with another key."""
        self.clients.append(SandboxClient(self.base_url, key))
        return self.clients[-1]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.http.close()

    def create(self, inputs: Mapping[str, Any] | None = None, **others: Any) -> httpx.Response:
        return self.http.post("/api/v1/jobs/createTask", json=body(inputs, **others))

    def create_task(self, inputs: Mapping[str, Any] | None = None, **others: Any) -> str:
        answer = self.create(inputs, **others)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["taskId"])

    def poll(self, task_id: str) -> httpx.Response:
        return self.http.get("/api/v1/jobs/recordInfo", params={"taskId": task_id})

    def record(self, task_id: str) -> Any:
        return self.poll(task_id).json()

    def wait_for_end(self, task_id: str, seconds: float = 20) -> Any:
        """The record once the task is over."""
        answers: list[httpx.Response] = []

        def is_over() -> bool:
            answers[:] = [self.poll(task_id)]
            return answers[0].status_code == 200 and answers[0].json()["status"] in ("success", "fail")

        wait_until(is_over, f"{task_id} is over", seconds)
        return answers[0].json()

    def download_clip(self, task_id: str, **options: Any) -> httpx.Response:
        """The clip by its link, without the key."""
        return httpx.get(self.record(task_id)["output"][0]["url"], **options)

    def upload(self, content: bytes, name: str = "door.png") -> str:
        """Upload a file and return its address."""
        reservation = self.http.post("/api/v1/uploads", json={"fileName": name}).json()
        assert httpx.put(reservation["uploadUrl"], content=content).status_code == 200
        return str(reservation["url"])

    def state(self) -> Any:
        return self.http.get("/__sandbox/state").json()

    def set_clock(self, **change: Any) -> httpx.Response:
        return self.http.post("/__sandbox/clock", json=change)

    def set_faults(self, *rules: Mapping[str, Any]) -> None:
        answer = self.http.put("/__sandbox/faults", json={"faults": 1, "rules": list(rules)})
        assert answer.status_code == 200, answer.text


@contextmanager
def running_sandbox(folder: Path, **choices: Any) -> Iterator[SandboxClient]:
    """A client of a new sandbox, with plain clips by default."""
    options = Options(**{"plain_clips": True, "processes": 1, **choices})
    with plain_clips(folder), run_in_thread(folder, options) as base_url:
        client = SandboxClient(base_url)
        try:
            yield client
        finally:
            client.close()


def start_server(folder: Path, *flags: str, plain: bool = True) -> tuple["subprocess.Popen[str]", str]:
    """A server started as by another program, and its address."""
    clips = ["--plain-clips"] if plain else []
    command = [sys.executable, "-m", "runner", "sandbox", *clips, "--state", str(folder), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:")
    return process, line.split()[-1]


def stop_server(process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    process.send_signal(number)
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code
