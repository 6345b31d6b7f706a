"""Saved plans: writes one, opens the session that carries one out, and refuses what it does not list."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from runner.app.conversation import Note
from runner.app.destinations import destinations
from runner.app.options import CommandOptions, InputOptions, OrderOptions, SelectionOptions
from runner.app.run_store import RunStore
from runner.app.session import Session, open_session
from runner.attempts.history import History
from runner.clock import Clock, SystemClock, format_utc
from runner.diagnostics.failures import LedgerUnusable
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, read_named
from runner.files.writing import replace_content
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.plan_differences import Comparison, compare, summary
from runner.planning.saved_plan import NotASavedPlan, SavedPlan, exact, orders_of, read_saved_plan
from runner.settings.file import providers
from runner.settings.settings import find_root
from runner.show.screens import question
from runner.show.text.escape import escape_terminal, json_document, one_line

ENDING = ".json"
# Bytes of a saved plan.
_LIMIT = 64 << 20
# Unless `--valid` says otherwise: a week is enough for a review.
_VALID = timedelta(days=7)
NOTHING_SENT = "nothing was sent, nothing was spent"


# -- saving -----------------------------------------------------------------------------------------------------


def new_saved_plan(session: Session, plan: Plan, history: History, valid: timedelta | None, clock: Clock) -> SavedPlan:
    """The saved plan of a plan; raise `CommandError` where the plan cannot be a contract."""
    source, orders = session.command.input, session.command.orders
    values = {"--var": source.variables, "--var-file": source.variable_files, "--config": source.config}
    if flag := next((name for name, value in values.items() if value), None):
        message = f"{flag} cannot stand beside -o: nothing that a run reads in a saved plan is sent; "
        way_out = "write storyboard.toml" if flag == "--config" else "write the value into the storyboard or a profile"
        raise CommandError(ExitCode.USAGE, message + way_out)
    if not plan.is_free:
        if plan.totals.credits is None:
            raise CommandError(ExitCode.DECLINED, question.unknown_price(plan))
        undecided = [step.shot.id for step in plan.steps if step.is_billable and step.fingerprint is None]
        if undecided:
            message = f"--first-take leaves open what {undecided[0]} is made from, and a saved plan lists requests: "
            raise CommandError(ExitCode.USAGE, f"{message}pick a take first, or save the plan without --first-take")
    now = clock.now()
    created_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return SavedPlan(
        id=clock.token()[:22],
        provider=plan.account.provider,
        host=plan.account.host,
        edition=plan.edition.name,
        created_at=created_at,
        expires_at=created_at + (valid or _VALID),
        ceiling=exact(plan.totals.credits),
        films=tuple(board.film for board in plan.batch.storyboards),
        shots=frozenset(shot.key for shot in plan.shots),
        select=session.command.selection.select,
        exclude=session.command.selection.exclude,
        retake=orders.retake,
        again=orders.again,
        first_take=orders.first_take,
        orders=orders_of(plan),
        destinations=_places(session, history),
    )


def save(
    session: Session, saved: SavedPlan, document: Mapping[str, object], path: Path, clock: Clock, note: Note
) -> None:
    """Write a saved plan into ledger and file; a file that is no saved plan is not overwritten."""
    _check_target(path)
    _note_in_ledger(session, saved, clock, note)
    try:
        replace_content(path, path.absolute().parent, json_document(document, deep=2).encode())
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


def _note_in_ledger(session: Session, saved: SavedPlan, clock: Clock, note: Note) -> None:
    """Write a paid plan into this machine's ledger, as consent; a pull request's job consents to nothing."""
    settings = session.settings
    if settings.account.free or settings.pull_request is not None or settings.state_or_none is None:
        return
    from runner.store.ledger.ledger import Ledger
    from runner.store.ledger.rows import SavedPlanRow

    try:
        ledger = Ledger(settings.state, clock)
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
        content = read_named(path, _root(), _LIMIT)
        return read_saved_plan(parse(content)), content
    except FileRejected as rejected:
        message = f"{path} {rejected.message}: `storyboard plan -o FILE` writes a plan"
        raise CommandError(ExitCode.USAGE, message) from rejected
    except NotJsonError as error:
        message = f"{path} is cut off or no plan ({error}): `storyboard plan -o FILE` writes one"
        raise CommandError(ExitCode.USAGE, message) from error
    except NotASavedPlan as error:
        raise CommandError(ExitCode.USAGE, f"{path} {error}") from error


def _root() -> Path:
    return find_root(Path())


def check_valid(path: Path, saved: SavedPlan, clock: Clock) -> None:
    """Raise `CommandError` for a plan that has expired."""
    if clock.now() >= saved.expires_at:
        message = f"{path} expired at {format_utc(saved.expires_at)}: {NOTHING_SENT}; save the plan again"
        raise CommandError(ExitCode.DECLINED, message)


# -- running ----------------------------------------------------------------------------------------------------


def open_for_run(command: CommandOptions, path: Path) -> Session:
    """The session that carries out a saved plan; `command` has the flags that may stand beside `--plan`."""
    saved, _ = read(path)
    check_valid(path, saved, SystemClock())
    return open_saved(command, path, saved)


def open_saved(command: CommandOptions, path: Path, saved: SavedPlan) -> Session:
    """The session of a saved plan's storyboards, compiled anew; raise `CommandError` where they are not here."""
    if saved.provider not in providers():
        raise _other(path, f"it is for {saved.provider}, which this version does not know")
    root = _root()
    files = tuple(_storyboard(path, root, name) for name in dict.fromkeys(film.storyboard for film in saved.films))
    profiles = tuple(dict.fromkeys(film.profile or "none" for film in saved.films))
    profiles = () if profiles == ("none",) else profiles
    command = replace(
        command,
        input=InputOptions(files, saved.provider, profiles, saved_plan=path),
        selection=SelectionOptions(saved.select, saved.exclude),
        orders=OrderOptions(saved.retake, saved.again, saved.first_take),
    )
    session = replace(open_session(command), saved_plan=saved)
    if session.films != saved.films:
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
    inside = not os.path.isabs(name) and "\0" not in name and file.is_relative_to(root)
    if not inside or not file.is_file():
        raise _other(path, f"it names {name}, which is not in {root}: it is of another repository, or the file moved")
    return Path(os.path.relpath(file))


def _other(path: Path, why: str) -> CommandError:
    return CommandError(ExitCode.DECLINED, escape_terminal(f"{path} does not fit: {why}: {NOTHING_SENT}"))


def compared(session: Session, saved: SavedPlan, plan: Plan, history: History) -> Comparison:
    """The present plan beside the saved one."""
    from runner.providers.api import provider_api
    from runner.requests.placeholder import placeholder

    encode = provider_api().encoder(session.edition, placeholder)
    return compare(saved, plan, history, lambda step: encode(step.shot.request), _places(session, history))


def _places(session: Session, history: History) -> frozenset[tuple[str, str]]:
    """The kinds of data that a run sends out, each with its address."""
    return frozenset((place.what, place.where) for place in destinations(session.planner, session.repository, history))


def check_plan(session: Session, plan: Plan, history: History, store: RunStore, note: Note) -> None:
    """Raise `CommandError` (exit 4) unless the saved plan of the session lists all that the plan orders."""
    saved, path = session.saved_plan, session.command.input.saved_plan
    if saved is None:
        return
    row = store.ledger.saved_plan(session.settings.account, saved.id)
    if row is not None and row.digest != saved.digest:
        message = f"{path} was edited: this ledger wrote the plan {saved.id} with another digest: {NOTHING_SENT}"
        raise CommandError(ExitCode.DECLINED, message)
    comparison = compared(session, saved, plan, history)
    if comparison.differences:
        lines = [f"{path} is not what the storyboards ask for now: {NOTHING_SENT}"]
        lines += [f"  {one_line(difference.text, 300)}" for difference in comparison.differences[:20]]
        lines += ["  …"] if len(comparison.differences) > 20 else []
        lines.append(f"  storyboard plan {path}      shows it beside the present one")
        raise CommandError(ExitCode.DECLINED, "\n".join(lines))
    if not session.command.display.quiet:
        for line in summary(comparison.left_out):
            note(line)


def is_consent(session: Session, store: RunStore) -> bool:
    """Whether the user consented to the session's saved plan by saving it on this ledger."""
    saved = session.saved_plan
    return saved is not None and store.ledger.saved_plan(session.settings.account, saved.id) is not None
