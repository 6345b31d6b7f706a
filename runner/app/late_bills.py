"""Bills that grow after the end of their tasks, outside a run: which are open, and reading those that are due."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from runner.app.run_store import RunStore
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.attempts.late_bill import reading
from runner.editions.edition import Edition
from runner.engine.bills import due_reading
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.app.provider_gateway import ProviderGateway


def open_bills(settings: Settings, edition: Edition, history: History, now: datetime) -> list[tuple[Attempt, datetime]]:
    """Attempts whose bill may still grow, each with the moment of its next reading; none at a free account."""
    if settings.account.free:
        return []
    return [
        (attempt, due_at)
        for attempt in history.own()
        if attempt.ended_at is not None
        and (due_at := due_reading(attempt, edition, now - attempt.ended_at)) is not None
    ]


def has_due_bills(settings: Settings, edition: Edition, history: History, now: datetime) -> bool:
    """Whether a bill is to be read now, and a key is there to read it with."""
    is_due = any(due_at <= now for _, due_at in open_bills(settings, edition, history, now))
    # A bill may wait for a run that has a key anyway.
    return is_due and bool(settings.api_key.text)


async def read_due_bills(
    settings: Settings,
    edition: Edition,
    history: History,
    store: RunStore,
    gateway: "Callable[[], Awaitable[ProviderGateway]]",
) -> None:
    """Read every bill that is due, and record it; what cannot be read now is read next time."""
    now = store.clock.now()
    if not has_due_bills(settings, edition, history, now):
        return
    provider = await gateway()
    for attempt, due_at in open_bills(settings, edition, history, now):
        if due_at > now:
            continue
        if (bill := reading(attempt, await provider.poll(attempt))) is not None:
            # A bill that the ledger refuses stays as it was, and is read again next time.
            store.record(history, attempt.id, bill)
