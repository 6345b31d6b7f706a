"""One run of the real loop over the real ledger and a simulated provider, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from runner.attempts.events import Account
from runner.attempts.history import History
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunEvent, RunResult
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.planning.plan import Plan
from tests.builders.engine_batches import PAID
from tests.builders.ledgers import LedgerHome

from . import virtual
from .provider import Simulated


@dataclass(slots=True)
class EngineHarness:
    """A ledger and a provider, for several runs after one another."""

    ledgers: LedgerHome
    provider: Simulated
    plan: Callable[[History], Plan]
    account: Account = PAID
    emitted: list[RunEvent] = field(default_factory=list)
    runs: int = 0
    clock: virtual.VirtualClock = field(default_factory=virtual.VirtualClock)

    async def run(self, stop_request: StopRequest | None = None, **limits: Any) -> RunResult:
        """One more run: opens the ledger, plans, makes, closes."""
        self.runs += 1
        bounds = RunLimits(f"run{self.runs}", **limits)
        ledger = self.ledgers.open(self.clock)
        try:
            history = ledger.history(self.account, "repo")
            ledger.start_run(self.account, "repo", bounds)
            return await run_loop(
                PlannedWork(self.plan(history), history, self.plan),
                RunPorts(self.provider, ledger, self.clock, self.emitted.append, virtual.inline),
                bounds,
                stop_request or StopRequest(),
            )
        finally:
            ledger.close()

    def history(self) -> History:
        ledger = self.ledgers.open(self.clock)
        try:
            return ledger.history(self.account, "repo")
        finally:
            ledger.close()

    def events(self) -> list[str]:
        return [event.event for event in self.emitted]


def run_engine(engine: EngineHarness, count: int = 1, gap: float = 0.0, **limits: Any) -> list[RunResult]:
    """`count` runs after one another, `gap` seconds apart."""

    async def main() -> list[RunResult]:
        outcomes = []
        for _ in range(count):
            outcomes.append(await engine.run(**limits))
            await anyio.sleep(gap)
        return outcomes

    return virtual.run(main)
