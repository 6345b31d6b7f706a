"""Credits, dollars, seconds and bytes as a person reads them."""

from datetime import datetime, tzinfo
from decimal import Decimal

from runner.requests.request import usd_text


def credits_text(credits: Decimal | None) -> str:
    """`1,280`, `7.5`; `?` is a price that the book does not know."""
    if credits is None:
        return "?"
    return f"{credits.normalize():,f}" if credits % 1 else f"{int(credits):,}"


def dollars(usd: Decimal | None) -> str:
    """`$22.40`, `$1,280.00`, `$0.075`; `?` when it is not known."""
    text = usd_text(usd)
    if text is None:
        return "?"
    whole, _, cents = text.partition(".")
    return f"${int(whole):,}.{cents}"


def money(credits: Decimal | None, usd_per_credit: Decimal) -> str:
    """`4,480 credits ($22.40)`."""
    if credits is None:
        return "an unknown number of credits"
    unit = "credit" if credits == 1 else "credits"
    return f"{credits_text(credits)} {unit} ({dollars(credits * usd_per_credit)})"


def length(seconds: Decimal | float) -> str:
    """Film time: `1:36`, `1:02:05`; fractions are rounded to the second."""
    whole = int(Decimal(seconds).to_integral_value())
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def lasting(seconds: float) -> str:
    """How long something takes, roughly: `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"


def volume(count: int) -> str:
    """Bytes as `812 B`, `6.2 MB`."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """`1 shot`, `24 shots`, `3 storyboards`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """A moment in the reader's own time zone, or the one given: `2026-11-21 14:02`."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
