"""A sandbox for one test, and a client of it: real HTTP on loopback."""

import atexit
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from runner.sandbox.embedded import running
from runner.sandbox.options import Options

_PREPARED = Path(tempfile.mkdtemp(prefix="sandbox-tests-"))
atexit.register(shutil.rmtree, _PREPARED, ignore_errors=True)
KEY = "test-key-of-the-house"
BOAT = {"prompt": "A boat leaves the harbour", "outputResolution": "480p", "duration": "4"}


def body(inputs: Mapping[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """A good body, with what the test says in place of its own."""
    return {"model": "seedance-20", "inputs": {**BOAT, **(inputs or {})}, **others}


def picture(width: int = 64, height: int = 36, color: str = "teal") -> bytes:
    """A small PNG."""
    held = BytesIO()
    Image.new("RGB", (width, height), color).save(held, "PNG")
    return held.getvalue()


@dataclass
class Guest:
    """A client with a key; every answer is httpx's own."""

    base: str
    key: str = KEY
    http: httpx.Client = field(init=False)
    others: list["Guest"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, headers={"Authorization": f"Bearer {self.key}"}, timeout=20)

    def another(self, key: str) -> "Guest":
        """A client with another key."""
        self.others.append(Guest(self.base, key))
        return self.others[-1]

    def leave(self) -> None:
        for guest in self.others:
            guest.leave()
        self.http.close()

    def create(self, inputs: Mapping[str, Any] | None = None, **others: Any) -> httpx.Response:
        return self.http.post("/api/v1/jobs/createTask", json=body(inputs, **others))

    def task(self, inputs: Mapping[str, Any] | None = None, **others: Any) -> str:
        answer = self.create(inputs, **others)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["taskId"])

    def look(self, task_id: str) -> httpx.Response:
        return self.http.get("/api/v1/jobs/recordInfo", params={"taskId": task_id})

    def record(self, task_id: str) -> Any:
        return self.look(task_id).json()

    def over(self, task_id: str, seconds: float = 20) -> Any:
        """The record once the task is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            told = self.look(task_id)
            if told.status_code == 200 and told.json()["status"] in ("success", "fail"):
                return told.json()
            time.sleep(0.03)
        raise AssertionError(f"not over within {seconds} s: {told.text}")

    def clip(self, task_id: str, **options: Any) -> httpx.Response:
        """The clip by its link, without the key."""
        return httpx.get(self.record(task_id)["output"][0]["url"], **options)

    def put(self, content: bytes, name: str = "door.png") -> str:
        """The address of a file that was uploaded."""
        place = self.http.post("/api/v1/uploads", json={"fileName": name}).json()
        assert httpx.put(place["uploadUrl"], content=content).status_code == 200
        return str(place["url"])

    def state(self) -> Any:
        return self.http.get("/__sandbox/state").json()

    def set_clock(self, **how: Any) -> httpx.Response:
        return self.http.post("/__sandbox/clock", json=how)

    def set_faults(self, *rules: Mapping[str, Any]) -> None:
        answer = self.http.put("/__sandbox/faults", json={"faults": 1, "rules": list(rules)})
        assert answer.status_code == 200, answer.text


@contextmanager
def house(folder: Path, **choices: Any) -> Iterator[Guest]:
    """A sandbox with plain clips unless said, and a guest in it; clips that were prepared before are taken along."""
    _carry(_PREPARED, folder / "plain")
    with running(folder, Options(**{"plain_clips": True, "processes": 1, **choices})) as base:
        guest = Guest(base)
        try:
            yield guest
        finally:
            guest.leave()
            _carry(folder / "plain", _PREPARED)


def _carry(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for clip in source.glob("*.mp4"):
        if not (target / clip.name).exists():
            shutil.copy(clip, target / clip.name)


def served(folder: Path, *flags: str, plain: bool = True) -> tuple["subprocess.Popen[str]", str]:
    """A server as another program starts it, and its address."""
    clips = ["--plain-clips"] if plain else []
    command = [sys.executable, "-m", "runner", "sandbox", *clips, "--state", str(folder), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:")
    return process, line.split()[-1]


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    process.send_signal(number)
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code
