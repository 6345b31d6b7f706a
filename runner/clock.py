"""Time and chance as an argument: now, intervals, jitter, tokens."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time and chance as an argument, so that tests hold both in their hands."""

    def now(self) -> datetime:
        """Wall time, UTC: data, never order."""

    def monotonic(self) -> float:
        """Seconds for intervals and deadlines."""

    def jitter(self) -> float:
        """A number in [0, 1)."""

    def token(self) -> str:
        """256 unguessable bits, safe in an address and in a file name."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def jitter(self) -> float:
        import random

        return random.random()  # noqa: S311 - spreads retries, guards nothing

    def token(self) -> str:
        import secrets

        return secrets.token_urlsafe(32)


def format_utc(moment: datetime) -> str:
    """UTC ISO 8601 with milliseconds and Z, as the manifest and the ledger hold it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
