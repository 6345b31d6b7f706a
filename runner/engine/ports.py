"""What the loop cannot do itself: the door to the provider, the ledger and the clips, as it needs them."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Protocol

from runner.attempts.events import CreateResult, Event, Lost, PollResult, Stored
from runner.attempts.history import Attempt
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Step
from runner.requests.request import JsonValue, Material, Request


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """A download or an upload that did not work this time; it is tried again and never paid again."""

    message: str
    final: bool = False
    """True when trying again in this run is no use (a changed asset, a full disk)."""
    link_expired: bool = False
    """A link that the provider named just now is refused (403, 404, 410): its media may be deleted."""


@dataclass(frozen=True, slots=True)
class LimitExceeded:
    """A ceiling that an intent would have broken; nothing was written."""

    ceiling: str
    """Which one: `--max-credits`, `budget`, `credits_per_day`."""
    limit: Decimal
    would_be: Decimal


@dataclass(frozen=True, slots=True)
class AlreadyAttempted:
    """Another run has tried the same take meanwhile; nothing was written."""

    message: str


@dataclass(frozen=True, slots=True)
class ConcurrencyFull:
    """The account's cap is full over all runs of this machine, or it is another run's turn; nothing was written."""

    in_progress: int
    concurrency: int


class ProviderPort(Protocol):
    """Never raises for what the network or the provider does: every outcome is an answer."""

    @property
    def key_id(self) -> str:
        """First 8 hexadecimal digits of the key's SHA-256."""

    def encode(
        self, request: Request, edition: Edition, address_of: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        """The body of one createTask; where `address` has none for a material, a placeholder stands in it."""

    async def preflight(self) -> CreateResult | None:
        """recordInfo of a made-up id, once before the first paid request; None when all is well.

        Else what it means for creating: `KeyRefused`, `Refused(stop=True)` (a redirect, a page), `NotSent`.
        """

    async def create(
        self, body: Mapping[str, JsonValue], webhook_token: str, before_send: Callable[[], Awaitable[None]]
    ) -> CreateResult:
        """One createTask on a fresh connection, under a total deadline of its own.

        `sending` is awaited after connect and TLS, before the first byte: it makes the mark durable. If it raises,
        nothing is sent and the exception comes back to the caller. `receipt` is the attempt's own webhook path.
        """

    async def poll(self, task_id: str, model: str | None = None) -> PollResult:
        """One recordInfo; what failed, makes no sense, or is of another model is `Running(heard=False)`."""

    async def publish(self, material: Material, source: Attempt | None) -> str | TransferFailed:
        """The public address of a material; a remote one has it already.

        `source` is the stored attempt (with its `clip`) that a `FromTake` stands for, None for the others.
        """

    async def store(self, attempt: Attempt, step: Step) -> Stored | Lost | TransferFailed:
        """Downloads the clip of a task that succeeded, verifies it, and puts it under the step's final name.

        Called once for each step that shares the attempt; a clip that already lies elsewhere whole is copied.
        """


class LedgerPort(Protocol):
    """Durable on return, in every method; all but `receive` are called from a worker thread, one at a time."""

    def intend(self, event: Event, expected_attempts: int) -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
        """The intent, with ceilings and cap counted in the same transaction; None when it is written.

        `known` is how many attempts of this take the caller has from this ledger: more of them there mean that
        somebody else has tried it since, and nothing is written.
        """

    def write_receipt(self, event: Event) -> None:
        """The line in the receipts file for a `Created`; called from the loop itself, at once, and quick."""

    def append(self, event: Event) -> AlreadyAttempted | None:
        """One more row; for `Created` the receipt comes first, if it is not there yet.

        Taken: the task id is bound to another attempt already, and nothing was written.
        """

    def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """An attempt known from a manifest becomes a row of this ledger, so that more can be told of it.

        Taken: an attempt of the same take is open in this ledger; nothing was written.
        """

    def check_not_moved(self) -> None:
        """Stop when the ledger was moved, deleted or replaced since it was opened."""
