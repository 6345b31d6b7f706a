"""What is in flight in this process, and what this run has learned on the way."""

from typing import NamedTuple

from runner.engine.run_events import StopReason
from runner.engine.throttle import CreateThrottle
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import Material

TakeKey = tuple[str, str, int]
"""(storyboard, shot, take)."""


class MaterialNeed(NamedTuple):
    """A material that wants a public address; `source` is the attempt whose clip it is taken from."""

    material: Material
    source: str | None


@dataclass(slots=True)
class PollState:
    """What is known of looking at one attempt's task; moments are monotonic seconds."""

    created_at: float
    """When the task was created, as far as known."""
    waiting_since: float
    """Since when this run waits for it."""
    next_at: float
    age_when_seen: float = 0.0
    """Seconds after its creation at which a look last found it running; 0 before the first such look."""
    missing_since: float | None = None
    failed_polls: int = 0
    """Looks in a row that brought nothing new to know."""
    hinted: bool = False
    """A webhook spoke of the task since the last look began."""


@dataclass(slots=True)
class DownloadState:
    """Tries to store one clip; `fresh` says that its link comes from a look of this run."""

    tries: int = 0
    next_at: float = 0.0
    given_up: bool = False


@dataclass(slots=True)
class WebhookClaim:
    """What a webhook on an attempt's own path said while its answer was missing."""

    task_id: str
    next_at: float
    tries: int = 0


@dataclass(slots=True)
class RunState:
    """What is in flight in this process, and what this run has learned on the way."""

    throttle: CreateThrottle
    approved: frozenset[TakeKey] = frozenset()
    """The takes that the shown plan orders: no other is created, whatever a later plan says."""
    creating: set[str] = field(default_factory=set)
    """Fingerprints."""
    polling: set[str] = field(default_factory=set)
    storing: set[tuple[str, TakeKey]] = field(default_factory=set)
    publishing: set[MaterialNeed] = field(default_factory=set)
    addresses: dict[MaterialNeed, str] = field(default_factory=dict)
    publish_tries: dict[MaterialNeed, DownloadState] = field(default_factory=dict)
    unpublishable: dict[MaterialNeed, str] = field(default_factory=dict)
    """Materials that cannot be published, each with the reason."""
    stored: set[tuple[str, TakeKey]] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    """Fingerprints whose takes all have their clips: nothing is decided over them any more."""
    polls: dict[str, PollState] = field(default_factory=dict)
    downloads: dict[tuple[str, TakeKey], DownloadState] = field(default_factory=dict)
    fresh_links: set[str] = field(default_factory=set)
    """Attempts whose links come from a look of this run, and did not fail since."""
    unsettled_until: dict[str, float] = field(default_factory=dict)
    """Unsettled attempts, and until when each may hold a slot."""
    retry_at: dict[str, float] = field(default_factory=dict)
    """Fingerprints that are tried again, and not before when."""
    claimed_elsewhere: dict[str, str] = field(default_factory=dict)
    """Fingerprints that another run has tried meanwhile, each with words."""
    webhooks_active: bool = False
    """Webhooks can arrive: doubt of this run is waited with for as long as its task can live."""
    webhook_claims: dict[str, WebhookClaim] = field(default_factory=dict)
    """Attempts without an answer, and the task that a webhook named for each."""
    webhook_hinted: set[str] = field(default_factory=set)
    """Attempts that a webhook spoke of while they ran."""
    succeeded_tasks: int = 0
    """Tasks of which a look found that they succeeded."""
    forbidden_models: dict[str, str] = field(default_factory=dict)
    """Models that the account may not use, each with the provider's words."""
    stop_reason: StopReason | None = None
    stopping: bool = False
    polling_stopped: bool = False
    """The key was refused by a look: no more looks."""

    @property
    def busy(self) -> bool:
        return bool(self.creating or self.polling or self.storing or self.publishing)
