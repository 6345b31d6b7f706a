"""What a run may do: ceilings, cap, retries and patience, as one value for the schedule and the ledger."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from runner.lazy_dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Budget:
    """A storyboard's budget in credits for this account, over all its runs."""

    credits: Decimal
    fingerprints: frozenset[str]
    """Fingerprints that count: its current takes and retakes; what was superseded does not."""
    manifest_credits: Decimal = Decimal(0)
    """What manifests know of these takes and this ledger does not."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of one run; seconds unless said."""

    run: str
    """Its id; it holds the lock of that name while it lives (`records.locks`)."""
    concurrency: int = 3
    """Tasks in progress at most, over all runs of this machine that use the account."""
    task_life: float = 900
    """How long a task can live: for so long an unsettled attempt keeps its slot."""
    retries_provider: int = 2
    retries_review: int = 0
    server_error: Literal["retry", "settle"] = "retry"
    wait: float = 1800
    """How long a task, or the lack of a slot, is waited for."""
    fail_fast: bool = False
    no_wait: bool = False
    """Create what fits under the cap, and leave; the next run collects."""
    requests_per_second: float = 5
    max_credits: Decimal | None = None
    """Ceiling of this run: everything that it orders, retries and doubt included."""
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By the storyboard's path."""
    credits_per_day: Decimal | None = None
    """Ceiling of the account over the last 24 hours."""
    expected: float | None = None
    """Seconds that a task takes where nothing was learned yet; None is 150 (2 at a free account)."""
