"""Events of an attempt, as values: the intent, the provider's answers, and local events."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from runner.attempts.film import FilmName
from runner.lazy_dataclass import dataclass
from runner.requests.request import JsonValue

FailureClass = Literal["moderation", "face", "review", "provider", "other"]
SettlementVerdict = Literal["adopted", "not-charged", "charged", "undone"]
MAX_CREDITS = 10**12
"""The highest bill that is a number: what the provider's record may say, the ledger and every manifest can hold."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that pays: the provider's name and host. Not the key: a new key keeps all paid takes."""

    provider: str
    host: str
    free: bool = False


@dataclass(frozen=True, slots=True)
class Clip:
    """An intact clip under its final name; the path is relative to the repository."""

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
    """The intent to create a task, committed before the request is sent, with all data of the request."""

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
    """The run that wrote the intent; its process holds the lock of that name while it lives."""
    profile: str | None = None
    """The profile of the run; each profile has its own output, and its own history of names."""
    scene: str | None = None
    tags: tuple[str, ...] = ()
    drawing: int | None = None
    """The version of the drawing that makes a free clip; None at a paid account, and before versions were recorded."""
    saved_plan: str | None = None
    """The id of the saved plan that the run carried out."""

    @property
    def film(self) -> FilmName:
        return FilmName(self.storyboard, self.profile)


# -- answers of the provider: parsed from status, headers and body ----------------------------------------


@dataclass(frozen=True, slots=True)
class Created:
    """A task was created, with this id."""

    task_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proof that not one byte of the request was sent."""

    message: str
    final: bool = False
    """Whether another try is useless (a certificate)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal documented as not created and not charged."""

    status: int
    message: str
    errors: tuple[tuple[str, str], ...] = ()
    """The vendor's `errors[]`: path in the body, message."""
    stop: bool = False
    """Whether all further requests would be refused as well (wrong host, firewall)."""


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """401: the key is not valid; not created."""

    message: str


@dataclass(frozen=True, slots=True)
class NoCredits:
    """402: the account has too few credits; not created."""

    message: str
    required: Decimal | None = None
    available: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ConcurrencyLimited:
    """429: all slots of the account are taken; not created."""

    message: str
    limit: int | None = None
    current: int | None = None
    retry_after: float | None = None
    """Seconds that the server asks to wait, at most 300."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """500 with the API's own JSON: documented as "retry later", counted as charged until settled."""

    message: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """An answer, or none, that leaves open whether a task was created: the attempt is unsettled."""

    message: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    # Kept whole: what no page documents is all that is known of a possible charge.
    raw: bytes = b""
    stop: bool = False
    """Whether all further requests would get the same answer (a redirect)."""


@dataclass(frozen=True, slots=True)
class Running:
    """The task has not ended, or the poll failed or made no sense: poll again later."""

    status: str
    """`waiting` or `generating`, else the provider's raw status."""
    message: str = ""
    answered: bool = True
    """False when the poll itself failed: nothing is learned of the task."""
    not_found: bool = False
    """404: the record does not exist (yet, or any more)."""
    key_refused: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One output file of a succeeded task."""

    url: str
    width: int | None = None
    height: int | None = None
    last_frame: str | None = None
    """Link to a picture that the provider calls the clip's last frame; whether it is exact, only a look can tell."""
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task has ended with a clip."""

    outputs: tuple[Output, ...]
    credits_used: Decimal | None = None
    created_ms: int | None = None
    completed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task has ended without a clip."""

    kind: FailureClass
    message: str
    code: str = ""
    credits_used: Decimal | None = None
    created_ms: int | None = None
    completed_ms: int | None = None


CreateResult = Created | NotSent | Refused | KeyRefused | NoCredits | ConcurrencyLimited | ServerError | OutcomeUnknown
PollResult = Running | Succeeded | Failed
Answer = CreateResult | PollResult


# -- local events -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendStarted:
    """The send mark: durable after connect and TLS, before the first byte. Without it, nothing was sent."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The task's record, or the media of a paid clip, no longer exist at the provider."""

    message: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The clip was downloaded, verified and stored."""

    clip: Clip
    notes: tuple[str, ...] = ()
    """Differences from the order: shape, length."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A paid clip came and fails a check of ours: kept beside the final name until the user accepts it."""

    clip: Clip
    doubt: str
    """What the check found; follows "the clip": "is damaged: its video has 1.00 seconds instead of 3.00"."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The settlement of an unsettled attempt: the user's decision, or a webhook that the provider confirmed."""

    verdict: SettlementVerdict
    task_id: str | None = None
    message: str = ""


Payload = Intent | SendStarted | Answer | Lost | Stored | Doubtful | Settled


@dataclass(frozen=True, slots=True)
class Event:
    """One appended row."""

    at: datetime
    attempt: str
    payload: Payload
