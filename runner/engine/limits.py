"""Limits of a run: credits, concurrency, retries and waiting time, as one value for the scheduler and the ledger."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from runner.lazy_dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Budget:
    """A storyboard's budget in credits for this account, over all its runs."""

    credits: Decimal
    fingerprints: frozenset[str]
    """Fingerprints that count: the storyboard's current takes and retakes; orphans do not count."""
    manifest_credits: Decimal = Decimal(0)
    """Credits of these takes that only manifests record, and this ledger does not."""


@dataclass(frozen=True, slots=True)
class PlanCeiling:
    """The ceiling of a saved plan, over all the runs that carry it out."""

    id: str
    credits: Decimal


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of one run; durations are in seconds."""

    run: str
    """The run's id; the process holds the lock of that name while it lives (`store.locks`)."""
    concurrency: int = 3
    """Tasks in progress at most, over all runs of this machine that use the account."""
    task_life: float = 900
    """Longest life of a task of any model: in the ledger, an unsettled attempt holds its slot for this long."""
    retries_provider: int = 2
    retries_review: int = 0
    server_error: Literal["retry", "settle"] = "retry"
    wait: float = 1800
    """Longest wait for one task, and for a free slot."""
    fail_fast: bool = False
    no_wait: bool = False
    """Create as many tasks as concurrency allows, and exit; the next run collects them."""
    requests_per_second: float = 5
    max_credits: Decimal | None = None
    """Limit of this run: all its orders, including retries and unsettled attempts."""
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By the storyboard's path."""
    saved_plan: PlanCeiling | None = None
    """The saved plan that this run carries out."""
    credits_per_day: Decimal | None = None
    """Limit of the account over the last 24 hours."""
    expected: float | None = None
    """Expected seconds of a task before any has ended; None means 150 (2 at a free account)."""
