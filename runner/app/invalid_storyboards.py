"""The refusal of storyboards with errors: the problems, which are shown before its message."""

from pathlib import Path

from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode, Problems


class InvalidStoryboardsError(CommandError):
    """Storyboards with errors, with which a command cannot go on.

    `problems` has the errors and warnings, `root` the repository's top; `consequence` ends the message.
    """

    def __init__(self, problems: Problems, root: Path, consequence: str) -> None:
        super().__init__(ExitCode.INVALID, f"{count(len(problems.errors), 'error')} to mend first; {consequence}")
        self.problems = problems
        self.root = root
