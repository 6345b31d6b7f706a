"""The outcome of a run, as a command shows it."""

from datetime import datetime

from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import RunEvent, RunResult
from runner.lazy_dataclass import dataclass, replace
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

    @property
    def last_event(self) -> RunEvent:
        """The event that tells a program of the command's end, where no event of a run has."""
        # A Ctrl-C at the question of `--canary` came after the run's own result.
        is_interrupted = self.result.interrupted or self.exit_code is ExitCode.INTERRUPTED
        result = replace(self.result, code_of_command=self.exit_code, interrupted=is_interrupted)
        return RunEvent("done", self.ended_at, plan=self.plan, outcome=result)
