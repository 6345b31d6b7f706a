"""Where callbacks go, for the plan and the question; what changed since the last yes is marked."""

from runner.app.session import Session
from runner.attempts.history import History
from runner.show.screens.plan import Destination
from runner.store import approved_destinations

_CALLBACKS = "callbacks"


def destinations(session: Session, history: History) -> tuple[Destination, ...]:
    """Where a paid run has things sent, each marked when it is not where it went at the last yes."""
    settings = session.settings
    if settings.webhook is None or settings.account.free:
        return ()
    url, listener = settings.webhook.url, f"{settings.webhook.host}:{settings.webhook.port}"
    approved_url = approved_destinations.load(settings.state, settings.account, session.repository.root_commits[0]).get(
        _CALLBACKS
    )
    if approved_url is None and all(attempt.from_manifest for attempt in history.attempts.values()):
        approved_url = url  # nothing was agreed to on this machine yet: all of it is new, and nothing has changed
    return (Destination(_CALLBACKS, url, f"heard at {listener}", None if approved_url == url else approved_url or ""),)


def remember_approval(session: Session, history: History) -> None:
    """Somebody said yes to a paid run: what changes from now on is marked."""
    settings = session.settings
    if settings.webhook is not None:
        urls = {destination.what: destination.where for destination in destinations(session, history)}
        approved_destinations.save(settings.state, settings.account, session.repository.root_commits[0], urls)
