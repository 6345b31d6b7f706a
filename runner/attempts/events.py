"""What can happen to an attempt: what was intended, what the provider answered, what only we know. Values."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from runner.lazy_dataclass import dataclass
from runner.requests.request import JsonValue

FailureClass = Literal["moderation", "face", "review", "provider", "other"]
SettlementVerdict = Literal["adopted", "not-charged", "charged", "undone"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose credits: the provider's name and its host; a new key never makes a paid take unmade."""

    provider: str
    host: str
    free: bool = False


@dataclass(frozen=True, slots=True)
class Clip:
    """A whole clip under its final name; the path is from the repository's top."""

    path: str
    sha256: str
    bytes: int
    width: int
    height: int
    seconds: float
    repository: str | None = None
    """The top folder of another repository that it lies in; None for this one."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Committed before the request leaves: everything that is known of it by then."""

    storyboard: str
    shot: str
    take: int
    fingerprint: str
    request: Mapping[str, JsonValue]
    """The neutral form."""
    body: str
    """The request's body as canonical JSON; the client adds `callBackUrl`, and may order the keys otherwise."""
    quoted: Decimal
    edition: str
    key_id: str
    webhook_token: str
    """Unguessable token of this attempt's own webhook path."""
    run: str
    """The run that wrote it; it holds the lock of its outputs while it lives."""
    profile: str | None = None
    """The profile it was made with; each has its own output, and its own history of names."""
    scene: str | None = None
    tags: tuple[str, ...] = ()


# -- answers of the provider: what `edition` reads from status, headers and body --------------------------


@dataclass(frozen=True, slots=True)
class Created:
    task_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proved: not one byte of the request left; `final` means that trying again is no use (a certificate)."""

    message: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Documented as not created, not charged; `stop` when the rest would meet the same (wrong host, firewall)."""

    status: int
    message: str
    errors: tuple[tuple[str, str], ...] = ()
    """The vendor's `errors[]`: path in the body, words."""
    stop: bool = False


@dataclass(frozen=True, slots=True)
class KeyRefused:
    message: str


@dataclass(frozen=True, slots=True)
class NoCredits:
    message: str
    required: Decimal | None = None
    available: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ConcurrencyLimited:
    """429: not created; all slots of the account are taken."""

    message: str
    limit: int | None = None
    current: int | None = None
    retry_after: float | None = None
    """Seconds, as the server asked, at most 300."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """500 with the API's own JSON: documented as "retry later", counted as if it had been charged."""

    message: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Nobody knows whether it was created: unsettled."""

    message: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes = b""
    stop: bool = False
    """A redirect: the rest would meet the same."""


@dataclass(frozen=True, slots=True)
class Running:
    """Also what any poll that failed or made no sense means: ask again later."""

    status: str
    """`waiting` or `generating`, else the raw word."""
    message: str = ""
    answered: bool = True
    """False when the poll itself failed; nothing new is known."""
    not_found: bool = False
    """404: the record is not there (yet, or any more)."""
    key_refused: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    url: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    outputs: tuple[Output, ...]
    credits_used: Decimal | None = None
    created_ms: int | None = None
    completed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    kind: FailureClass
    message: str
    code: str = ""
    credits_used: Decimal | None = None
    created_ms: int | None = None
    completed_ms: int | None = None


CreateResult = Created | NotSent | Refused | KeyRefused | NoCredits | ConcurrencyLimited | ServerError | OutcomeUnknown
PollResult = Running | Succeeded | Failed
Answer = CreateResult | PollResult


# -- what only we know ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendStarted:
    """The durable mark after connect and TLS, before the first byte; what died before it was never sent."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The record, or the media of a paid clip, are gone for good."""

    message: str


@dataclass(frozen=True, slots=True)
class Stored:
    clip: Clip
    notes: tuple[str, ...] = ()
    """What differs from what was ordered: shape, length."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The user's word about an unsettled attempt, or a receipt that the provider confirmed."""

    verdict: SettlementVerdict
    task_id: str | None = None
    message: str = ""


Payload = Intent | SendStarted | Answer | Lost | Stored | Settled


@dataclass(frozen=True, slots=True)
class Event:
    """One appended row."""

    at: datetime
    attempt: str
    payload: Payload
