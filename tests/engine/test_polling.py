"""When a task is looked at again."""

import math
import random

import pytest

from runner.engine.polling import belief, next_look


def waste_and_looks(median: float, sigma: float, prior: float, tasks: int = 60, seed: int = 1) -> tuple[float, float]:
    """Mean share of a task's time that its slot is kept after its end, and looks a task, once 20 were learned from."""
    chance = random.Random(seed)
    learned: dict[str, list[float]] = {"work": []}
    waste = looks = total = 0.0
    for number in range(tasks):
        took = median * math.exp(sigma * chance.gauss(0, 1))
        known = belief(learned, "work", prior)
        at = count = 0.0
        while at < took:
            at += next_look(known, at)
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


def test_before_anything_is_learned_tasks_of_seconds_are_noticed() -> None:
    known = belief({}, "work", 150.0)
    assert next_look(known, 0.0) <= 1.0
    assert next_look(known, 10.0) <= 5.0


def test_another_class_of_work_is_a_better_prior_than_none() -> None:
    known = belief({"720p": [20.0] * 30}, "1080p", 150.0)
    assert 15 < known.median < 30


def test_looks_are_never_further_apart_than_a_minute_nor_nearer_than_a_quarter_second() -> None:
    for took in (0.1, 5.0, 150.0):
        known = belief({"work": [took] * 30}, "work", 150.0)
        delays = [next_look(known, elapsed) for elapsed in (0.0, took / 2, took, 3 * took, 100 * took)]
        assert all(0.25 <= delay <= 60.0 for delay in delays)
