"""What a run tells while it works, and how it ended: values for the live view and for `run --json`."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

from runner.attempts.history import Attempt
from runner.diagnostics.problem import ExitCode, most_severe
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan, Step

Kind = Literal["plan", "created", "running", "succeeded", "stored", "failed", "refused", "unsettled", "warning", "done"]


@dataclass(frozen=True, slots=True)
class CreditTotals:
    """Credits of this run so far; `perhaps` is what nobody knows, `to_go` what is still to be ordered."""

    billed: Decimal = Decimal(0)
    running: Decimal = Decimal(0)
    maybe_charged: Decimal = Decimal(0)
    to_go: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why no further task is created: the exit code that it gives, and words with the way out."""

    code: ExitCode
    message: str


@dataclass(frozen=True, slots=True)
class TakeResult:
    """One take at the end of a run, with the attempt that says so."""

    step: Step
    attempt: Attempt | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended. Every take of the plan that was not kept stands in exactly one of the tuples."""

    plan: Plan
    finished: tuple[TakeResult, ...] = ()
    """Stored by this run, each with its clip."""
    failed: tuple[TakeResult, ...] = ()
    refused: tuple[TakeResult, ...] = ()
    unsettled: tuple[TakeResult, ...] = ()
    gone: tuple[TakeResult, ...] = ()
    blocked: tuple[TakeResult, ...] = ()
    waiting: tuple[TakeResult, ...] = ()
    """For a pick, for a slot, for a task that still runs, for a clip that could not be fetched yet."""
    not_started: tuple[TakeResult, ...] = ()
    """Not made because creating stopped."""
    maybe_charged: tuple[TakeResult, ...] = ()
    """Answered by a documented 500 and tried again: beside the other tuples, one entry for each such attempt."""
    orphans: tuple[Attempt, ...] = ()
    """Paid tasks of takes that the storyboards do not ask for now, whose clips are still to be brought home."""
    unsettled_orphans: tuple[Attempt, ...] = ()
    """Attempts of such takes that nobody knows the outcome of."""
    stop_reason: StopReason | None = None
    interrupted: bool = False
    money: CreditTotals = CreditTotals()

    @property
    def exit_code(self) -> ExitCode:
        """The foremost of all that hold."""
        return most_severe(self._codes())

    def _codes(self) -> Iterator[ExitCode]:
        if self.interrupted:
            yield ExitCode.INTERRUPTED
        if self.stop_reason is not None:
            yield self.stop_reason.code
        if self.unsettled or self.unsettled_orphans:
            yield ExitCode.UNSETTLED
        if self.failed or self.refused or self.blocked or self.gone:
            yield ExitCode.FAILED
        if self.waiting or self.not_started or self.orphans:
            yield ExitCode.WAITING


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that happened.

    `plan` (first, and again when a pick or a first take changed it) carries `plan`; `done` (last) carries `outcome`;
    `warning` carries `words` and perhaps a step; all others carry `step` and `attempt` as it stands after it.
    `created`: the task has its id. `running`: the provider's status changed (`attempt.status`). `stored`: the clip
    is there (`attempt.clip`). `failed`, `refused`, `unsettled`: `attempt.words` are the vendor's own, raw; `again`
    says that this run tries once more by itself.
    """

    event: Kind
    at: datetime
    step: Step | None = None
    attempt: Attempt | None = None
    message: str = ""
    will_retry: bool = False
    expected: float | None = None
    """Seconds from creation to end that a task of this class probably takes."""
    money: CreditTotals = CreditTotals()
    plan: Plan | None = None
    outcome: RunResult | None = None
