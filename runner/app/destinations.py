"""The destinations of data that a paid run sends out, with changes since the last approval marked."""

from runner.app.session import Session
from runner.attempts.history import History
from runner.show.screens.plan import Destination
from runner.store import approved_destinations

_CALLBACKS = "callbacks"


def destinations(session: Session, history: History) -> tuple[Destination, ...]:
    """The destinations of a paid run, each marked if it differs from the last approved one."""
    settings = session.settings
    if settings.webhook is None or settings.account.free:
        return ()
    url, listener = settings.webhook.url, f"{settings.webhook.host}:{settings.webhook.port}"
    approved_url = approved_destinations.load(settings.state, settings.account, session.repository.root_commits[0]).get(
        _CALLBACKS
    )
    if approved_url is None and all(attempt.from_manifest for attempt in history.attempts.values()):
        approved_url = url  # the first run on this machine: there is no approved address to differ from
    return (
        Destination(_CALLBACKS, url, f"received at {listener}", None if approved_url == url else approved_url or ""),
    )


def remember_approval(session: Session, history: History) -> None:
    """Save the destinations of an approved paid run; later changes are marked."""
    settings = session.settings
    if settings.webhook is not None:
        urls = {destination.what: destination.where for destination in destinations(session, history)}
        approved_destinations.save(settings.state, settings.account, session.repository.root_commits[0], urls)
