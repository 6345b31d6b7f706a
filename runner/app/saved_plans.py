"""Saved plans: writes and reads one, and refuses a run of what it does not list."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from runner.app.conversation import Note
from runner.app.options import CommandOptions
from runner.app.plan_report import PlanReporter
from runner.app.run_store import PlannedRun
from runner.attempts.history import History
from runner.clock import Clock, SystemClock, format_utc
from runner.diagnostics.failures import LedgerUnusable
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, read_named
from runner.files.writing import replace_content
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.planning.plan_differences import Comparison, compare, summary
from runner.planning.saved_plan import NotASavedPlan, SavedPlan, exact, orders_of, read_saved_plan
from runner.settings.settings import Settings, find_root
from runner.show.screens import question
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import one_line

ENDING = ".json"
"""Of a saved plan: by it `plan FILE` tells one from a storyboard."""
# Bytes of a saved plan.
_LIMIT = 64 << 20
# Unless `--valid` says otherwise: a week is enough for a review.
_VALID = timedelta(days=7)
Destinations = frozenset[tuple[str, str]]
"""The kinds of data that a run sends out, each with its address."""
NOTHING_SENT = "nothing was sent, nothing was spent"


@dataclass(frozen=True, slots=True)
class SavedPlanFile:
    """A saved plan, and the file that holds it."""

    path: Path
    plan: SavedPlan


# -- saving -----------------------------------------------------------------------------------------------------


def new_saved_plan(
    command: CommandOptions, plan: Plan, destinations: Destinations, valid: timedelta | None, clock: Clock
) -> SavedPlan:
    """The saved plan of a plan; raise `CommandError` where the plan cannot be a contract."""
    source, orders = command.input, command.orders
    values = {"--var": source.variables, "--var-file": source.variable_files, "--config": source.config}
    if flag := next((name for name, value in values.items() if value), None):
        message = f"{flag} cannot stand beside -o: nothing that a run reads in a saved plan is sent; "
        way_out = "write storyboard.toml" if flag == "--config" else "write the value into the storyboard or a profile"
        raise CommandError(ExitCode.USAGE, message + way_out)
    if not plan.is_free:
        if plan.totals.credits is None:
            raise CommandError(ExitCode.DECLINED, question.unknown_price(plan))
        # What is made from an open choice has no request yet, and no reviewer could have seen it.
        undecided = [step.shot.id for step in plan.steps if step.is_billable and step.fingerprint is None]
        if undecided:
            message = f"--first-take leaves open what {undecided[0]} is made from, and a saved plan lists requests: "
            raise CommandError(ExitCode.USAGE, f"{message}pick a take first, or save the plan without --first-take")
    now = clock.now()
    # As the file writes it: the digest is of the plan as it is read back.
    created_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return SavedPlan(
        # 132 bits, as the ids of attempts: two machines never make the same one.
        id=clock.token()[:22],
        provider=plan.account.provider,
        host=plan.account.host,
        edition=plan.edition.name,
        created_at=created_at,
        expires_at=created_at + (valid or _VALID),
        ceiling=exact(plan.totals.credits),
        films=plan.batch.films,
        shots=frozenset(shot.key for shot in plan.shots),
        select=command.selection.select,
        exclude=command.selection.exclude,
        retake=orders.retake,
        again=orders.again,
        first_take=orders.first_take,
        orders=orders_of(plan),
        destinations=destinations,
    )


def save(settings: Settings, file: SavedPlanFile, text: str, note: Note) -> None:
    """Write a saved plan into ledger and file; a file that is no saved plan is not overwritten."""
    path = file.path
    # Before the ledger: no consent to a plan that could not be written.
    _check_target(path)
    # Before the file: a plan in hand that its own ledger does not know would ask for consent again.
    _note_in_ledger(settings, file.plan, note)
    try:
        replace_content(path, path.absolute().parent, text.encode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(ExitCode.INVALID, f"{path} cannot be written ({reason}): name another file") from error


def _check_target(path: Path) -> None:
    if path.suffix != ENDING:
        raise CommandError(ExitCode.USAGE, f"-o {path}: the name of a saved plan ends with {ENDING}")
    if not os.path.lexists(path):
        return
    try:
        _read(path)
    except CommandError as error:
        message = f"{path} is there already and is no saved plan: it was not overwritten; name another file"
        raise CommandError(ExitCode.USAGE, message) from error


def _note_in_ledger(settings: Settings, saved: SavedPlan, note: Note) -> None:
    """Write a paid plan into this machine's ledger, as consent; a pull request's job consents to nothing."""
    # A stranger's change must not leave consent behind on a runner that later pays.
    if settings.account.free or settings.pull_request is not None or settings.state_or_none is None:
        return
    from runner.store.ledger.ledger import Ledger
    from runner.store.ledger.rows import SavedPlanRow

    try:
        ledger = Ledger(settings.state, SystemClock())
        try:
            row = SavedPlanRow(saved.id, saved.digest, saved.ceiling)
            ledger.note_saved_plan(settings.account, row, note)
        finally:
            ledger.close()
    except LedgerUnusable as error:
        note(f"{error.message}\n  so this ledger does not know the plan, and a run of it needs --yes")


# -- reading ----------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[SavedPlan, bytes]:
    """A saved plan and its file's content; raise `CommandError`: exit 2 for no saved plan, 4 for an edited one."""
    saved, content = _read(path)
    if saved.digest != saved.stated_digest:
        message = f"{path} was edited by hand, its digest is not that of its orders: {NOTHING_SENT}; save it again"
        raise CommandError(ExitCode.DECLINED, message)
    return saved, content


def _read(path: Path) -> tuple[SavedPlan, bytes]:
    from runner.providers.transport.strict_json import NotJsonError, parse

    try:
        content = read_named(path, find_root(Path()), _LIMIT)
        return read_saved_plan(parse(content)), content
    except FileRejected as rejected:
        message = f"{path} {rejected.message}: `storyboard plan -o FILE` writes a plan"
        raise CommandError(ExitCode.USAGE, message) from rejected
    except NotJsonError as error:
        message = f"{path} is cut off or no plan ({error}): `storyboard plan -o FILE` writes one"
        raise CommandError(ExitCode.USAGE, message) from error
    except NotASavedPlan as error:
        raise CommandError(ExitCode.USAGE, f"{path} {error}") from error


def check_valid(path: Path, saved: SavedPlan, clock: Clock) -> None:
    """Raise `CommandError` for a plan that has expired."""
    # Prices and storyboards move on: a review of months ago is none.
    if clock.now() >= saved.expires_at:
        message = f"{path} expired at {format_utc(saved.expires_at)}: {NOTHING_SENT}; save the plan again"
        raise CommandError(ExitCode.DECLINED, message)


# -- running ----------------------------------------------------------------------------------------------------


def compared(saved: SavedPlan, report: PlanReporter, plan: Plan, history: History) -> Comparison:
    """The present plan beside the saved one."""
    return compare(saved, plan, history, report.encoder(), places(report, history))


def places(report: PlanReporter, history: History) -> Destinations:
    """The kinds of data that a run sends out, each with its address."""
    return frozenset((place.what, place.where) for place in report.destinations(history))


def check_plan(file: SavedPlanFile, report: PlanReporter, run: PlannedRun) -> Sequence[str]:
    """Lines about what a saved plan lists and the run leaves out.

    Raise `CommandError` (exit 4) unless the saved plan lists all that the run orders.
    """
    saved, path = file.plan, file.path
    row = run.store.saved_plan_row(saved)
    # Who edits a file can compute its digest anew, and cannot reach the row in this ledger.
    if row is not None and row.digest != saved.digest:
        message = f"{path} was edited: this ledger wrote the plan {saved.id} with another digest: {NOTHING_SENT}"
        raise CommandError(ExitCode.DECLINED, message)
    comparison = compared(saved, report, run.plan, run.history)
    if comparison.differences:
        lines = [f"{path} is not what the storyboards ask for now: {NOTHING_SENT}"]
        # A plan's texts are a stranger's, and may be as long as a file.
        lines += [f"  {one_line(difference.text, 300)}" for difference in comparison.differences[:20]]
        lines += ["  …"] if len(comparison.differences) > 20 else []
        lines.append(f"  {CommandLine((str(path),)).plan()}      shows it beside the present one")
        raise CommandError(ExitCode.DECLINED, "\n".join(lines))
    return summary(comparison.left_out)
