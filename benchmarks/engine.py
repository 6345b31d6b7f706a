"""How long a batch takes beyond what is needed, and how many questions that costs.

    python -m benchmarks.engine [--tasks 400] [--seeds 3]

The real loop makes a batch over the real ledger and a simulated provider, in time that passes only when everybody
waits; task times are log-normal (median 150 s, sigma 0.35). Beside it, for the same tasks in the same order: the list
schedule without any overhead (the bound that an on-line order can reach), and the same schedule when ends are noticed
by asking every 5 s, or after pauses that double from 1 to 30 s.
"""

import argparse
import heapq
import math
import random
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio

from runner.edition.callback import Callback
from runner.edition.record import Facts
from runner.engine.hints import Hints
from runner.engine.limits import Limits
from runner.engine.loop import Stopping, make
from runner.events import (
    LookAnswer,
    Running,
)
from runner.history import History
from runner.language.board import Batch
from runner.records.ledger import Ledger
from runner.request import canonical_json
from tests.engine import virtual
from tests.engine.boards import PAID, batch, planner, shot
from tests.engine.provider import Simulated, Task, World

MEDIAN, SIGMA, LATENCY = 150.0, 0.35, 0.2
Noticed = Callable[[float], tuple[float, int]]
"""Seconds that a task takes, to when its end is noticed and after how many questions."""


def at_once(took: float) -> tuple[float, int]:
    return took, 0


def every_five(took: float) -> tuple[float, int]:
    count = math.ceil(took / 5)
    return 5.0 * count, count


def doubling(took: float) -> tuple[float, int]:
    at, pause, count = 0.0, 1.0, 0
    while at < took:
        at, pause, count = at + pause, min(pause * 2, 30.0), count + 1
    return at, count


def list_schedule(
    took: Mapping[str, float], needs: Mapping[str, str], cap: int, noticed: Noticed
) -> tuple[float, float]:
    """Makespan, and questions a task: longest chain first, then the given order; a slot is free when it is noticed."""
    depth = _chains(took, needs)
    ready = [(-depth[name], number, name) for number, name in enumerate(took) if name not in needs]
    heapq.heapify(ready)
    order = {name: number for number, name in enumerate(took)}
    waiting: dict[str, list[str]] = {}
    for name, need in needs.items():
        waiting.setdefault(need, []).append(name)
    running: list[tuple[float, str]] = []
    now, asked = 0.0, 0
    while ready or running:
        while ready and len(running) < cap:
            name = heapq.heappop(ready)[2]
            end, questions = noticed(took[name])
            asked += questions
            heapq.heappush(running, (now + end, name))
        now, name = heapq.heappop(running)
        for other in waiting.get(name, ()):
            heapq.heappush(ready, (-depth[other], order[other], other))
    return now, asked / len(took)


def _chains(took: Mapping[str, float], needs: Mapping[str, str]) -> dict[str, int]:
    """How many tasks stand in the longest chain that begins with each: what is known before any has run."""
    depth = dict.fromkeys(took, 1)
    for name in took:
        length, above = 1, name
        while above in needs:
            above, length = needs[above], length + 1
            depth[above] = max(depth[above], length)
    return depth


class Timed(Simulated):
    """A provider whose task for each shot takes the time that was drawn for it."""

    def __init__(self, world: World, took: Mapping[str, float]) -> None:
        super().__init__(world)
        self.took = took
        self.hook: Callable[[Task, str], None] | None = None

    async def create(self, body: Mapping[str, Any], receipt: str, sending: Any) -> Any:
        answer = await super().create(body, receipt, sending)
        text = canonical_json(dict(body))
        task = next(task for task in self.world.tasks.values() if task.body == text)
        if self.hook is not None:
            self.hook(task, receipt)
        return answer


def engine(shots: Batch, took: Mapping[str, float], cap: int, *, webhooks: bool, rate: float) -> tuple[float, float]:
    """Makespan and questions a task of the real loop."""
    names = {f"a picture of {name}": seconds for name, seconds in took.items()}
    world = World(latency=LATENCY)
    provider = Timed(world, took)
    chance = random.Random(7)
    plan = planner(shots)
    ends: list[float] = []

    async def main(folder: Path) -> None:
        clock = virtual.VirtualClock()
        limits = Limits("bench", concurrency=cap, requests_per_second=rate, wait=10**6, expected=MEDIAN)
        ledger = Ledger(folder, clock)
        ledger._db.execute("PRAGMA synchronous = OFF")
        ledger.begin(PAID, "repo", limits)
        hints = Hints(_nobody) if webhooks else None
        async with anyio.create_task_group() as group:

            async def post(task: Task, receipt: str) -> None:
                await anyio.sleep(task.seconds + 0.3)
                if hints is not None and hints.knows(receipt):
                    hints.heard(receipt, Callback(task.id, "success"))

            def born(task: Task, receipt: str) -> None:
                prompt = next(name for name in names if f'"{name}"' in task.body)
                task.seconds = names[prompt]
                ends.append(task.born + task.seconds)
                if webhooks and chance.random() < 0.9:
                    group.start_soon(post, task, receipt)

            provider.hook = born
            outcome = await make(
                plan(History()), History(), provider, ledger, clock, limits, lambda news: None, plan, Stopping(),
                virtual.inline, hints,
            )  # fmt: skip
            group.cancel_scope.cancel()
        assert len(outcome.made) == len(took), outcome.exit_code
        ledger.close()

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        virtual.run(lambda: main(Path(name)))
    return max(ends), world.looks / len(took)


async def _nobody(task_id: str) -> tuple[LookAnswer, Facts | None]:
    return Running("", "not asked", heard=False), None


def film(tasks: int, chance: random.Random, *, chains: bool) -> tuple[Batch, dict[str, float], dict[str, str]]:
    """Shots and how long each takes; with `chains` every second shot is made from the one before it."""
    took = {f"s{number}": MEDIAN * math.exp(SIGMA * chance.gauss(0, 1)) for number in range(tasks)}
    needs = {f"s{number}": f"s{number - 1}" for number in range(1, tasks, 2)} if chains else {}
    shots = [shot(name, (needs[name],) if name in needs else ()) for name in took]
    return batch(*shots), took, needs


def _ratio(made: tuple[float, float], ideal: float) -> tuple[float, float]:
    return made[0] / ideal, made[1]


def row(tasks: int, cap: int, seeds: int, *, chains: bool, webhooks: bool, rate: float) -> str:
    found: dict[str, list[tuple[float, float]]] = {}
    bounds = []
    for seed in range(seeds):
        shots, took, needs = film(tasks, random.Random(seed), chains=chains)
        ideal, _ = list_schedule(took, needs, cap, at_once)
        longest = max(took[name] + took.get(needs.get(name, ""), 0.0) for name in took)
        bounds.append(ideal / max(sum(took.values()) / cap, longest))
        found.setdefault("ours", []).append(_ratio(engine(shots, took, cap, webhooks=webhooks, rate=rate), ideal))
        found.setdefault("5 s", []).append(_ratio(list_schedule(took, needs, cap, every_five), ideal))
        found.setdefault("back-off", []).append(_ratio(list_schedule(took, needs, cap, doubling), ideal))
    means = [tuple(map(statistics.mean, zip(*pairs, strict=True))) for pairs in found.values()]
    cells = [f"{ratio:6.3f} x at {questions:5.1f}" for ratio, questions in means]
    name = f"{'chains' if chains else 'alone':6} {'webhooks' if webhooks else 'polling':8} cap {cap:<3} {rate:>3.0f}/s"
    return f"{name}   {'   '.join(cells)}   (list schedule {statistics.mean(bounds):.3f} x its bound)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    print("makespan against the list schedule without overhead, at so many status requests a task")
    print(f"{'':32}{'ours':>16}{'every 5 s':>19}{'back-off':>19}")
    for chains in (False, True):
        for webhooks in (False, True):
            for cap in (3, 10, 50):
                print(row(args.tasks, cap, args.seeds, chains=chains, webhooks=webhooks, rate=5), flush=True)
    print(row(args.tasks, 50, args.seeds, chains=False, webhooks=False, rate=2), flush=True)


if __name__ == "__main__":
    main()
