"""Events of a run and its result: values for the live view and for `run --json`."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from runner.attempts.attempt import Attempt
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import ExitCode, most_severe
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan, Step
from runner.planning.reason import ReasonCode
from runner.requests.request import Material

Kind = Literal[
    "plan", "created", "running", "succeeded", "stored", "failed", "refused", "unsettled", "waiting", "warning", "done"
]
Topic = Literal["slots", "network", "server", "poll", "download", "publish", "webhook", "unsettled"]
"""What a run waits for; of each topic and take the latest wait counts."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of a run, or of one take: what it waits for, and until when."""

    topic: Topic
    until: datetime
    text: str


@dataclass(frozen=True, slots=True)
class CreditTotals:
    """Credits of what this run ordered so far, and of what it has still to order."""

    ordered: CreditSums = CreditSums()
    to_go: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class StopReason:
    """The reason why no further task is created: the exit code, and a message with the way out."""

    code: ExitCode
    message: str


class Sending(NamedTuple):
    """Progress of the storyboards' files on their way to the provider."""

    done: int
    whole: int
    sent: int
    """Bytes that left this machine so far."""
    in_flight: int


@dataclass(frozen=True, slots=True)
class TakeResult:
    """One take at the end of a run, with its current attempt."""

    step: Step
    attempt: Attempt | None = None
    message: str = ""
    code: ReasonCode | None = None
    """Why it was not ordered, where no attempt tells it: its material cannot be fetched."""
    material: Material | None = None
    """The material that could not be published: nothing was ordered."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run: every take of the plan is in exactly one of the tuples, but kept takes are in none."""

    plan: Plan
    finished: tuple[TakeResult, ...] = ()
    """Takes whose clips this run stored."""
    failed: tuple[TakeResult, ...] = ()
    refused: tuple[TakeResult, ...] = ()
    unsettled: tuple[TakeResult, ...] = ()
    doubtful: tuple[TakeResult, ...] = ()
    """Paid, and the clip fails a check of ours: kept beside until the user accepts it."""
    gone: tuple[TakeResult, ...] = ()
    blocked: tuple[TakeResult, ...] = ()
    waiting: tuple[TakeResult, ...] = ()
    """Takes that wait for a pick, a slot, a running task, or a clip that could not be fetched yet."""
    not_started: tuple[TakeResult, ...] = ()
    """Takes not ordered because creating stopped."""
    maybe_charged: tuple[TakeResult, ...] = ()
    """Attempts answered by a documented 500 and tried again: in addition to the other tuples, one entry an attempt."""
    orphans: tuple[Attempt, ...] = ()
    """Paid attempts that no take of the storyboards needs now, whose clips are still to be downloaded."""
    unsettled_orphans: tuple[Attempt, ...] = ()
    """Attempts that no take needs now, and whose outcome is unknown."""
    open_bills: tuple[Attempt, ...] = ()
    """Succeeded attempts whose bill may still grow to their quote."""
    stop_reason: StopReason | None = None
    interrupted: bool = False
    slots_held_until: datetime | None = None
    """The moment when the first slot is free again, if unsettled attempts hold all of them and takes wait for one."""
    money: CreditTotals = CreditTotals()
    sums: CreditSums = CreditSums()
    """Credits of everything that was ordered for these storyboards, by this run and by earlier ones."""
    code_of_command: ExitCode = ExitCode.OK
    """The exit code of what the command did besides: the first takes of a canary, a question that was declined."""

    @property
    def exit_code(self) -> ExitCode:
        """The most severe code of all that apply."""
        return most_severe(self._codes())

    def _codes(self) -> Iterator[ExitCode]:
        yield self.code_of_command
        if self.interrupted:
            yield ExitCode.INTERRUPTED
        if self.stop_reason is not None:
            yield self.stop_reason.code
        if self.unsettled or self.unsettled_orphans:
            yield ExitCode.UNSETTLED
        if self.failed or self.refused or self.blocked or self.doubtful or self.gone:
            yield ExitCode.FAILED
        if self.waiting or self.not_started or self.orphans:
            yield ExitCode.WAITING


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event of a run.

    `plan` (first, and again when a pick or a first take changed the plan) carries `plan`; `done` (last) carries
    `outcome`; `warning` carries `message` and perhaps a step; `waiting`, for the live view alone,
    carries `wait`; the others carry `step` and the `attempt` as changed.
    `created`: the task has its id. `running`: the provider's status changed (`attempt.status`). `stored`: the clip
    exists (`attempt.clip`). `failed`, `refused`, `unsettled`: `attempt.message` is the vendor's own, raw.
    """

    event: Kind
    at: datetime
    step: Step | None = None
    attempt: Attempt | None = None
    message: str = ""
    will_retry: bool = False
    """Whether this run tries the take once more by itself."""
    expected: float | None = None
    """Seconds from creation to end that a task of this class probably takes."""
    money: CreditTotals = CreditTotals()
    next_try_at: datetime | None = None
    """When the next task may be created, while the run pauses after a 429 or a request that could not be sent."""
    wait: Pause | None = None
    """The pause that begins with this event."""
    sending: Sending | None = None
    """The state of the uploads, with a `waiting`."""
    plan: Plan | None = None
    outcome: RunResult | None = None
