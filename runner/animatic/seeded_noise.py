"""Pseudo-random numbers from a text: the same spec always draws the same picture."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


# By hand: of `random` only `random()` is promised to give the same numbers in every version of Python.
class SeededNoise:
    """A generator of its own (splitmix64): the same seed gives the same numbers in every process."""

    __slots__ = ("_seed", "_state")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._state = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "replace")).digest()[:8], "big")

    def substream(self, name: str) -> "SeededNoise":
        """An independent generator for one purpose: one more number drawn elsewhere changes nothing in it."""
        return SeededNoise(f"{self._seed}\n{name}")

    def unit(self) -> float:
        """A number in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, share: float) -> bool:
        return self.unit() < share

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.unit() * len(items))]


def random_bytes(seed: str, count: int) -> bytes:
    """Evenly distributed bytes, produced quickly."""
    return hashlib.shake_256(seed.encode("utf-8", "replace")).digest(count)
