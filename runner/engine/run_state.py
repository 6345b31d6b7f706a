"""Mutable state of a run: orders in flight, retries, claims and results learned so far."""

from typing import NamedTuple

from runner.engine.run_events import StopReason
from runner.engine.throttle import CreateThrottle
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import Material

TakeKey = tuple[str, str, int]
"""(storyboard, shot, take)."""


class MaterialNeed(NamedTuple):
    """A material that needs a public address; `source` is the id of the attempt whose clip it comes from."""

    material: Material
    source: str | None


@dataclass(slots=True)
class PollState:
    """Polling of one attempt's task; moments are monotonic seconds."""

    created_at: float
    """When the task was created; estimated from the ledger for tasks of earlier runs."""
    waiting_since: float
    """When this run began to wait for the task."""
    next_at: float
    age_when_seen: float = 0.0
    """Age of the task at the last poll that found it running; 0 before the first such poll."""
    missing_since: float | None = None
    """Since when polls find no record, or a success without a clip."""
    answered: bool = False
    """Whether a poll of this run has come back, whatever its answer."""
    failed_polls: int = 0
    """Polls in a row without a usable answer."""
    hinted: bool = False
    """Whether a webhook named the task after the last poll began."""


class PublicAddress(NamedTuple):
    """A material's address, and the moment (monotonic seconds) until which tasks may be created with it."""

    address: str
    until: float = float("inf")


@dataclass(slots=True)
class DownloadState:
    """Tries to store one clip, or to publish one material."""

    tries: int = 0
    next_at: float = 0.0
    given_up: bool = False


@dataclass(slots=True)
class WebhookClaim:
    """A task that a webhook named for an attempt whose createTask answer was lost."""

    next_at: float
    """When to poll the task next; infinite once its record was found not to match."""
    tries: int = 0


@dataclass(slots=True)
class RunState:
    """Mutable state of a run: orders in flight, retries, claims and results learned so far."""

    throttle: CreateThrottle
    approved: frozenset[TakeKey] = frozenset()
    """Takes that the approved plan orders: no other take is created, whatever a later plan orders."""
    creating: set[str] = field(default_factory=set)
    """Fingerprints."""
    open_bills: dict[str, float] = field(default_factory=dict)
    """Attempts whose bill may still grow, and the moment of its next reading."""
    reading_bills: set[str] = field(default_factory=set)
    polling: set[str] = field(default_factory=set)
    """Attempt ids."""
    storing: set[tuple[str, TakeKey]] = field(default_factory=set)
    publishing: set[MaterialNeed] = field(default_factory=set)
    addresses: dict[MaterialNeed, PublicAddress] = field(default_factory=dict)
    publish_tries: dict[MaterialNeed, DownloadState] = field(default_factory=dict)
    unpublishable: dict[MaterialNeed, str] = field(default_factory=dict)
    """Materials that cannot be published, each with the reason."""
    stored: set[tuple[str, TakeKey]] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    """Fingerprints whose takes all have their clips: the scheduler skips them."""
    polls: dict[str, PollState] = field(default_factory=dict)
    downloads: dict[tuple[str, TakeKey], DownloadState] = field(default_factory=dict)
    fresh_links: set[str] = field(default_factory=set)
    """Attempts whose links come from a poll of this run, and have not failed since."""
    unsettled_until: dict[str, float] = field(default_factory=dict)
    """Unsettled attempts, and the moment until which each holds a slot."""
    retry_at: dict[str, float] = field(default_factory=dict)
    """Fingerprints to try again, and the earliest moment for each."""
    claimed_elsewhere: dict[str, str] = field(default_factory=dict)
    """Fingerprints that another run has tried meanwhile, each with a message."""
    webhooks_active: bool = False
    """Whether webhooks can arrive: an unsettled attempt is then waited for as long as its task can live."""
    webhook_claims: dict[str, dict[str, WebhookClaim]] = field(default_factory=dict)
    """By attempt without an answer: the last few tasks that webhooks named, by task id; the newest is last."""
    webhook_hinted: set[str] = field(default_factory=set)
    """Running attempts whose end a webhook reported."""
    succeeded_tasks: int = 0
    """How many tasks succeeded in this run: the sample for the share of ends that webhooks report."""
    forbidden_models: dict[str, str] = field(default_factory=dict)
    """Models that the account may not use, each with the provider's message."""
    stop_reason: StopReason | None = None
    stopping: bool = False
    key_id: str = ""
    """The key of this run; empty at a free account, where every key is as good."""
    looking: bool = False
    """Whether the ledger is being asked how far other repositories' runs are."""
    told_to_wait: set[TakeKey] = field(default_factory=set)
    """Takes of which it was said that another repository's run makes them."""
    look_at: float = 0.0
    """When to ask it next."""
    look_until: float = float("inf")
    """Until when this run waits for those of other repositories."""
    polling_stopped: bool = False
    """Whether a poll was answered with a refused key: no more polls."""

    @property
    def busy(self) -> bool:
        """Whether any order is in flight."""
        in_flight = self.creating or self.polling or self.storing or self.publishing or self.reading_bills
        return bool(in_flight) or self.looking
