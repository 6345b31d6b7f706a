"""Skips storyboards whose manifest is unreadable or belongs to another account, and reports them."""

from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.language.model import Batch
from runner.lazy_dataclass import replace


def history_without_foreign(session: Session, everything: bool = False) -> tuple[Session, History, list[str]]:
    """The history, the session without storyboards that have a foreign manifest, and a message about each of those.

    The other storyboards are shown all the same.
    """
    try:
        return session, session.history_reader.read(everything), []
    except Failure:
        own_session, reasons = without_foreign(session)
        if not reasons:
            raise
    return own_session, own_session.history_reader.read(everything), reasons


def without_foreign(session: Session) -> tuple[Session, list[str]]:
    """The session without storyboards that have a foreign manifest, and a message about each of those."""
    own_storyboards, reasons = [], []
    for storyboard in session.batch.storyboards:
        try:
            session.manifests.read(storyboard)
        except Failure as stop:
            reasons.append(f"{storyboard.path} is left out: {stop.message}")
        else:
            own_storyboards.append(storyboard)
    return (replace(session, batch=Batch(tuple(own_storyboards))) if reasons else session), reasons
