"""When to look at a task again: when the slot-seconds that are probably lost by then are worth a look. Pure.

A look costs a request, a late look costs slot-seconds: the task has ended, and its slot stands empty. So the next look
falls where the seconds that are lost, by expectation, reach a bound. With a bound that stays the same this is within
1 % of the best that dynamic programming finds; with a first look that waits for half as much again it is that best.

- How long a task takes is log-normal, learned for each class of work from those that ended (clean times, by the
  provider's clock) and from those that still run: they have lasted so long at least, which matters most in the first
  minutes, when only the quickest have ended.
- Where webhooks arrive, silence says that a task probably runs: only an end that is not told of counts as lost.
- While nothing is learned, the first two tasks are scouts: looked at early, so that tasks of seconds are noticed under
  a prior of minutes. The others wait for what scouts find.
- The bound is a share of what a task takes, so that the looks a task gets are the same from seconds to ten minutes.

What a look costs and a slot is worth at a moment is `watching.patience`.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

from runner.lazy_dataclass import dataclass

PRIOR_SIGMA = 0.35
MIN_SAMPLE = 3
"""Fewer tasks than this teach nothing yet."""
_PRIOR_WEIGHT, _CLASS_WEIGHT, _SIGMA_WEIGHT = 0.5, 2.0, 8.0
"""So many tasks weigh as much as the prior, as what other classes taught, as the prior's deviation."""
_MIN_DELAY, _MAX_DELAY = 0.25, 60.0
_LOSS_BOUND = 0.00287
"""Lost slot-seconds at which a look pays, as a part of what a task takes: about ten looks a task."""
_FIRST_POLL_FACTOR = 1.5
"""The bound of a task's first look, of the others': up to there the chance of an end grows fast."""
_PROBE_GROWTH = 0.5
"""A scout is looked at when its age has grown by this part."""
_LEARN_FROM_LAST = 200
"""So many of the last tasks are enough to learn from, and a provider that changed is noticed."""


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """How long tasks of a class take: log-normal, by mean and deviation of the logarithm of seconds."""

    mu: float
    sigma: float
    sample_size: int
    """How many tasks it was learned from, of any class."""

    @property
    def median(self) -> float:
        return math.exp(self.mu)


def estimate(
    durations: Mapping[str, Sequence[float]], work_class: str, prior: float, ages: Sequence[float] = ()
) -> DurationEstimate:
    """What is known of a class of work: its own tasks, shrunk to those of all classes, these to `prior` seconds.

    `ages` are the seconds for which its tasks that still run have lasted, when last looked at.
    """
    pooled = _logs(list(chain.from_iterable(seconds[-_LEARN_FROM_LAST:] for seconds in durations.values())))
    own = _logs(durations.get(work_class, ()))
    prior_mu, prior_weight = math.log(prior), _PRIOR_WEIGHT
    if len(pooled) > len(own):
        prior_mu, prior_weight = (sum(pooled) + prior_weight * prior_mu) / (len(pooled) + prior_weight), _CLASS_WEIGHT
    count, total = len(own) + prior_weight, sum(own) + prior_weight * prior_mu
    spread = sum((value - total / count) ** 2 for value in own)
    sigma = math.sqrt((spread + _SIGMA_WEIGHT * PRIOR_SIGMA**2) / (len(own) + _SIGMA_WEIGHT))
    sigma = max(sigma, 0.05)
    mu, information = _censored_fit(total, count, sigma, _logs(ages))
    return DurationEstimate(mu, sigma * math.sqrt(1 + 1 / information), len(pooled))


def _censored_fit(total: float, count: float, sigma: float, ages: Sequence[float]) -> tuple[float, float]:
    """The mean of `count` logarithms with that total and of others that only exceed `ages`; and how many it is worth.

    Newton's method on the likelihood, which has one top.
    """
    mu, information = total / count, count
    for _ in range(6 if ages else 0):
        scores = [(age - mu) / sigma for age in ages]
        hazards = [(_hazard(score), score) for score in scores if score > -3]
        information = count + sum(hazard * (hazard - score) for hazard, score in hazards)
        step = (total - count * mu + sigma * sum(hazard for hazard, _ in hazards)) / information
        mu += min(max(step, -1.0), 1.0)
        if abs(step) < 0.001:
            break
    return mu, information


def _hazard(score: float) -> float:
    """Density by survival of the standard normal distribution."""
    if score > 6:
        return score + 1 / score
    return math.exp(-score * score / 2) * math.sqrt(2 / math.pi) / math.erfc(score / math.sqrt(2))


def _logs(seconds: Sequence[float]) -> list[float]:
    return [math.log(max(value, 0.05)) for value in seconds[-_LEARN_FROM_LAST:]]


def next_poll_delay(
    duration: DurationEstimate,
    elapsed: float,
    cost_factor: float = 1.0,
    *,
    unreported_share: float = 1.0,
    is_probe: bool = False,
) -> float:
    """Seconds from a look at `elapsed` (since creation; 0 is the creation itself) to the next one.

    `patience` above 1 looks more seldom. `unheard` is the share of ends that no webhook tells.
    """
    bound = max(_LOSS_BOUND * duration.median * cost_factor * (1.0 if elapsed else _FIRST_POLL_FACTOR), 0.02)
    delay = _delay_for_expected_loss(duration, max(elapsed, 0.001), bound, unreported_share)
    if is_probe and duration.sample_size < MIN_SAMPLE:
        delay = min(delay, max(0.5, _PROBE_GROWTH * elapsed))
    longest = max(_MAX_DELAY, duration.median * (2 - unreported_share))
    return min(max(delay, _MIN_DELAY), longest)


def _delay_for_expected_loss(
    duration: DurationEstimate, elapsed: float, bound: float, unreported_share: float
) -> float:
    """The delay after which E[(t - T)+ | T > elapsed, and no webhook by t] reaches the bound."""
    survival = _survival(duration, elapsed)
    if survival < 1e-6:  # far beyond all that was seen: ask at growing intervals
        return 0.1 * elapsed
    partial_before = _partial_mean(duration, elapsed)
    low, high = elapsed, 2 * (duration.median + elapsed)
    for _ in range(20):
        end = (low + high) / 2
        ended = survival - _survival(duration, end)
        loss = end * ended - (_partial_mean(duration, end) - partial_before)
        if unreported_share * loss < bound * (survival - (1 - unreported_share) * ended):
            low = end
        else:
            high = end
    return high - elapsed


def _survival(duration: DurationEstimate, seconds: float) -> float:
    return 0.5 * math.erfc((math.log(seconds) - duration.mu) / (duration.sigma * math.sqrt(2)))


def _partial_mean(duration: DurationEstimate, seconds: float) -> float:
    """E[T; T <= seconds]."""
    mean = math.exp(duration.mu + duration.sigma**2 / 2)
    score = (math.log(seconds) - duration.mu - duration.sigma**2) / duration.sigma
    return mean * 0.5 * math.erfc(-score / math.sqrt(2))
