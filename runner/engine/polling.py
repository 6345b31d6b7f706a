"""When to look at a task again: when the slot-seconds that are probably lost since the last look are enough. Pure."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

from runner.values import dataclass

PRIOR_SIGMA = 0.35
_PRIOR_WEIGHT = 2.0
_SIGMA_WEIGHT = 4.0
_LEARNED = 3
_SHORTEST, _LONGEST = 0.25, 60.0
_BOUND = 0.0042
"""Lost slot-seconds at which a look pays, as a part of what a task takes."""


@dataclass(frozen=True, slots=True)
class Belief:
    """How long tasks of a class take: log-normal, by mean and deviation of the logarithm of seconds."""

    mu: float
    sigma: float
    seen: int
    """How many tasks it was learned from, of any class."""

    @property
    def median(self) -> float:
        return math.exp(self.mu)


_RECENT = 200
"""So many of the last tasks are enough to learn from, and a provider that changed is noticed."""


def belief(durations: Mapping[str, Sequence[float]], work: str, prior: float) -> Belief:
    """What is known of a class of work: its own tasks, shrunk to those of all classes, these to `prior` seconds."""
    pooled = _logs(list(chain.from_iterable(seconds[-_RECENT:] for seconds in durations.values())))
    own = _logs(durations.get(work, ()))
    ground = _shrunk(pooled, math.log(prior), 1.0) if pooled else math.log(prior)
    mu = _shrunk(own, ground, _PRIOR_WEIGHT)
    spread = sum((value - mu) ** 2 for value in own)
    sigma = math.sqrt((spread + _SIGMA_WEIGHT * PRIOR_SIGMA**2) / (len(own) + _SIGMA_WEIGHT))
    return Belief(mu, max(sigma, 0.05), len(pooled))


def _logs(seconds: Sequence[float]) -> list[float]:
    return [math.log(max(value, 0.05)) for value in seconds[-_RECENT:]]


def _shrunk(values: Sequence[float], towards: float, weight: float) -> float:
    return (sum(values) + weight * towards) / (len(values) + weight)


def next_look(known: Belief, elapsed: float, patience: float = 1.0) -> float:
    """Seconds from a look at `elapsed` (since creation) that found the task running, until the next one.

    `patience` above 1 looks more seldom: requests are short, or nobody waits for the slot.
    """
    bound = max(_BOUND * known.median * patience, 0.02)
    delay = _until_lost(known, max(elapsed, 0.001), bound)
    if known.seen < _LEARNED:  # the prior may be wrong by far: tasks of seconds exist
        delay = min(delay, max(0.5, 0.5 * elapsed))
    longest = max(_LONGEST, known.median / 4) * max(1.0, patience / 10)
    return min(max(delay, _SHORTEST), longest)


def _until_lost(known: Belief, elapsed: float, bound: float) -> float:
    """The delay after which E[(t - T)+ | T > elapsed] reaches the bound."""
    alive = _survival(known, elapsed)
    if alive < 1e-6:  # far beyond all that was seen: ask at growing intervals
        return 0.1 * elapsed
    low, high = 0.0, 2 * known.median + elapsed
    for _ in range(40):
        middle = (low + high) / 2
        if _lost(known, elapsed, elapsed + middle) / alive < bound:
            low = middle
        else:
            high = middle
    return high


def _lost(known: Belief, start: float, end: float) -> float:
    """Integral over (start, end) of (end - t) dF(t)."""
    share = _survival(known, start) - _survival(known, end)
    return end * share - (_partial(known, end) - _partial(known, start))


def _survival(known: Belief, seconds: float) -> float:
    return 0.5 * math.erfc((math.log(seconds) - known.mu) / (known.sigma * math.sqrt(2)))


def _partial(known: Belief, seconds: float) -> float:
    """E[T; T <= seconds]."""
    mean = math.exp(known.mu + known.sigma**2 / 2)
    place = (math.log(seconds) - known.mu - known.sigma**2) / known.sigma
    return mean * 0.5 * math.erfc(-place / math.sqrt(2))
