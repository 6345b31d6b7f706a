"""How far a bill may be from its quote before anybody is told: the provider rounds for itself."""

from decimal import Decimal

import pytest

from runner.attempts.attempt import price_deviation


@pytest.mark.parametrize(
    ("quoted", "billed", "deviation"),
    [
        ("142.55", "142.57", None),
        ("100", "100.05", None),
        ("100", "99.95", None),
        ("100", "100.06", "above"),
        ("100", "99.94", "below"),
        ("1000", "1000.5", None),
        ("1000", "1000.51", "above"),
        ("525", "175", "below"),
        ("200", None, None),
    ],
)
def test_a_difference_counts_from_five_hundredths_and_half_a_thousandth(
    quoted: str, billed: str | None, deviation: str | None
) -> None:
    assert price_deviation(None if billed is None else Decimal(billed), Decimal(quoted)) == deviation
