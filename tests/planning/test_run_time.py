"""What `plan` says a run takes: by cores, size and length of the clips when they are drawn here, by slots otherwise."""

from decimal import Decimal
from typing import Any

import pytest

from runner.planning.plan import Plan
from runner.planning.run_time import estimated_seconds
from tests.builders.plans import FREE, last_frame, plan, shot


def _free(count: int, **fields: Any) -> Plan:
    return plan(*(shot(f"s{number}", **fields) for number in range(count)), account=FREE)


def _seconds(decided: Plan, concurrency: int = 3, cores: int = 2) -> float:
    seconds = estimated_seconds(decided, concurrency, cores)
    assert seconds is not None
    return seconds


def test_a_free_run_takes_half_the_time_on_twice_the_cores() -> None:
    decided = _free(24)
    one, two = (_seconds(decided, cores=cores) for cores in (1, 2))
    assert 1.7 < one / two < 2
    assert _seconds(decided, cores=8) == _seconds(decided, cores=3)


def test_a_free_run_takes_longer_for_larger_and_for_longer_clips() -> None:
    small = _seconds(_free(20, resolution="480p", seconds=4))
    assert 1.15 < _seconds(_free(20, resolution="720p", seconds=4)) / small < 2
    assert 1.5 < _seconds(_free(20, resolution="480p", seconds=10)) / small < 2


def test_a_free_run_takes_what_its_drawing_and_its_tasks_take() -> None:
    drawing = 0.07 + 4 * (0.02 + 0.065 * 853 * 480 / 1e6)
    expected = 1.0 + 26 * (0.2 + drawing) / 2
    assert _seconds(_free(26, resolution="480p", seconds=4)) == pytest.approx(expected)


def test_a_film_that_has_to_be_encoded_takes_its_cut_as_well() -> None:
    decided = _free(4, seconds=5)
    trimmed = plan(*(shot(f"s{number}", seconds=5, film_seconds=Decimal(4)) for number in range(4)), account=FREE)
    assert _seconds(trimmed) == pytest.approx(_seconds(decided) + 0.16 * 16 / 2)
    sizes = ("480p", "720p", "480p", "720p")
    mixed = plan(*(shot(f"s{number}", resolution=size) for number, size in enumerate(sizes)), account=FREE)
    alone = [_seconds(_free(1, resolution=size)) - 1 for size in sizes]
    assert _seconds(mixed) == pytest.approx(1 + sum(alone) / 2 + 0.16 * 20 / 2)


def test_a_chain_takes_as_long_as_its_shots_one_after_the_other() -> None:
    chain = [shot("s0"), *(shot(f"s{number}", materials=[last_frame(f"s{number - 1}")]) for number in range(1, 6))]
    assert _seconds(plan(*chain, account=FREE)) > 1.5 * _seconds(_free(6))


def test_a_paid_run_takes_its_tasks_over_the_slots() -> None:
    assert _seconds(plan(*(shot(f"s{number}") for number in range(7)))) == 3 * 150


def test_a_run_with_nothing_to_make_has_no_time() -> None:
    assert estimated_seconds(plan(account=FREE), 3, 2) is None
