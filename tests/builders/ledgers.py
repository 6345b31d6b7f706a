"""The implementations of the ledger, which every test of money runs with: one line each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from runner.clock import Clock
from runner.store.ledger.ledger import Ledger

IMPLEMENTATIONS: dict[str, Callable[[Path, Clock], Ledger]] = {
    "sqlite": Ledger,
}


@dataclass(frozen=True)
class LedgerHome:
    """A place for a ledger of one implementation; each time it is opened, the ledger has what was written before."""

    folder: Path
    """The state folder, with receipts and locks."""
    implementation: str

    def open(self, clock: Clock) -> Ledger:
        return IMPLEMENTATIONS[self.implementation](self.folder, clock)

    def __truediv__(self, name: str) -> "LedgerHome":
        """Another place, for another ledger."""
        return replace(self, folder=self.folder / name)
