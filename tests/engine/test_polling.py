"""When a task is looked at again."""

import math
import random

import pytest

from runner.engine.duration_model import estimate, next_poll_delay


def waste_and_looks(median: float, sigma: float, prior: float, tasks: int = 60, seed: int = 1) -> tuple[float, float]:
    """Mean share of a task's time that its slot is kept after its end, and looks a task, once 20 were learned from."""
    chance = random.Random(seed)
    learned: dict[str, list[float]] = {"work": []}
    waste = looks = total = 0.0
    for number in range(tasks):
        took = median * math.exp(sigma * chance.gauss(0, 1))
        known = estimate(learned, "work", prior)
        at = count = 0.0
        while at < took:
            at += next_poll_delay(known, at)
            count += 1
        learned["work"].append(took)
        if number >= 20:
            waste, looks, total = waste + at - took, looks + count, total + took
    return waste / total, looks / (tasks - 20)


@pytest.mark.parametrize("median", [2.0, 20.0, 150.0, 600.0])
@pytest.mark.parametrize("sigma", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("wrong", [1 / 3, 1.0, 3.0])
def test_few_looks_waste_little_of_a_slot_whatever_the_prior(median: float, sigma: float, wrong: float) -> None:
    waste, looks = waste_and_looks(median, sigma, median * wrong)
    assert waste < (0.15 if median < 5 else 0.05)
    assert looks < 15


def test_before_anything_is_learned_a_scout_notices_tasks_of_seconds() -> None:
    known = estimate({}, "work", 150.0)
    assert next_poll_delay(known, 0.0, is_probe=True) <= 1.0
    assert next_poll_delay(known, 10.0, is_probe=True) <= 5.0
    assert next_poll_delay(known, 0.0) > 30.0, "the others wait for what scouts find"


def test_once_something_is_learned_nobody_is_a_scout() -> None:
    known = estimate({"work": [150.0] * 3}, "work", 150.0)
    assert next_poll_delay(known, 0.0, is_probe=True) == next_poll_delay(known, 0.0)


def test_another_class_of_work_is_a_better_prior_than_none() -> None:
    known = estimate({"720p": [20.0] * 30}, "1080p", 150.0)
    assert 15 < known.median < 30


def test_tasks_that_still_run_tell_that_tasks_are_long() -> None:
    quickest = {"work": [70.0, 80.0, 90.0]}
    alone = estimate(quickest, "work", 150.0)
    among_fifty = estimate(quickest, "work", 150.0, ages=[95.0] * 47)
    assert alone.median < 100 < among_fifty.median < 250
    assert estimate(quickest, "work", 150.0, ages=[1.0] * 47).median == pytest.approx(alone.median)


@pytest.mark.parametrize("prior", [50.0, 150.0, 450.0])
def test_the_first_ends_of_many_that_began_together_do_not_mislead(prior: float) -> None:
    chance = random.Random(3)
    took = sorted(150 * math.exp(0.35 * chance.gauss(0, 1)) for _ in range(50))
    known = estimate({"work": took[:5]}, "work", prior, ages=[took[4]] * 45)
    assert 110 < known.median < 200


def test_the_first_look_waits_until_an_end_is_near() -> None:
    known = estimate({"work": [150.0] * 10}, "work", 150.0)
    assert 60 < next_poll_delay(known, 0.0) < 120


def test_looks_are_never_nearer_than_a_quarter_second_nor_further_apart_than_a_task_takes() -> None:
    for took in (0.1, 5.0, 150.0, 600.0):
        known = estimate({"work": [took] * 30}, "work", 150.0)
        delays = [next_poll_delay(known, elapsed) for elapsed in (0.0, took / 2, took, 3 * took)]
        assert all(0.25 <= delay <= max(60.0, 1.1 * took) for delay in delays)


def test_more_patience_means_fewer_looks() -> None:
    known = estimate({"work": [150.0] * 30}, "work", 150.0)
    delays = [next_poll_delay(known, 100.0, patience) for patience in (0.4, 1.0, 4.0)]
    assert delays == sorted(delays)
    assert delays[0] < delays[2] / 2


def test_where_webhooks_tell_of_ends_silence_says_that_a_task_runs() -> None:
    chance = random.Random(5)
    known = estimate({"work": [150 * math.exp(0.35 * chance.gauss(0, 1)) for _ in range(100)]}, "work", 150.0)
    asked, told = next_poll_delay(known, 150.0), next_poll_delay(known, 150.0, unreported_share=0.1)
    assert told > 2 * asked
    assert next_poll_delay(known, 0.0, unreported_share=0.1) > 1.3 * next_poll_delay(known, 0.0)
    assert next_poll_delay(known, 600.0, unreported_share=0.1) < 60, (
        "but silence for too long is a webhook that was lost"
    )
