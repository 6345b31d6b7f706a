"""What a run tells while it works, and how it ended: values for the live view and for `run --json`."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

from runner.attempts.history import Attempt
from runner.diagnostics.problem import ExitCode, foremost
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan, Step

Kind = Literal["plan", "created", "running", "succeeded", "stored", "failed", "refused", "unsettled", "warning", "done"]


@dataclass(frozen=True, slots=True)
class Money:
    """Credits of this run so far; `perhaps` is what nobody knows, `to_go` what is still to be ordered."""

    billed: Decimal = Decimal(0)
    running: Decimal = Decimal(0)
    perhaps: Decimal = Decimal(0)
    to_go: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why no further task is created: the exit code that it gives, and words with the way out."""

    code: ExitCode
    words: str


@dataclass(frozen=True, slots=True)
class Fate:
    """One take at the end of a run, with the attempt that says so."""

    step: Step
    attempt: Attempt | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. Every take of the plan that was not kept stands in exactly one of the tuples."""

    plan: Plan
    made: tuple[Fate, ...] = ()
    """Stored by this run, each with its clip."""
    failed: tuple[Fate, ...] = ()
    refused: tuple[Fate, ...] = ()
    unsettled: tuple[Fate, ...] = ()
    gone: tuple[Fate, ...] = ()
    blocked: tuple[Fate, ...] = ()
    waits: tuple[Fate, ...] = ()
    """For a pick, for a slot, for a task that still runs, for a clip that could not be fetched yet."""
    left: tuple[Fate, ...] = ()
    """Not made because creating stopped."""
    perhaps: tuple[Fate, ...] = ()
    """Answered by a documented 500 and tried again: beside the other tuples, one entry for each such attempt."""
    strays: tuple[Attempt, ...] = ()
    """Paid tasks of takes that the storyboards do not ask for now, whose clips are still to be brought home."""
    doubts: tuple[Attempt, ...] = ()
    """Attempts of such takes that nobody knows the outcome of."""
    halt: Halt | None = None
    interrupted: bool = False
    money: Money = Money()

    @property
    def exit_code(self) -> ExitCode:
        """The foremost of all that hold."""
        return foremost(self._codes())

    def _codes(self) -> Iterator[ExitCode]:
        if self.interrupted:
            yield ExitCode.INTERRUPTED
        if self.halt is not None:
            yield self.halt.code
        if self.unsettled or self.doubts:
            yield ExitCode.UNSETTLED
        if self.failed or self.refused or self.blocked or self.gone:
            yield ExitCode.FAILED
        if self.waits or self.left or self.strays:
            yield ExitCode.WAITING


@dataclass(frozen=True, slots=True)
class News:
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
    words: str = ""
    again: bool = False
    expected: float | None = None
    """Seconds from creation to end that a task of this class probably takes."""
    money: Money = Money()
    plan: Plan | None = None
    outcome: Outcome | None = None
