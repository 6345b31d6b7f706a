"""The shots that a command line names: a mistake in another storyboard, or a new name, is not in the way."""

from collections.abc import Collection, Iterable, Sequence

from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.options import CommandOptions
from runner.app.session import Session, load_session, reject_shared_outputs, resolve_shot
from runner.attempts.film import ShotKey
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import Problems
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import replace
from runner.planning.selection import select


def open_for_shots(command: CommandOptions, names: Sequence[str]) -> Session:
    """Open a session of the storyboards that hold the named shots; each name is a SHOT or an expression of SELECT.

    Raise `InvalidStoryboardsError` (exit 3) if one of these storyboards has errors.
    """
    whole = load_session(command, prefer_clips=True)
    faults = _faults(whole)
    fit = _narrowed(whole, {board.path for board in whole.batch.storyboards} - faults.keys())
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
            faults |= dict.fromkeys([name, *(board.path for board in batch.storyboards)], problems)
    return faults


def _narrowed(session: Session, paths: Collection[str]) -> Session:
    """The session with these storyboards only; their warnings are not its subject."""
    boards = tuple(board for board in session.batch.storyboards if board.path in paths)
    files = tuple(file for file in session.files if session.root_path(file) in paths)
    return replace(session, batch=Batch(boards), files=files, problems=Problems())


def _matches(whole: Session, fit: Session, name: str) -> frozenset[ShotKey]:
    """The shots that a name stands for, by their present names or by a former one."""
    expression = name.partition("#")[0]
    try:
        return select(whole.batch, [expression], (), lambda: fit.states(fit.history_reader.read())) or frozenset()
    except Failure:
        if (former := shot_of_former_name(fit, expression)) is not None:
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


def shot_of_former_name(session: Session, name: str) -> Shot | None:
    """The shot that asks for a request which was ordered under another name; None where there is none."""
    history = session.history_reader.read()
    steps = {step.fingerprint: step for step in session.planner.plan(history).steps if step.fingerprint is not None}
    for attempt in history.attempts.values():
        step = steps.get(attempt.intent.fingerprint)
        if step is not None and attempt.intent.shot.casefold() == name.casefold():
            return step.shot
    return None


def find_shot(session: Session, reference: str) -> tuple[Shot, int | None]:
    """The shot of a SHOT, by its present or its former name, and the number of its take."""
    try:
        return resolve_shot(session, reference)
    except Failure:
        name, _, number = reference.partition("#")
        if (shot := shot_of_former_name(session, name)) is None:
            raise
        return resolve_shot(session, "#".join([shot.id, *([number] if number else [])]))
