"""Time that passes only when everybody waits, for the real loop in tests."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio

T = TypeVar("T")
BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: the time that it should have waited has passed at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        assert timeout is not None, "everybody waits, and nothing will ever happen"
        self.now += max(timeout, 0.0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine function to its end in virtual time."""
    return anyio.run(main, backend="asyncio", backend_options={"loop_factory": _Loop})


class VirtualClock:
    """The loop's time, a wall clock that can be set, and chance and tokens that can be foretold."""

    def __init__(self, tokens: str = "token") -> None:
        self.offset = timedelta()
        self._tokens = tokens
        self._count = 0

    def now(self) -> datetime:
        return BEGIN + self.offset + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    def jitter(self) -> float:
        return 0.5

    def token(self) -> str:
        self._count += 1
        return f"{self._tokens}-{self._count}"


async def inline(work: Callable[[], T], /) -> T:
    """Blocking work in place: in virtual time nobody waits for a thread."""
    return work()
