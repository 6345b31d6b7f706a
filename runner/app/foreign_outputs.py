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


def history_without_foreign(session: Session) -> tuple[Session, History, list[str]]:
    """What ledger and manifests know; the batch without storyboards whose manifest is not their own, and why each is.

    Their takes stand in another account or in nobody's: what is true of all others is told all the same.
    """
    try:
        return session, read_history(session), []
    except CommandError:
        own_session, reasons = without_foreign(session)
        if not reasons:
            raise
    return own_session, read_history(own_session), reasons


def without_foreign(session: Session) -> tuple[Session, list[str]]:
    """The batch with the storyboards whose manifests are their own; the reason for each that is left out."""
    own_storyboards, reasons = [], []
    for storyboard in session.batch.storyboards:
        try:
            session.manifest(storyboard)
        except CommandError as stop:
            reasons.append(f"{storyboard.path} is left out: {stop.message}")
        else:
            own_storyboards.append(storyboard)
    return (replace(session, batch=Batch(tuple(own_storyboards))) if reasons else session), reasons


def print_warnings(messages: Sequence[str]) -> None:
    """To standard error, a line for each."""
    for message in messages:
        print(f"storyboard: {escape_terminal(message)}", file=sys.stderr)
