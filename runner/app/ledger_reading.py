"""Reads of this machine's ledger by commands that look: without a run, a lock or a change."""

from decimal import Decimal
from typing import TYPE_CHECKING

from runner.clock import SystemClock
from runner.settings.settings import Settings
from runner.store.ledger.file_name import NAME

if TYPE_CHECKING:
    from runner.attempts.attempt import Attempt
    from runner.store.ledger.ledger import Ledger
    from runner.store.receipts import Receipt


def existing_ledger(settings: Settings) -> "Ledger | None":
    """The ledger of this machine; None before the first run, and on a machine without a home."""
    state = settings.state_or_none
    if state is None or not (state / NAME).exists():
        return None
    # Imported only where a ledger exists: SQLite takes milliseconds to load.
    from runner.store.ledger.ledger import Ledger

    return Ledger(state, SystemClock())


def unknown_receipts(settings: Settings) -> "list[Receipt]":
    """Paid tasks that stand in a receipt of the first version alone."""
    ledger = existing_ledger(settings)
    return [] if ledger is None else ledger.unknown_receipts()


def left_by_gone_repositories(settings: Settings) -> "list[Attempt]":
    """Open attempts of the account that were ordered in repositories which are not found any more."""
    ledger = existing_ledger(settings)
    return [] if ledger is None else ledger.left_by_gone_repositories(settings.account, str(settings.root))


def spent_last_24h(settings: Settings) -> Decimal:
    """The account's credits of the last 24 hours; writes nothing."""
    ledger = existing_ledger(settings)
    if ledger is None:
        return Decimal(0)
    try:
        return ledger.spent_last_24h(settings.account)
    finally:
        # At once: the history's own ledger stays open beside it.
        ledger.close()
