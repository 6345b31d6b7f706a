"""Headers of answers: the first of a name, and the time to wait."""

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

Headers = Iterable[tuple[str, str]]
MAX_RETRY_AFTER = 300.0
"""The longest `Retry-After`, in seconds, that is obeyed."""


def header(headers: Headers, name: str) -> str | None:
    """The first header with a name (lower case), compared without case."""
    return next((value for key, value in headers if key.lower() == name), None)


def retry_after(headers: Headers) -> float | None:
    """Seconds of `Retry-After`, at most 300; a date counts from the server's `Date`; None if unreadable."""
    headers = tuple(headers)
    text = (header(headers, "retry-after") or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text) and text.isascii():
        # Twenty digits are enough: a number of a million digits takes long to read.
        return min(float(text[:20]), MAX_RETRY_AFTER)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(header(headers, "date") or "")
        return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)
    except (ValueError, TypeError, OverflowError):
        return None
