"""The pause before another try: it doubles with each failure in a row, up to a minute."""

LONGEST_SECONDS = 60.0
"""So that a run goes on within a minute after the provider recovers."""


def backoff(failures: int, first: float = 2.0) -> float:
    """Seconds to wait after the last of `failures` in a row; `first` is the pause after a single one."""
    # The exponent is bounded too: after a thousand failures 2.0 ** n would overflow.
    return min(first * 2.0 ** min(failures - 1, 10), LONGEST_SECONDS)


def spread(seconds: float, jitter: float) -> float:
    """The pause, up to a quarter shorter or longer by `jitter` (0 to 1), so that runs do not try at the same moment."""
    return seconds * (0.75 + 0.5 * jitter)
