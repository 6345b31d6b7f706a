"""What a batch takes without any overhead, and what simpler ways of asking make of it. Pure."""

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Noticed = Callable[[float], tuple[float, int]]
"""Seconds that a task takes, to when its end is noticed and after how many questions."""


@dataclass(frozen=True, slots=True)
class BatchTime:
    """How a batch went: seconds from its start to its end, and questions a task."""

    seconds: float
    questions: float


def at_once(took: float) -> tuple[float, int]:
    return took, 0


def every(pause: float) -> Noticed:
    """Asking at a fixed interval, in seconds."""

    def noticed(took: float) -> tuple[float, int]:
        count = math.ceil(took / pause)
        return pause * count, count

    return noticed


def doubling(first: float, longest: float) -> Noticed:
    """Asking after pauses that double, in seconds."""

    def noticed(took: float) -> tuple[float, int]:
        at, pause, count = 0.0, first, 0
        while at < took:
            at, pause, count = at + pause, min(pause * 2, longest), count + 1
        return at, count

    return noticed


def list_schedule(
    took: Mapping[str, float], needs: Mapping[str, str], concurrency: int, noticed: Noticed = at_once
) -> BatchTime:
    """Longest chain first, then the given order; a slot is free when the end is noticed."""
    depth = _chains(took, needs)
    order = {name: number for number, name in enumerate(took)}
    ready = [(-depth[name], order[name], name) for name in took if name not in needs]
    heapq.heapify(ready)
    waiting: dict[str, list[str]] = {}
    for name, need in needs.items():
        waiting.setdefault(need, []).append(name)
    running: list[tuple[float, str]] = []
    now, questions = 0.0, 0
    while ready or running:
        while ready and len(running) < concurrency:
            name = heapq.heappop(ready)[2]
            end, count = noticed(took[name])
            questions += count
            heapq.heappush(running, (now + end, name))
        now, name = heapq.heappop(running)
        for other in waiting.get(name, ()):
            heapq.heappush(ready, (-depth[other], order[other], other))
    return BatchTime(now, questions / len(took))


def _chains(took: Mapping[str, float], needs: Mapping[str, str]) -> dict[str, int]:
    """How many tasks stand in the longest chain that begins with each: what is known before any has run."""
    depth = dict.fromkeys(took, 1)
    for name in took:
        length, above = 1, name
        while above in needs:
            above, length = needs[above], length + 1
            depth[above] = max(depth[above], length)
    return depth


def bound(took: Mapping[str, float], needs: Mapping[str, str], cap: int) -> float:
    """max(work / cap, longest chain): what nobody can be below, and nobody who does not know the times can reach."""
    longest = 0.0
    for name in took:
        length, above = took[name], name
        while above in needs:
            above = needs[above]
            length += took[above]
        longest = max(longest, length)
    return max(sum(took.values()) / cap, longest)


def idle(seconds: float, took: Mapping[str, float], cap: int) -> float:
    """The part of all slot-seconds in which no task ran."""
    return 1 - sum(took.values()) / (seconds * cap)


def best_waste(sigma: float, questions: float, *, steps: int = 600) -> float:
    """The part of its own length by which a log-normal task's end is noticed late, at least, at so many questions.

    Dynamic programming over when to ask next, for one who knows the distribution; the price of a question is searched
    for until they are as many as given.
    """
    grid = [5.0 * step / steps for step in range(steps + 1)]
    over = [0.0] + [0.5 * math.erfc(-math.log(at) / (sigma * math.sqrt(2))) for at in grid[1:]]
    part = [0.0]
    for step in range(1, steps + 1):
        part.append(part[-1] + (grid[step] + grid[step - 1]) / 2 * (over[step] - over[step - 1]))
    low, high = 1e-5, 0.1
    waste = 0.0
    for _ in range(12):
        price = math.sqrt(low * high)
        asking, waste = _inspected(grid, over, part, price)
        low, high = (price, high) if asking > questions else (low, price)
    return waste / math.exp(sigma**2 / 2)


def _inspected(grid: list[float], over: list[float], part: list[float], price: float) -> tuple[float, float]:
    """Questions and seconds lost of the plan that costs least when a question costs `price` seconds."""
    last = len(grid) - 1
    cost, questions, losses = [0.0] * (last + 1), [0.0] * (last + 1), [0.0] * (last + 1)
    for at in range(last - 1, -1, -1):
        best, best_next, late = math.inf, last, 0.0
        for next_at in range(at + 1, last + 1):
            missed = grid[next_at] * (over[next_at] - over[at]) - (part[next_at] - part[at])
            if missed >= best:
                break
            total = missed + price * (1 - over[at]) + cost[next_at]
            if total < best:
                best, best_next, late = total, next_at, missed
        cost[at] = best
        questions[at] = (1 - over[at]) + questions[best_next]
        losses[at] = late + losses[best_next]
    return questions[0], losses[0]
