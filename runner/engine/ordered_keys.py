"""Keys in the order of their ranks: read from the front, changed one at a time."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K")
R = TypeVar("R")


class OrderedKeys(Generic[R, K]):
    """Keys sorted by rank; a change costs a search, and reading stops wherever the reader does.

    Ranks are comparable, and so are keys, which decide between equal ranks.
    """

    def __init__(self) -> None:
        self._ranks: dict[K, R] = {}
        self._sorted: list[tuple[Any, K]] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def __iter__(self) -> Iterator[tuple[R, K]]:
        return iter(self._sorted)

    def put(self, key: K, rank: R | None) -> None:
        """Give a key its rank; None removes the key."""
        previous = self._ranks.get(key)
        if rank == previous:
            return
        if previous is not None:
            del self._sorted[bisect_left(self._sorted, (previous, key))]
            del self._ranks[key]
        if rank is not None:
            insort(self._sorted, (rank, key))
            self._ranks[key] = rank
