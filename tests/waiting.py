"""Waiting for what another thread or process does: as long as it takes, and never for a fixed time."""

import time
from collections.abc import Callable
from functools import partial

from anyio import to_thread

_MOMENT = 0.2


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Return as soon as the condition holds; fail with the words after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds, while the event loop goes on."""
    await to_thread.run_sync(partial(wait_until, condition, what))


def stays(condition: Callable[[], object], what: str) -> None:
    """Assert that the condition holds for a moment: for what must never happen, where no event says that it cannot."""
    end = time.monotonic() + _MOMENT
    while time.monotonic() < end:
        assert condition(), f"not for {_MOMENT:g} s: {what}"
        time.sleep(0.02)
