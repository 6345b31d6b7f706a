"""The rows of `plan --what-if`: the storyboards compiled and planned with each model and resolution."""

from collections.abc import Callable

from runner.app.project import Project
from runner.diagnostics.problem import CommandError, ExitCode, Problem
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.what_if import WhatIfRow, compare


def what_if(project: Project, plan_of: Callable[[Batch], Plan]) -> tuple[WhatIfRow, ...]:
    """The rows of all models and resolutions by their plans; raise `CommandError` for `--again` and `--retake`."""
    if project.command.orders.again or project.command.orders.retake:
        raise CommandError(ExitCode.USAGE, "--what-if prices the film: leave --again and --retake out")

    def compile_with(model: str, resolution: str) -> tuple[Batch, list[Problem]]:
        options = replace(project.options, forced_output=(model, resolution))
        batch, problems = project.compile(options=options)
        return batch, problems.errors

    return compare(project.edition, compile_with, plan_of)
