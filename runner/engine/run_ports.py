"""The parts that a run gets from outside: the planned work, and the ports to everything beyond its own memory."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio
from anyio import to_thread

from runner.attempts.history import History
from runner.clock import Clock
from runner.engine.ports import LedgerPort, ProviderPort
from runner.engine.run_events import RunEvent
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Plan

T = TypeVar("T")


class BlockingRunner(Protocol):
    """A runner of blocking calls that does not block the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


def single_worker_thread() -> BlockingRunner:
    """A `BlockingRunner` that runs calls in worker threads, one at a time."""
    limiter = anyio.CapacityLimiter(1)

    async def run_blocking(work: Callable[[], T], /) -> T:
        return await to_thread.run_sync(work, limiter=limiter)

    return run_blocking


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """A plan, the history that it was made from, and the function that plans anew."""

    plan: Plan
    history: History
    """The history that the run changes in place."""
    replan: Callable[[History], Plan]


@dataclass(frozen=True, slots=True)
class RunPorts:
    """The ports of one run: provider, ledger, clock, the receiver of its events, and the thread for blocking calls."""

    provider: ProviderPort
    ledger: LedgerPort
    clock: Clock
    emit: Callable[[RunEvent], None]
    run_blocking: BlockingRunner = field(default_factory=single_worker_thread)
