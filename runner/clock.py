"""Time and randomness, passed in as an argument: now, intervals, jitter, tokens."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The port to time and randomness, so that tests can control both."""

    def now(self) -> datetime:
        """Wall time in UTC: for records, never for ordering events."""

    def monotonic(self) -> float:
        """Seconds for intervals and deadlines."""

    def jitter(self) -> float:
        """A number in [0, 1)."""

    def token(self) -> str:
        """256 random bits, safe in an address and in a file name."""


class SystemClock:
    """The machine's clock and random numbers."""

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


class Ages:
    """Ages of moments by the wall clock; a clock that is set ahead from now on makes nothing older."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()

    def of(self, since: datetime) -> timedelta:
        passed = timedelta(seconds=self._clock.monotonic() - self._steady)
        return min(self._clock.now(), self._wall + passed) - since


def format_utc(moment: datetime) -> str:
    """Format a moment as UTC ISO 8601 with milliseconds and Z, as in the manifest and the ledger."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
