"""Exact decimals: read from parsed values, written in full."""

from decimal import Decimal


def exact_decimal(value: object) -> Decimal | None:
    """A parsed number as the decimal that was written; None for anything else, true and false included."""
    # By way of its text: Decimal(0.1) has 55 digits, and the user wrote one.
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def decimal_text(number: Decimal) -> str:
    """A decimal in full, without zeros at its end: `1000`, `7.5`."""
    # Fingerprints and digests hold this form: it must stay.
    return f"{number.normalize():f}"
