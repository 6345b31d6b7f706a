"""One host of the API, used as documented and independent of the project's client."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

CREATE, POLL = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"
CHEAPEST = {"prompt": "A paper boat on still water", "duration": "4", "aspectRatio": "16:9", "outputResolution": "480p"}
"""At 10 credits a second with seedance2-fast: 40."""


@dataclass
class Host:
    """The host under test, its keys, and the credits that the tests may still spend."""

    base_url: str
    key: str = field(repr=False)
    demo_key: str = field(repr=False)
    credits: int
    """Credits left; every request that could create a task deducts its price before it is sent."""
    task_seconds: float
    """Seconds to wait for the end of a task."""

    def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        """One request, never followed, never repeated; without a key the host's own is sent, "" sends none."""
        key = self.key if key is None else key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        local = httpx.URL(self.base_url).host in ("127.0.0.1", "localhost", "::1")
        with httpx.Client(base_url=self.base_url, timeout=120, trust_env=not local, headers=headers) as client:
            return client.request(method, path, **more)

    def poll(self, task: str, key: str | None = None) -> httpx.Response:
        """recordInfo."""
        return self.ask("GET", POLL, key, params={"taskId": task})

    def create(self, price: int, model: str = "seedance2-fast", **changes: Any) -> httpx.Response:
        """createTask of the cheapest clip with changes (None omits a field); skips the test without enough credits."""
        if price > self.credits:
            pytest.skip(f"wants {price} credits, {self.credits} may be spent (--spend N)")
        self.credits -= price
        inputs = {key: value for key, value in {**CHEAPEST, **changes}.items() if value is not None}
        return self.ask("POST", CREATE, json={"model": model, "inputs": inputs})

    def finished(self, task: str) -> dict[str, Any]:
        """The record once it says success or fail."""
        until = time.monotonic() + self.task_seconds
        while time.monotonic() < until:
            record: dict[str, Any] = self.poll(task).json()
            if record["status"] in ("success", "fail"):
                return record
            assert record["status"] in ("waiting", "generating"), record
            time.sleep(0.1 if self.task_seconds < 60 else 5)
        pytest.fail(f"{task} did not end within {self.task_seconds:g} s")
