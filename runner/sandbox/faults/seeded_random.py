"""Chance that is the same again for the same seed, in whatever order requests arrive."""

import hashlib
import math
from statistics import NormalDist


def chance(seed: int, *what: object) -> float:
    """A number in (0, 1) that depends on nothing but the seed and what it is asked for."""
    text = "\0".join([str(seed), *map(str, what)])
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") + 0.5) / 2**64


def spread(middle: float, sigma: float, number: float) -> float:
    """A length around the middle, log-normal as real queues are; `sigma` 0 is the middle itself."""
    return middle * math.exp(sigma * NormalDist().inv_cdf(min(max(number, 1e-9), 1 - 1e-9)))
