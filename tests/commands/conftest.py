"""A content repo for each test, and a paid host that is the sandbox on loopback."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.builders.plain_clips import sandbox_process
from tests.waiting import wait_until

KEY = "made-up-canary-key-1234"
PAID_FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - id: quay
    scene: harbour
    prompt: Sunrise over the quay
  - id: boats
    scene: water
    prompt: Boats leave the harbour
"""


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path)


@pytest.fixture
def paid_film(tmp_path: Path) -> ContentRepo:
    """Two shots from text alone, at 60 credits each."""
    return content(tmp_path, PAID_FILM)


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the paid provider, as far as the tool knows."""

    base_url: str

    @property
    def env(self) -> dict[str, str]:
        return {"SEEDANCE_BASE_URL": self.base_url, "SEEDANCE_API_KEY": KEY, "STORYBOARD_PROVIDER": "kinovi"}

    @property
    def state(self) -> dict[str, Any]:
        """What the host itself counted."""
        told: dict[str, Any] = self._control("GET", "state").json()
        return told

    def advance(self, seconds: float) -> None:
        """Turn the host's clock forward."""
        self._control("POST", "clock", {"advance": seconds})

    def set_faults(self, *rules: Mapping[str, object]) -> None:
        """What the host does wrong from now on."""
        self._control("PUT", "faults", {"faults": 1, "rules": list(rules)})

    def _control(self, method: str, what: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        address, headers = f"{self.base_url}/__sandbox/{what}", {"Authorization": f"Bearer {KEY}"}
        # Without `verify` no certificates are read, which takes longer than the answer.
        return httpx.request(method, address, json=body, headers=headers, timeout=10, verify=False).raise_for_status()

    def wait_for_tasks(self) -> None:
        """Return once every task has ended at the host; its clip takes a moment even where its time has passed."""
        wait_until(lambda: {task["status"] for task in self.state["tasks"]} <= {"success", "fail"}, "tasks end")


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    """Starts a host for one test, as `hosts` does."""
    with hosts() as start:
        yield start


@contextmanager
def hosts() -> Iterator[Callable[..., Host]]:
    """Starts `storyboard sandbox` with some flags, on a free port; tasks of 0.2 seconds, prepared or drawn clips."""
    with ExitStack() as stack:

        def start(*flags: str, seconds: str = "0.2", drawn: bool = False) -> Host:
            process = sandbox_process("--key", KEY, "--seconds", seconds, *flags, drawn=drawn)
            return Host(stack.enter_context(process))

        yield start
