"""Ports of the engine: the provider and the ledger as the loop needs them, with the outcomes of their methods."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from decimal import Decimal
from typing import Protocol

from runner.attempts.attempt import Attempt
from runner.attempts.events import CreateResult, Doubtful, Event, Lost, PollResult, Stored
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Step
from runner.requests.request import JsonValue, Material, Request
from runner.requests.shot_text import NO_TEXT, ShotText


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """A download or an upload that failed; the transfer is tried again and never paid again."""

    message: str
    final: bool = False
    """Whether another try in this run is useless (a changed asset, a full disk)."""
    link_expired: bool = False
    """Whether a link fresh from the provider is refused (403, 404, 410): its media may be deleted."""
    unusable: bool = False
    """Whether a file came that is no complete video: reported at once, and downloaded again."""
    wait: float = 0.0
    """Seconds that the server asks to wait before another try."""


@dataclass(frozen=True, slots=True)
class Published:
    """The public address of a material."""

    address: str
    seconds: float | None = None
    """How long a task may still be created with the address; None for the whole run."""
    warning: str = ""
    """What the check of the address found, where it does not prove that the provider cannot fetch it."""
    sent: int = 0
    """Bytes that left this machine for it now."""


@dataclass(frozen=True, slots=True)
class LimitExceeded:
    """A spending limit that an intent would have exceeded; nothing was written."""

    ceiling: str
    """The name of the limit: `--max-credits`, `the saved plan`, `budget`, `credits_per_day`."""
    limit: Decimal
    would_be: Decimal


@dataclass(frozen=True, slots=True)
class AlreadyAttempted:
    """A conflict with an attempt that another run has made meanwhile; nothing was written."""

    message: str


@dataclass(frozen=True, slots=True)
class ConcurrencyFull:
    """All slots of the account are taken by runs of this machine, or it is another run's turn; nothing was written."""

    in_progress: int
    concurrency: int


class ProviderPort(Protocol):
    """The provider. No method raises for a fault of network or provider: every outcome is a value."""

    @property
    def key_id(self) -> str:
        """First 8 hexadecimal digits of the key's SHA-256."""

    def encode(
        self, request: Request, edition: Edition, address_of: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        """The body of one createTask; a material for which `address_of` returns None gets a placeholder."""

    async def preflight(self) -> CreateResult | None:
        """Poll a made-up id before the first paid request; None when host and key are right.

        Else the answer that createTask would get: `KeyRefused`, `Refused(stop=True)` (a redirect, a page), `NotSent`.
        """

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        """Send one createTask on a fresh connection, under a total deadline of its own.

        `shot_text` reaches only a provider that declares to read it.

        `before_send` is awaited after connect and TLS, before the first byte, and makes the send mark durable. If it
        raises, nothing is sent and the exception reaches the caller. `webhook_token` names the attempt's webhook path.
        """

    async def poll(self, attempt: Attempt) -> PollResult:
        """One recordInfo; a failed poll, or a record that makes no sense or is of another model than the attempt's, is
        `Running(answered=False)`.
        """

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        """The public address of a material, fetched once to check it; nothing is sent for one that has an address.

        `source` is the stored attempt (with its `clip`) of a `TakeReference`, None for other materials.
        """

    async def recheck(self, material: Material, address: str) -> TransferFailed | None:
        """One more fetch of a published address; the failure, after which `publish` sends the material again."""

    async def store(self, attempt: Attempt, step: Step | None) -> Stored | Doubtful | Lost | TransferFailed:
        """Download the clip of a succeeded task, verify it, and store it under the step's final name.

        Called once for each step that shares the attempt; an intact clip under another name is copied instead. The
        clip of an orphan, which has no step, is kept as an earlier version.
        """


class LedgerPort(Protocol):
    """The ledger. Every write is durable on return; all methods but `write_receipt` run in one worker thread."""

    def intend(self, event: Event, attempts_seen: int) -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
        """Write an intent, with spending limits and concurrency checked in the same transaction; None on success.

        `attempts_seen` is how many attempts of the take the caller has read from this ledger. If the ledger has
        more, another run has tried the take since, and nothing is written.
        """

    def write_receipt(self, event: Event) -> None:
        """Write the line of a `Created` to the receipts file; called from the event loop, so it has to be quick."""

    def append(self, event: Event) -> AlreadyAttempted | None:
        """Append one event; a `Created` gets its receipt first, unless it has one.

        `AlreadyAttempted`: the task id is bound to another attempt already, and nothing was written.
        """

    def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """Import an attempt from a manifest into this ledger, so that events can be appended to it.

        `AlreadyAttempted`: an attempt of the same take is open in this ledger, and nothing was written.
        """

    def attempts_of(self, fingerprints: Collection[str]) -> list[Attempt]:
        """All attempts of some requests as they stand now; open ones of runs that died meanwhile are closed first."""

    def check_not_moved(self) -> None:
        """Raise `LedgerUnusable` when the ledger file was moved, deleted or replaced since it was opened."""
