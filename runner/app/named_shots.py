"""The shots that a command line names: a mistake in another storyboard, or a new name, is not in the way."""

from collections.abc import Callable, Collection, Iterable, Sequence

from runner.app.batch_planner import BatchPlanner
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.options import CommandOptions
from runner.app.session import Session, load_session, reject_shared_outputs
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import CommandError, ExitCode, Problems
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.selection import select, shot_selector


def open_for_shots(command: CommandOptions, names: Sequence[str]) -> Session:
    """Open a session of the storyboards that hold the named shots; each name is a SHOT or an expression of SELECT.

    Raise `InvalidStoryboardsError` (exit 3) if one of these storyboards has errors.
    """
    whole = load_session(command, prefer_clips=True)
    faults = _faults(whole)
    fit = _narrowed(whole, {storyboard.path for storyboard in whole.batch.storyboards} - faults.keys())
    paths = {film.storyboard for name in names for film, _ in _matches(whole, fit, name)}
    if broken := paths & faults.keys():
        raise _refusal(whole, [faults[path] for path in sorted(broken)])
    session = _narrowed(fit, paths)
    reject_shared_outputs(session)
    return session


def _faults(session: Session) -> dict[str, Problems]:
    """The problems of each storyboard with an error, by its path."""
    if not session.problems.errors:
        return {}
    faults: dict[str, Problems] = {}
    for file in session.files:
        batch, problems = session.compile([file])
        if problems.errors:
            name = session.root_path(file)
            faults |= dict.fromkeys([name, *(storyboard.path for storyboard in batch.storyboards)], problems)
    return faults


def _narrowed(session: Session, paths: Collection[str]) -> Session:
    """The session with these storyboards only; their warnings are not its subject."""
    storyboards = tuple(storyboard for storyboard in session.batch.storyboards if storyboard.path in paths)
    files = tuple(file for file in session.files if session.root_path(file) in paths)
    return replace(session, batch=Batch(storyboards), files=files, problems=Problems())


def _matches(whole: Session, fit: Session, name: str) -> frozenset[ShotKey]:
    """The shots that a name stands for, by their present names or by a former one."""
    expression, read_history = name.partition("#")[0], fit.history_reader.read
    try:
        # In the whole batch: a shot of a broken storyboard is refused for its errors, and not as unknown.
        chosen = select(whole.batch, [expression], (), lambda: fit.selection.states(read_history()))
        return chosen or frozenset()
    except Failure:
        history = read_history()
        if (former := shot_of_former_name(fit.planner.plan(history), history, expression)) is not None:
            return frozenset({former.key})
        if whole.problems.errors:
            raise _refusal(whole, [whole.problems]) from None
        raise


def _refusal(session: Session, faults: Iterable[Problems]) -> InvalidStoryboardsError:
    problems = Problems()
    for fault in faults:
        problems.items += fault.items
        problems.sources |= fault.sources
    return InvalidStoryboardsError(problems, session.settings.root, "nothing was changed")


def shot_of_former_name(plan: Plan, history: History, name: str) -> Shot | None:
    """The shot that asks for a request which was ordered under another name; None where there is none."""
    steps = {step.fingerprint: step for step in plan.steps if step.fingerprint is not None}
    for attempt in history.attempts.values():
        step = steps.get(attempt.intent.fingerprint)
        if step is not None and attempt.intent.shot.casefold() == name.casefold():
            return step.shot
    return None


def find_shot(planner: BatchPlanner, read_history: Callable[[], History], reference: str) -> tuple[Shot, int | None]:
    """The shot of a SHOT, by its present or its former name, and the number of its take.

    The history is read for a former name only.
    """
    try:
        return resolve_shot(planner, reference)
    except Failure:
        name, _, number = reference.partition("#")
        history = read_history()
        if (shot := shot_of_former_name(planner.plan(history), history, name)) is None:
            raise
        return resolve_shot(planner, "#".join([shot.id, *([number] if number else [])]))


def resolve_shot(planner: BatchPlanner, reference: str) -> tuple[Shot, int | None]:
    """The shot that `quay`, `harbour:quay` or `quay#2` names, and the number of its take."""
    name, separator, number = reference.partition("#")
    matches = sorted(select(planner.batch, [name], ()) or ())
    if len({film.storyboard for film, _ in matches}) == 1 and len(planner.settings.profiles) > 1:
        films = ", ".join(film.profile or "none" for film, _ in matches)
        raise CommandError(ExitCode.USAGE, f"{name!r} is a shot of several films ({films}): give one --profile")
    if len(matches) > 1:
        names = " and ".join(shot_selector(match, with_storyboard=True) for match in matches)
        raise CommandError(ExitCode.USAGE, f"{name!r} is ambiguous: write one of {names}")
    if separator and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise CommandError(ExitCode.USAGE, f"{reference!r}: the take after # must be a number, as in {name}#2")
    shot = next(shot for shot in planner.batch.shots if shot.key == matches[0])
    return shot, int(number) if separator else None
