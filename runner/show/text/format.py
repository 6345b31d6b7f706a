"""The form of credits, dollars, seconds, bytes and times for people."""

from datetime import datetime, tzinfo
from decimal import Decimal

from runner.diagnostics.plural import count as count
from runner.requests.request import usd_text


def credits_text(amount: Decimal | None) -> str:
    """Credits as `1,280` or `7.5`; `?` for an unknown price."""
    if amount is None:
        return "?"
    # The zeros at the end of an exact 7.50 say nothing.
    return f"{amount.normalize():,f}" if amount % 1 else f"{int(amount):,}"


def dollars(usd: Decimal | None) -> str:
    """Dollars as `$22.40`, `$1,280.00` or `$0.075`; `?` for an unknown price."""
    text = usd_text(usd)
    if text is None:
        return "?"
    whole, _, cents = text.partition(".")
    return f"${int(whole):,}.{cents}"


def money(credits: Decimal | None, usd_per_credit: Decimal) -> str:
    """A price as `4,480 credits ($22.40)`."""
    if credits is None:
        return "an unknown number of credits"
    unit = "credit" if credits == 1 else "credits"
    return f"{credits_text(credits)} {unit} ({dollars(credits * usd_per_credit)})"


def length(seconds: Decimal | float) -> str:
    """Film time as `1:36` or `1:02:05`, rounded to the second."""
    whole = int(Decimal(seconds).to_integral_value())
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def lasting(seconds: float) -> str:
    """A rounded duration: `40 s`, `3 min`, `1 h 20 min`."""
    # `1 min` for 89 seconds would be off by a third; so with the hour below.
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"


def volume(count: int) -> str:
    """Bytes as `812 B` or `6.2 MB`."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        # From here on one decimal rounds up to `1000.0 kB`.
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """A time in `zone`, by default the machine's own: `2026-11-21 14:02`."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
