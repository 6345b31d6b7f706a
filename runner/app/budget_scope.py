"""Which takes a storyboard's budget counts: all its current ones, whatever a command line chose of them."""

from collections.abc import Iterator

from runner.app.session import Session
from runner.attempts.history import History
from runner.language.model import Batch, Storyboard
from runner.planning.plan import Plan
from runner.requests.request import fingerprint


def fingerprints_in_budget(session: Session, plan: Plan, history: History) -> dict[str, frozenset[str]]:
    """By storyboard with a budget, the fingerprints of its takes made and to make, retakes and other profiles' too."""
    boards = [board for board in plan.batch.storyboards if has_budget(board)]
    if not boards:
        return {}
    # A plan of everything: `--select`, `--retake` and `--again` leave out what counts all the same.
    whole = session.plan(history, Batch(tuple(boards)))
    return {
        board.path: frozenset(
            mark
            for steps in (plan.steps_for(board), whole.steps_for(board))
            for step in steps
            if (mark := step.fingerprint) is not None
        ).union(_retakes(session, whole, board, history), _of_other_profiles(session, board, history))
        for board in boards
    }


def has_budget(board: Storyboard) -> bool:
    return board.budget_credits is not None or board.budget_usd is not None


def _retakes(session: Session, whole: Plan, board: Storyboard, history: History) -> Iterator[str]:
    """Takes beyond a shot's `takes`, of the words that it has now; where a pick is missing all of them count."""
    for attempt in history.own():
        intent = attempt.intent
        if (intent.storyboard, intent.profile) != (board.path, session.settings.profile):
            continue
        step = next(iter(whole.steps_of(board.path, intent.shot)), None)
        if step is None or intent.take <= step.shot.takes:
            continue
        if (
            step.fingerprint is None
            or fingerprint({**step.neutral_request(), "take": intent.take}) == intent.fingerprint
        ):
            yield intent.fingerprint


def _of_other_profiles(session: Session, board: Storyboard, history: History) -> Iterator[str]:
    """What each take of another profile was last made of: this command does not read the storyboard with it."""
    for (path, _, _, profile), attempt in history.last.items():
        if path == board.path and profile != session.settings.profile:
            yield history.attempts[attempt].intent.fingerprint
