"""No more requests a second than were agreed, and one second's worth at once."""

import anyio

from runner.clock import SystemClock
from runner.provider.pace import Pace


class Hand(SystemClock):
    """A clock that is moved by hand, or by whoever sleeps on it."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.time += seconds


def turns(per_second: float | None, count: int, pause: float = 0.0) -> list[float]:
    clock = Hand()

    async def taken() -> None:
        pace = Pace(per_second, clock, clock.sleep)
        for _ in range(count):
            await pace.turn()
            clock.time += pause

    anyio.run(taken)
    return clock.slept


def test_without_a_limit_nobody_waits() -> None:
    assert turns(None, 100) == []


def test_one_seconds_worth_goes_out_at_once_and_the_rest_evenly() -> None:
    assert turns(5, 8) == [0.2, 0.2, 0.2]


def test_one_a_second_waits_between_each_two() -> None:
    assert turns(1, 3) == [1.0, 1.0]


def test_less_than_one_a_second_waits_longer() -> None:
    assert turns(0.5, 3) == [2.0, 2.0]


def test_who_asks_slowly_never_waits() -> None:
    assert turns(2, 10, pause=0.5) == []
