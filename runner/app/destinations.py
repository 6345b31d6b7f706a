"""Where callbacks go, for the plan and the question; what changed since the last yes is marked."""

from runner.app.session import Opened
from runner.attempts.history import History
from runner.show.screens.plan import Goes
from runner.store import approved_destinations

_CALLBACKS = "callbacks"


def goes(desk: Opened, history: History) -> tuple[Goes, ...]:
    """Where a paid run has things sent, each marked when it is not where it went at the last yes."""
    settings = desk.settings
    if settings.webhook is None or settings.account.free:
        return ()
    url, heard = settings.webhook.url, f"{settings.webhook.host}:{settings.webhook.port}"
    before = approved_destinations.agreed(settings.state, settings.account, desk.repository.ids[0]).get(_CALLBACKS)
    if before is None and all(attempt.elsewhere for attempt in history.attempts.values()):
        before = url  # nothing was agreed to on this machine yet: all of it is new, and nothing has changed
    return (Goes(_CALLBACKS, url, f"heard at {heard}", None if before == url else before or ""),)


def agree(desk: Opened, history: History) -> None:
    """Somebody said yes to a paid run: what changes from now on is marked."""
    settings = desk.settings
    if settings.webhook is not None:
        told = {each.what: each.where for each in goes(desk, history)}
        approved_destinations.agree(settings.state, settings.account, desk.repository.ids[0], told)
