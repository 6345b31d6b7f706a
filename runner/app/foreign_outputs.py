"""Outputs that are not this account's, or that nobody can read: told, and gone on without."""

import sys
from collections.abc import Sequence

from runner.app.plan_report import read_history
from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.show.text.escape import escape_terminal


def history_without_foreign(session: Session, everything: bool = False) -> tuple[Session, History, list[str]]:
    """What ledger and manifests know; the batch without storyboards whose manifest is not their own, and why each is.

    Their takes stand in another account or in nobody's: what is true of all others is told all the same.
    """
    try:
        return session, read_history(session, everything), []
    except CommandError:
        rest, why = without_foreign(session)
        if not why:
            raise
    return rest, read_history(rest, everything), why


def without_foreign(session: Session) -> tuple[Session, list[str]]:
    """The batch with the storyboards whose manifests are their own; the reason for each that is left out."""
    kept, why = [], []
    for board in session.batch.storyboards:
        try:
            session.manifest(board)
        except CommandError as stop:
            why.append(f"{board.path} is left out: {stop.message}")
        else:
            kept.append(board)
    return (replace(session, batch=Batch(tuple(kept))) if why else session), why


def print_warnings(why: Sequence[str]) -> None:
    """To standard error, a line for each."""
    for words in why:
        print(f"storyboard: {escape_terminal(words)}", file=sys.stderr)
