"""The outcome of a run, as a command shows it."""

from datetime import datetime

from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.show.screens.closing_context import ClosingContext


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The end of a run, with the values of its last screen."""

    exit_code: ExitCode
    plan: Plan
    result: RunResult
    ended_at: datetime
    was_followed: bool
    """Whether orders were carried out, each with its events; False where nothing was left to do."""
    closing: ClosingContext | None = None
    """None where no closing screen follows: for a program, and where every clip stood already."""
    next_command: str = ""
    """The command that orders the rest which `--canary` left; empty where nothing waits for it."""
