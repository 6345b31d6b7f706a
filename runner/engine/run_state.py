"""What is in flight in this process, and what this run has learned on the way."""

from typing import NamedTuple

from runner.engine.run_events import Halt
from runner.engine.throttle import Pace
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import Material

Key = tuple[str, str, int]
"""(storyboard, shot, take)."""


class Need(NamedTuple):
    """A material that wants a public address; `source` is the attempt whose clip it is taken from."""

    material: Material
    source: str | None


@dataclass(slots=True)
class Look:
    """What is known of looking at one attempt's task; moments are monotonic seconds."""

    born: float
    """When the task was created, as far as known."""
    since: float
    """Since when this run waits for it."""
    next_at: float
    alive: float = 0.0
    """Seconds after its creation at which a look last found it running; 0 before the first such look."""
    missing_since: float | None = None
    silent: int = 0
    """Looks in a row that brought nothing new to know."""
    hinted: bool = False
    """A webhook spoke of the task since the last look began."""


@dataclass(slots=True)
class Fetch:
    """Tries to store one clip; `fresh` says that its link comes from a look of this run."""

    tries: int = 0
    next_at: float = 0.0
    given_up: bool = False


@dataclass(slots=True)
class Told:
    """What a webhook on an attempt's own path said while its answer was missing."""

    task_id: str
    next_at: float
    tries: int = 0


@dataclass(slots=True)
class Running:
    """What is in flight in this process, and what this run has learned on the way."""

    pace: Pace
    consented: frozenset[Key] = frozenset()
    """The takes that the shown plan orders: no other is created, whatever a later plan says."""
    creating: set[str] = field(default_factory=set)
    """Fingerprints."""
    looking: set[str] = field(default_factory=set)
    storing: set[tuple[str, Key]] = field(default_factory=set)
    publishing: set[Need] = field(default_factory=set)
    addresses: dict[Need, str] = field(default_factory=dict)
    publish_tries: dict[Need, Fetch] = field(default_factory=dict)
    lost: dict[Need, str] = field(default_factory=dict)
    """Materials that cannot be published, each with the reason."""
    stored: set[tuple[str, Key]] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    """Fingerprints whose takes all have their clips: nothing is decided over them any more."""
    looks: dict[str, Look] = field(default_factory=dict)
    fetches: dict[tuple[str, Key], Fetch] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    """Attempts whose links come from a look of this run, and did not fail since."""
    doubts: dict[str, float] = field(default_factory=dict)
    """Unsettled attempts, and until when each may hold a slot."""
    pauses: dict[str, float] = field(default_factory=dict)
    """Fingerprints that are tried again, and not before when."""
    taken: dict[str, str] = field(default_factory=dict)
    """Fingerprints that another run has tried meanwhile, each with words."""
    listening: bool = False
    """Webhooks can arrive: doubt of this run is waited with for as long as its task can live."""
    told: dict[str, Told] = field(default_factory=dict)
    """Attempts without an answer, and the task that a webhook named for each."""
    hinted: set[str] = field(default_factory=set)
    """Attempts that a webhook spoke of while they ran."""
    ended_looks: int = 0
    """Tasks of which a look found that they succeeded."""
    closed: dict[str, str] = field(default_factory=dict)
    """Models that the account may not use, each with the provider's words."""
    halt: Halt | None = None
    stopping: bool = False
    deaf: bool = False
    """The key was refused by a look: no more looks."""

    @property
    def busy(self) -> bool:
        return bool(self.creating or self.looking or self.storing or self.publishing)
