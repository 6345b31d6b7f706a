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
LEARNED = 3
"""Fewer tasks than this teach nothing yet."""
_PRIOR_WEIGHT, _CLASS_WEIGHT, _SIGMA_WEIGHT = 0.5, 2.0, 8.0
"""So many tasks weigh as much as the prior, as what other classes taught, as the prior's deviation."""
_SHORTEST, _LONGEST = 0.25, 60.0
_BOUND = 0.00287
"""Lost slot-seconds at which a look pays, as a part of what a task takes: about ten looks a task."""
_FIRST = 1.5
"""The bound of a task's first look, of the others': up to there the chance of an end grows fast."""
_SCOUT = 0.5
"""A scout is looked at when its age has grown by this part."""
_RECENT = 200
"""So many of the last tasks are enough to learn from, and a provider that changed is noticed."""


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """How long tasks of a class take: log-normal, by mean and deviation of the logarithm of seconds."""

    mu: float
    sigma: float
    seen: int
    """How many tasks it was learned from, of any class."""

    @property
    def median(self) -> float:
        return math.exp(self.mu)


def estimate(
    durations: Mapping[str, Sequence[float]], work: str, prior: float, ages: Sequence[float] = ()
) -> DurationEstimate:
    """What is known of a class of work: its own tasks, shrunk to those of all classes, these to `prior` seconds.

    `ages` are the seconds for which its tasks that still run have lasted, when last looked at.
    """
    pooled = _logs(list(chain.from_iterable(seconds[-_RECENT:] for seconds in durations.values())))
    own = _logs(durations.get(work, ()))
    ground, weight = math.log(prior), _PRIOR_WEIGHT
    if len(pooled) > len(own):
        ground, weight = (sum(pooled) + weight * ground) / (len(pooled) + weight), _CLASS_WEIGHT
    count, total = len(own) + weight, sum(own) + weight * ground
    spread = sum((value - total / count) ** 2 for value in own)
    sigma = math.sqrt((spread + _SIGMA_WEIGHT * PRIOR_SIGMA**2) / (len(own) + _SIGMA_WEIGHT))
    sigma = max(sigma, 0.05)
    mu, told = _censored_fit(total, count, sigma, _logs(ages))
    return DurationEstimate(mu, sigma * math.sqrt(1 + 1 / told), len(pooled))


def _censored_fit(total: float, count: float, sigma: float, ages: Sequence[float]) -> tuple[float, float]:
    """The mean of `count` logarithms with that total and of others that only exceed `ages`; and how many it is worth.

    Newton's method on the likelihood, which has one top.
    """
    mu, worth = total / count, count
    for _ in range(6 if ages else 0):
        places = [(age - mu) / sigma for age in ages]
        hazards = [(_hazard(place), place) for place in places if place > -3]
        worth = count + sum(hazard * (hazard - place) for hazard, place in hazards)
        step = (total - count * mu + sigma * sum(hazard for hazard, _ in hazards)) / worth
        mu += min(max(step, -1.0), 1.0)
        if abs(step) < 0.001:
            break
    return mu, worth


def _hazard(place: float) -> float:
    """Density by survival of the standard normal distribution."""
    if place > 6:
        return place + 1 / place
    return math.exp(-place * place / 2) * math.sqrt(2 / math.pi) / math.erfc(place / math.sqrt(2))


def _logs(seconds: Sequence[float]) -> list[float]:
    return [math.log(max(value, 0.05)) for value in seconds[-_RECENT:]]


def next_poll_delay(
    known: DurationEstimate, elapsed: float, patience: float = 1.0, *, unheard: float = 1.0, scout: bool = False
) -> float:
    """Seconds from a look at `elapsed` (since creation; 0 is the creation itself) to the next one.

    `patience` above 1 looks more seldom. `unheard` is the share of ends that no webhook tells.
    """
    bound = max(_BOUND * known.median * patience * (1.0 if elapsed else _FIRST), 0.02)
    delay = _delay_for_expected_loss(known, max(elapsed, 0.001), bound, unheard)
    if scout and known.seen < LEARNED:
        delay = min(delay, max(0.5, _SCOUT * elapsed))
    longest = max(_LONGEST, known.median * (2 - unheard))
    return min(max(delay, _SHORTEST), longest)


def _delay_for_expected_loss(known: DurationEstimate, elapsed: float, bound: float, unheard: float) -> float:
    """The delay after which E[(t - T)+ | T > elapsed, and no webhook by t] reaches the bound."""
    alive = _survival(known, elapsed)
    if alive < 1e-6:  # far beyond all that was seen: ask at growing intervals
        return 0.1 * elapsed
    before = _partial(known, elapsed)
    low, high = elapsed, 2 * (known.median + elapsed)
    for _ in range(20):
        end = (low + high) / 2
        ended = alive - _survival(known, end)
        lost = end * ended - (_partial(known, end) - before)
        if unheard * lost < bound * (alive - (1 - unheard) * ended):
            low = end
        else:
            high = end
    return high - elapsed


def _survival(known: DurationEstimate, seconds: float) -> float:
    return 0.5 * math.erfc((math.log(seconds) - known.mu) / (known.sigma * math.sqrt(2)))


def _partial(known: DurationEstimate, seconds: float) -> float:
    """E[T; T <= seconds]."""
    mean = math.exp(known.mu + known.sigma**2 / 2)
    place = (math.log(seconds) - known.mu - known.sigma**2) / known.sigma
    return mean * 0.5 * math.erfc(-place / math.sqrt(2))
