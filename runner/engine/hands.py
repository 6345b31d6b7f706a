"""What the loop cannot do itself: the door to the provider, the ledger and the clips, as it needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from runner.history import Attempt, CreateAnswer, Event, Intended, LookAnswer, Stored, Vanished
from runner.plan import Step
from runner.request import Material, Plain


@dataclass(frozen=True, slots=True)
class NotYet:
    """A download or an upload that did not work this time; it is tried again and never paid again."""

    words: str
    final: bool = False
    """True when trying again in this run is no use (a changed asset, a full disk)."""


@dataclass(frozen=True, slots=True)
class Over:
    """A ceiling that an intent would have broken; nothing was written."""

    ceiling: str
    """Which one: `--max-credits`, `budget`, `credits_per_day`."""
    limit: Decimal
    would_be: Decimal


@dataclass(frozen=True, slots=True)
class Taken:
    """Another attempt of the same take is open, or the account's cap is full over all runs of this machine."""

    words: str


class Provider(Protocol):
    """Never raises for what the network or the provider does: every outcome is an answer."""

    async def create(self, body: Mapping[str, Plain], receipt: str, sending: Callable[[], None]) -> CreateAnswer:
        """One createTask on a fresh connection; `sending` is called after connect and TLS, before the first byte.

        If `sending` raises, nothing is sent and the exception comes back to the caller.
        """

    async def look(self, task_id: str) -> LookAnswer:
        """One recordInfo; what failed or makes no sense is `Running(heard=False)`."""

    async def publish(self, material: Material, step: Step) -> str | NotYet:
        """The public address of a material; a remote one has it already."""

    async def store(self, attempt: Attempt, step: Step) -> Stored | Vanished | NotYet:
        """Downloads the clip of a task that succeeded, verifies it, and puts it under its final name."""


class Ledger(Protocol):
    """Durable on return, in every method."""

    def intend(self, attempt: str, intended: Intended) -> Event | Over | Taken:
        """The intent, with ceilings and cap counted in the same transaction."""

    def append(self, event: Event) -> None:
        """One more row; for `Created` the line in the receipts file comes first."""
