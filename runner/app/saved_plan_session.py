"""Saved plans of a session: saves its plan, opens the session that carries one out, compares one with the present."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from runner.app.conversation import Note
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.options import CommandOptions, InputOptions, OrderOptions, SelectionOptions
from runner.app.plan_document import plan_document
from runner.app.saved_plans import (
    NOTHING_SENT,
    SavedPlanFile,
    check_valid,
    compared,
    new_saved_plan,
    places,
    read,
    save,
)
from runner.app.session import Session, open_session
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.diagnostics.failures import Failure
from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.plan_differences import Comparison, PlanDifference
from runner.planning.saved_plan import SavedPlan
from runner.settings.file import providers
from runner.settings.settings import find_root
from runner.show.json.saved_plan import saved_plan_json
from runner.show.text.escape import escape_terminal, json_document


def save_plan(
    session: Session, plan: Plan, history: History, path: Path, valid: timedelta | None, note: Note
) -> tuple[SavedPlan, str]:
    """Save the plan of a session; return it, and the text of its file."""
    report = session.plan_report
    saved = new_saved_plan(session.command, plan, places(report, history), valid, SystemClock())
    text = json_document(saved_plan_json(saved, plan_document(report, plan, history)), deep=2)
    save(session.settings, SavedPlanFile(path, saved), text, note)
    return saved, text


def compare_with_present(command: CommandOptions, path: Path, saved: SavedPlan) -> tuple[Comparison, Decimal | None]:
    """The differences since a plan was saved, and the price of a credit where its storyboards are still here."""
    try:
        session = open_saved(command, path, saved)
        history = session.history_reader.read()
        comparison = compared(saved, session.plan_report, session.selection.plan(history), history)
        return comparison, session.settings.usd_per_credit
    except InvalidStoryboardsError as invalid:
        errors = count(len(invalid.problems.errors), "error")
        message = f"its storyboards have {errors} now: storyboard validate"
    except Failure as failure:
        message = failure.message
    return Comparison((PlanDifference("storyboards", message),), ()), None


def open_for_run(command: CommandOptions, path: Path) -> Session:
    """The session that carries out a saved plan; `command` has the flags that may stand beside `--plan`."""
    saved, _ = read(path)
    check_valid(path, saved, SystemClock())
    return open_saved(command, path, saved)


def open_saved(command: CommandOptions, path: Path, saved: SavedPlan) -> Session:
    """The session of a saved plan's storyboards, compiled anew; raise `CommandError` where they are not here."""
    if saved.provider not in providers():
        raise _other(path, f"it is for {saved.provider}, which this version does not know")
    root = find_root(Path())
    files = tuple(_storyboard(path, root, name) for name in dict.fromkeys(film.storyboard for film in saved.films))
    profiles = tuple(dict.fromkeys(film.profile or "none" for film in saved.films))
    # Without `--profile`, as it was typed: the command lines that are shown name none either.
    profiles = () if profiles == ("none",) else profiles
    command = replace(
        command,
        # All that decides the orders comes from the plan: a flag beside it would make another one of it.
        input=InputOptions(files, saved.provider, profiles, saved_plan=path),
        selection=SelectionOptions(saved.select, saved.exclude),
        orders=OrderOptions(saved.retake, saved.again, saved.first_take),
    )
    session = replace(open_session(command), saved_plan_file=SavedPlanFile(path, saved))
    # Same names in another repository would be other films, at the reviewed price.
    if session.batch.films != saved.films:
        raise _other(path, "its storyboards stand in another repository")
    account = session.settings.account
    if saved.host != account.host:
        raise _other(path, f"it is for {saved.provider} at {saved.host}, and this is {account.host}")
    if saved.edition != session.edition.name:
        raise _other(path, f"it is for the edition {saved.edition}, and this is {session.edition.name}")
    return session


def _storyboard(path: Path, root: Path, name: str) -> Path:
    """A storyboard of the plan in this repository."""
    file = Path(os.path.normpath(root / name))
    # A plan file may come from anywhere: its names are looked up in this repository, and nowhere else.
    inside = not os.path.isabs(name) and "\0" not in name and file.is_relative_to(root)
    if not inside or not file.is_file():
        raise _other(path, f"it names {name}, which is not in {root}: it is of another repository, or the file moved")
    return Path(os.path.relpath(file))


def _other(path: Path, why: str) -> CommandError:
    return CommandError(ExitCode.DECLINED, escape_terminal(f"{path} does not fit: {why}: {NOTHING_SENT}"))
