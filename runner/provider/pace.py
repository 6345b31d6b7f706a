"""No more requests a second than the provider is to see, with room for one second's worth at once."""

from collections.abc import Awaitable, Callable

from runner.clock import Clock


class Pace:
    """Mutable: when the bucket would be empty again."""

    def __init__(self, per_second: float | None, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._burst = max(0.0, 1 - self._gap) if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._empty_at = 0.0

    async def turn(self) -> None:
        """Returns when the next request may go out; turns are given in the order they are asked for."""
        if not self._gap:
            return
        now = self._clock.monotonic()
        self._empty_at = max(self._empty_at, now) + self._gap
        wait = self._empty_at - self._gap - self._burst - now
        if wait > 1e-6:
            await self._sleep(wait)
