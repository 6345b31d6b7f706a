"""The plan of a command line, and its prices with each model and resolution."""

from typing import TYPE_CHECKING

from runner.app.completion_words import keep_completion_words
from runner.app.named_shots import resolve_shot
from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode, Problem
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.what_if import WhatIfRow, compare

if TYPE_CHECKING:
    from runner.language.explain import ShotExplanation


def plan_takes(session: Session) -> tuple[Plan, History]:
    """The plan of what the command line asks for, and the history that it was made from."""
    history = _read_history(session)
    return session.selection.plan(history), history


def what_if(session: Session) -> tuple[WhatIfRow, ...]:
    """The film with each model and resolution; raise `CommandError` for `--again` and `--retake`."""
    if session.command.orders.again or session.command.orders.retake:
        raise CommandError(ExitCode.USAGE, "--what-if prices the film: leave --again and --retake out")
    history = _read_history(session)
    scope = session.selection.scope(history)

    def compile_with(model: str, resolution: str) -> tuple[Batch, list[Problem]]:
        options = replace(session.options, forced_output=(model, resolution))
        batch, problems = session.compile(options=options)
        return batch, problems.errors

    return compare(session.edition, compile_with, lambda batch: session.planner.plan(history, scope, batch))


def explain(session: Session, reference: str) -> "ShotExplanation | None":
    """The shot that a SHOT names, with the place of each value; None where it changed meanwhile."""
    from runner.language.explain import explain_shot  # which compiles the shot again, as no other plan does

    shot, _ = resolve_shot(session.planner, reference)
    return explain_shot(session.files, session.settings.root, session.options, shot.key)


def _read_history(session: Session) -> History:
    history = session.history_reader.read()
    keep_completion_words(session.settings, session.batch, history)
    return history
