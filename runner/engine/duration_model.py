"""The duration model: how long tasks take, and when the next poll of a task pays. Pure.

A poll costs a request; a late poll costs slot-seconds, because the task has ended and its slot is idle. So the next
poll falls where the expected loss of slot-seconds reaches a bound. A constant bound is within 1 % of the optimum that
dynamic programming finds; a first poll with half as much again reaches that optimum.

- The duration of a task is log-normal. It is learned for each class of work from tasks that ended (exact times, by the
  provider's clock) and from tasks that still run (censored times: a lower limit), which matter most in the first
  minutes, when only the quickest tasks have ended.
- Where webhooks arrive, silence means that a task probably runs: only an end without a webhook counts as lost.
- While nothing is learned, the first two tasks are probes: polled early, so that tasks of seconds are noticed under
  a prior of minutes. The other tasks wait for the probes' results.
- The bound is a share of the median, so that a task of seconds gets as many polls as a task of ten minutes.

`poll_timing.poll_cost_factor` scales the bound by the price of a request and the worth of a slot at the moment.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

from runner.lazy_dataclass import dataclass

PRIOR_SIGMA = 0.35
"""Deviation of the logarithm of seconds before anything is learned: 19 of 20 tasks within twice or half the median."""
MIN_SAMPLE = 3
"""With fewer ended tasks than this, the first tasks are probes."""
# Weights, in tasks: of the prior mean, of the mean over other classes, of the prior deviation.
_PRIOR_WEIGHT, _CLASS_WEIGHT, _SIGMA_WEIGHT = 0.5, 2.0, 8.0
# Seconds between two polls of a task: a model that errs neither floods the provider nor leaves a slot idle.
_MIN_DELAY, _MAX_DELAY = 0.25, 60.0
# Expected loss at which a poll pays, as a share of the median duration; fitted to about ten polls a task.
_LOSS_BOUND = 0.00287
# The first poll may lose 1.5 times the usual bound: the end probability rises steeply until then.
_FIRST_POLL_FACTOR = 1.5
# A probe is polled when its age has grown by this share.
_PROBE_GROWTH = 0.5
# Only this many of the latest tasks count, so that a change at the provider is noticed.
_LEARN_FROM_LAST = 200


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """Estimated duration of a class of work: log-normal, by mean and deviation of the logarithm of seconds."""

    mu: float
    sigma: float
    sample_size: int
    """How many ended tasks the estimate is learned from, of any class."""

    @property
    def median(self) -> float:
        """Median duration in seconds."""
        return math.exp(self.mu)


def estimate(
    durations: Mapping[str, Sequence[float]], work_class: str, prior: float, ages: Sequence[float] = ()
) -> DurationEstimate:
    """Estimate the duration of a class of work: its own tasks, shrunk to those of all classes, these to `prior`.

    `ages` are the ages in seconds of the class's running tasks at their last poll.
    """
    pooled = _logs(list(chain.from_iterable(seconds[-_LEARN_FROM_LAST:] for seconds in durations.values())))
    own = _logs(durations.get(work_class, ()))
    prior_mu, prior_weight = math.log(prior), _PRIOR_WEIGHT
    if len(pooled) > len(own):
        prior_mu, prior_weight = (sum(pooled) + prior_weight * prior_mu) / (len(pooled) + prior_weight), _CLASS_WEIGHT
    count, total = len(own) + prior_weight, sum(own) + prior_weight * prior_mu
    spread = sum((value - total / count) ** 2 for value in own)
    sigma = math.sqrt((spread + _SIGMA_WEIGHT * PRIOR_SIGMA**2) / (len(own) + _SIGMA_WEIGHT))
    # Tasks that by chance took equally long must not make the model certain of the next one.
    sigma = max(sigma, 0.05)
    mu, information = _censored_fit(total, count, sigma, _logs(ages))
    # The deviation of a new task is that of the tasks and that of the mean which is estimated from them.
    return DurationEstimate(mu, sigma * math.sqrt(1 + 1 / information), len(pooled))


def _censored_fit(total: float, count: float, sigma: float, ages: Sequence[float]) -> tuple[float, float]:
    """The mean of `count` logarithms of sum `total` and of censored ones above `ages`; and its weight in tasks.

    Newton's method on the likelihood, which has a single maximum.
    """
    mu, information = total / count, count
    # At most six steps: most estimates are within 0.001 by then, and each step is a pass over all running tasks.
    for _ in range(6 if ages else 0):
        scores = [(age - mu) / sigma for age in ages]
        # A task younger by three deviations than the mean says nothing about it: its hazard is below 0.005.
        hazards = [(_hazard(score), score) for score in scores if score > -3]
        information = count + sum(hazard * (hazard - score) for hazard, score in hazards)
        step = (total - count * mu + sigma * sum(hazard for hazard, _ in hazards)) / information
        # A factor of e at most: from a poor start Newton would overshoot.
        mu += min(max(step, -1.0), 1.0)
        if abs(step) < 0.001:
            break
    return mu, information


def _hazard(score: float) -> float:
    """Density divided by survival of the standard normal distribution."""
    # `erfc` underflows to zero for large scores, which would divide by it; the asymptote errs by 0.2 % from here on.
    if score > 6:
        return score + 1 / score
    return math.exp(-score * score / 2) * math.sqrt(2 / math.pi) / math.erfc(score / math.sqrt(2))


def _logs(seconds: Sequence[float]) -> list[float]:
    # A task of the free sandbox may have taken zero seconds by its clock, and zero has no logarithm.
    return [math.log(max(value, 0.05)) for value in seconds[-_LEARN_FROM_LAST:]]


def next_poll_delay(
    duration: DurationEstimate,
    elapsed: float,
    cost_factor: float = 1.0,
    *,
    unreported_share: float = 1.0,
    is_probe: bool = False,
) -> float:
    """Seconds from a poll at age `elapsed` (0 is the creation itself) to the next poll.

    A `cost_factor` above 1 polls less often. `unreported_share` is the share of ends without a webhook.
    """
    bound = max(_LOSS_BOUND * duration.median * cost_factor * (1.0 if elapsed else _FIRST_POLL_FACTOR), 0.02)
    delay = _delay_for_expected_loss(duration, max(elapsed, 0.001), bound, unreported_share)
    if is_probe and duration.sample_size < MIN_SAMPLE:
        delay = min(delay, max(0.5, _PROBE_GROWTH * elapsed))
    # Where webhooks report the ends, a poll is a safety net and may wait for about two medians.
    longest = max(_MAX_DELAY, duration.median * (2 - unreported_share))
    return min(max(delay, _MIN_DELAY), longest)


def _delay_for_expected_loss(
    duration: DurationEstimate, elapsed: float, bound: float, unreported_share: float
) -> float:
    """The delay after which E[(t - T)+ | T > elapsed, and no webhook by t] reaches the bound."""
    survival = _survival(duration, elapsed)
    if survival < 1e-6:  # far beyond all known durations: poll at growing intervals
        return 0.1 * elapsed
    partial_before = _partial_mean(duration, elapsed)
    low, high = elapsed, 2 * (duration.median + elapsed)
    # Bisection: twenty halvings of some minutes are below a millisecond.
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
