"""Random numbers that depend on a seed and a key alone, in whatever order requests arrive."""

import hashlib
import math
from statistics import NormalDist


def chance(seed: int, *parts: object) -> float:
    """A number in (0, 1) derived from the seed and the parts of a key."""
    # A hash, not `random.Random`: the same on every version of Python, and without an order of calls.
    text = "\0".join([str(seed), *map(str, parts)])
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") + 0.5) / 2**64


def spread(median: float, sigma: float, quantile: float) -> float:
    """A log-normal duration around the median, as in real queues; `sigma` 0 gives the median itself."""
    # The ends of the distribution are infinite, and no task is.
    return median * math.exp(sigma * NormalDist().inv_cdf(min(max(quantile, 1e-9), 1 - 1e-9)))
