"""The delay until a task is polled again."""

import math
import random

import pytest

from runner.engine.duration_model import estimate, next_poll_delay


def waste_and_polls(median: float, sigma: float, prior: float, tasks: int = 60, seed: int = 1) -> tuple[float, float]:
    """Mean share of a task's time that its slot is kept after its end, and polls a task, after the first 20."""
    chance = random.Random(seed)
    learned: dict[str, list[float]] = {"work": []}
    waste = polls = total = 0.0
    for number in range(tasks):
        took = median * math.exp(sigma * chance.gauss(0, 1))
        estimated = estimate(learned, "work", prior)
        at = count = 0.0
        while at < took:
            at += next_poll_delay(estimated, at)
            count += 1
        learned["work"].append(took)
        if number >= 20:
            waste, polls, total = waste + at - took, polls + count, total + took
    return waste / total, polls / (tasks - 20)


@pytest.mark.parametrize("median", [2.0, 20.0, 150.0, 600.0])
@pytest.mark.parametrize("sigma", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("wrong", [1 / 3, 1.0, 3.0])
def test_few_polls_waste_little_of_a_slot_whatever_the_prior(median: float, sigma: float, wrong: float) -> None:
    waste, polls = waste_and_polls(median, sigma, median * wrong)
    assert waste < (0.15 if median < 5 else 0.05)
    assert polls < 15


def test_before_anything_is_learned_a_probe_notices_tasks_of_seconds() -> None:
    estimated = estimate({}, "work", 150.0)
    assert next_poll_delay(estimated, 0.0, is_probe=True) <= 1.0
    assert next_poll_delay(estimated, 10.0, is_probe=True) <= 5.0
    assert next_poll_delay(estimated, 0.0) > 30.0, "the others wait for the probes"


def test_once_something_is_learned_no_task_is_a_probe() -> None:
    estimated = estimate({"work": [150.0] * 3}, "work", 150.0)
    assert next_poll_delay(estimated, 0.0, is_probe=True) == next_poll_delay(estimated, 0.0)


def test_another_class_of_work_is_a_better_prior_than_none() -> None:
    estimated = estimate({"720p": [20.0] * 30}, "1080p", 150.0)
    assert 15 < estimated.median < 30


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
    estimated = estimate({"work": took[:5]}, "work", prior, ages=[took[4]] * 45)
    assert 110 < estimated.median < 200


def test_the_first_poll_waits_until_an_end_is_near() -> None:
    estimated = estimate({"work": [150.0] * 10}, "work", 150.0)
    assert 60 < next_poll_delay(estimated, 0.0) < 120


def test_polls_are_never_nearer_than_a_quarter_second_nor_further_apart_than_a_task_takes() -> None:
    for took in (0.1, 5.0, 150.0, 600.0):
        estimated = estimate({"work": [took] * 30}, "work", 150.0)
        delays = [next_poll_delay(estimated, elapsed) for elapsed in (0.0, took / 2, took, 3 * took)]
        assert all(0.25 <= delay <= max(60.0, 1.1 * took) for delay in delays)


def test_a_higher_cost_means_fewer_polls() -> None:
    estimated = estimate({"work": [150.0] * 30}, "work", 150.0)
    delays = [next_poll_delay(estimated, 100.0, cost_factor) for cost_factor in (0.4, 1.0, 4.0)]
    assert delays == sorted(delays)
    assert delays[0] < delays[2] / 2


def test_where_webhooks_report_ends_silence_means_that_a_task_runs() -> None:
    chance = random.Random(5)
    estimated = estimate({"work": [150 * math.exp(0.35 * chance.gauss(0, 1)) for _ in range(100)]}, "work", 150.0)
    polled, with_webhooks = next_poll_delay(estimated, 150.0), next_poll_delay(estimated, 150.0, unreported_share=0.1)
    assert with_webhooks > 2 * polled
    assert next_poll_delay(estimated, 0.0, unreported_share=0.1) > 1.3 * next_poll_delay(estimated, 0.0)
    assert next_poll_delay(estimated, 600.0, unreported_share=0.1) < 60, (
        "but silence for too long is a webhook that was lost"
    )
