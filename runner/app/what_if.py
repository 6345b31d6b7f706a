"""The rows of `plan --what-if`: the storyboards compiled and planned with each model and resolution."""

from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode, Problem
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.planning.what_if import WhatIfRow, compare


def what_if(session: Session, history: History) -> tuple[WhatIfRow, ...]:
    """The rows of all models and resolutions, within `--select`; raise `CommandError` for `--again` and `--retake`."""
    if session.command.orders.again or session.command.orders.retake:
        raise CommandError(ExitCode.USAGE, "--what-if prices the film: leave --again and --retake out")

    def compile_with(model: str, resolution: str) -> tuple[Batch, list[Problem]]:
        options = replace(session.options, forced_output=(model, resolution))
        batch, problems = session.compile(options=options)
        return batch, problems.errors

    return compare(
        session.edition,
        compile_with,
        lambda batch: session.planner.plan(history, batch, session.selected(history), session.overrides(history)),
    )
