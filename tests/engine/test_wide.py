"""Runs of many takes at once: the cost of a take, the way home of clips meanwhile, and the request rate."""

import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import pytest

import runner
from runner.attempts.attempt import Attempt
from runner.attempts.events import CreateResult, PollResult
from runner.requests.request import JsonValue
from runner.requests.shot_text import NO_TEXT, ShotText
from tests.builders.engine_batches import film, planner
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Simulated, World

ROOMS = tuple(str(Path(runner.__file__).parent / room) for room in ("engine", "attempts"))


class QuickProvider(Simulated):
    """A provider with tasks of a second; remembers when each request came, and the clips stored at each create."""

    def __init__(self) -> None:
        super().__init__(World(latency=0.02, seconds=lambda count: 1.0))
        self.creates: list[float] = []
        self.polls: list[float] = []
        self.stored_at_create: list[int] = []

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        self.creates.append(anyio.current_time())
        self.stored_at_create.append(len(self.stored))
        return await super().create(body, webhook_token, before_send)

    async def poll(self, attempt: Attempt) -> PollResult:
        self.polls.append(anyio.current_time())
        return await super().poll(attempt)


@pytest.fixture
def quick_ledgers(ledgers: LedgerHome) -> Iterator[LedgerHome]:
    """A state folder in memory where there is one: thousands of commits would wait for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield replace(ledgers, folder=Path(folder))


def wide_run(quick_ledgers: LedgerHome, takes: int, **limits: Any) -> QuickProvider:
    provider = QuickProvider()
    (outcome,) = run_engine(EngineHarness(quick_ledgers, provider, planner(film(takes))), expected=2.0, **limits)
    assert len(outcome.finished) == takes
    return provider


@contextmanager
def counted_lines() -> Iterator[list[int]]:
    """Counts the lines that engine and attempts execute, each turn of a loop as one."""
    count = [0]

    def on_line(frame: FrameType, event: str, argument: object) -> Any:
        count[0] += event == "line"
        return on_line

    def on_call(frame: FrameType, event: str, argument: object) -> Any:
        return on_line if frame.f_code.co_filename.startswith(ROOMS) else None

    previous = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield count
    finally:
        sys.settrace(previous)


def lines_per_take(quick_ledgers: LedgerHome, takes: int, concurrency: int) -> float:
    with counted_lines() as count:
        wide_run(quick_ledgers, takes, concurrency=concurrency, requests_per_second=100.0)
    return count[0] / takes


@pytest.mark.parametrize(
    ("few", "many", "concurrency"), [(20, 200, 30), pytest.param(300, 3000, 400, marks=pytest.mark.long)]
)
def test_a_take_costs_the_same_in_a_batch_of_ten_times_as_many(
    quick_ledgers: LedgerHome, few: int, many: int, concurrency: int
) -> None:
    alone = lines_per_take(quick_ledgers / "few", few, concurrency)
    assert lines_per_take(quick_ledgers / "many", many, concurrency) < 1.3 * alone


def test_clips_come_home_while_creating_goes_on(quick_ledgers: LedgerHome) -> None:
    provider = wide_run(quick_ledgers, 200, concurrency=400, requests_per_second=50.0)
    last = provider.creates[-1]
    ended = sum(task.ended_by(last) for task in provider.world.tasks.values())
    assert ended > 130, "the tasks are quicker than the request rate"
    assert provider.stored_at_create[-1] > 0.6 * ended


def test_new_tasks_and_polls_share_the_request_rate(quick_ledgers: LedgerHome) -> None:
    rate = 20.0
    provider = wide_run(quick_ledgers, 120, concurrency=400, requests_per_second=rate)
    requests = sorted([*provider.creates, *provider.polls])
    for number, begin in enumerate(requests):
        in_a_second = sum(begin <= other < begin + 1 for other in requests[number:])
        assert in_a_second <= 2 * rate, "a burst of a second's requests, and what this second allows"
    assert len(requests) <= rate * (requests[-1] - requests[0] + 1) + 1
