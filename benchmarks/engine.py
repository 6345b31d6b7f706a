"""How long a batch takes beyond what is needed, and how many questions that costs.

    python -m benchmarks.engine [--tasks 400] [--seeds 20] [--sigma 0.35] [--only virtual|live] [...]

Two parts, each with asking at fixed intervals and after doubling pauses beside it in the same run. *Virtual*: the real
loop over the real ledger and a simulated provider, in time that passes only when everybody waits; many seeds.
*Live* (`benchmarks.live`): the real command against the sandbox over HTTP, in real time, with tasks of seconds.

Task times are log-normal. The list schedule is that of the same tasks in the same order without any overhead: what an
on-line order can reach. Ours is measured up to the end of the run, when the last clip is stored.
"""

import argparse
import math
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import anyio

from benchmarks import live
from benchmarks.lists import BatchTime, best_waste, bound, doubling, every, idle, list_schedule
from benchmarks.processes import compile_first
from runner.attempts.events import PollResult, Running
from runner.attempts.history import History
from runner.attempts.task_facts import Callback, TaskFacts
from runner.engine.limits import RunLimits
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.webhooks import WebhookInbox
from runner.language.model import Batch
from runner.requests.request import canonical_json
from runner.requests.shot_text import NO_TEXT, ShotText
from runner.store.ledger.ledger import Ledger
from tests.builders.engine_batches import PAID, batch, planner, shot
from tests.engine import virtual
from tests.engine.provider import Simulated, Task, World

MEDIAN, LATENCY = 150.0, 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    concurrency: int
    chains: bool = False
    webhooks: bool = False
    rate: float = 5
    """Requests a second at most."""
    prior: float = MEDIAN
    """Seconds that the run expects before it has learned anything."""

    @property
    def name(self) -> str:
        parts = [f"{'chains' if self.chains else 'alone':6} {'webhooks' if self.webhooks else 'polling':8}"]
        parts.append(f"cap {self.concurrency:<3} {self.rate:>3.0f}/s")
        return " ".join(parts) + (f" prior {self.prior:.0f}" if self.prior != MEDIAN else "")


class Timed(Simulated):
    """A provider whose task for each shot takes the time that was drawn for it."""

    def __init__(self, world: World, took: Mapping[str, float]) -> None:
        super().__init__(world)
        self.durations = took
        self.hook: Callable[[Task, str], None] | None = None

    async def create(
        self, body: Mapping[str, Any], webhook_token: str, before_send: Any, shot_text: ShotText = NO_TEXT
    ) -> Any:
        answer = await super().create(body, webhook_token, before_send, shot_text)
        text = canonical_json(dict(body))
        task = next(task for task in self.world.tasks.values() if task.body == text)
        if self.hook is not None:
            self.hook(task, webhook_token)
        return answer


def engine(shots: Batch, took: Mapping[str, float], case: Case) -> BatchTime:
    """The real loop, up to its end."""
    seconds_by_prompt = {f"a picture of {prompt}": seconds for prompt, seconds in took.items()}
    world = World(latency=LATENCY)
    provider = Timed(world, took)
    chance = random.Random(7)
    plan = planner(shots)
    ended = 0.0

    async def main(folder: Path) -> None:
        nonlocal ended
        clock = virtual.VirtualClock()
        limits = RunLimits(
            "bench", concurrency=case.concurrency, requests_per_second=case.rate, wait=10**6, expected=case.prior
        )
        ledger = Ledger(folder, clock)
        ledger._db.execute("PRAGMA synchronous = OFF")
        ledger.start_run(PAID, "repo", limits)
        inbox = WebhookInbox(_nobody) if case.webhooks else None
        async with anyio.create_task_group() as group:

            async def post(task: Task, webhook_token: str) -> None:
                await anyio.sleep(task.seconds + 0.3)
                if inbox is not None and inbox.is_known_token(webhook_token):
                    inbox.on_callback(webhook_token, Callback(task.id, "success"))

            def on_created(task: Task, webhook_token: str) -> None:
                prompt = next(text for text in seconds_by_prompt if f'"{text}"' in task.body)
                task.seconds = seconds_by_prompt[prompt]
                if case.webhooks and chance.random() < 0.9:
                    group.start_soon(post, task, webhook_token)

            provider.hook = on_created
            outcome = await run_loop(
                PlannedWork(plan(History()), History(), plan),
                RunPorts(provider, ledger, clock, lambda event: None, virtual.inline),
                limits,
                StopRequest(),
                inbox,
            )
            ended = clock.monotonic()
            group.cancel_scope.cancel()
        assert len(outcome.finished) == len(took), outcome.exit_code
        ledger.close()

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as prompt:
        virtual.run(lambda: main(Path(prompt)))
    return BatchTime(ended, world.polls / len(took))


async def _nobody(task_id: str) -> tuple[PollResult, TaskFacts | None]:
    return Running("", "not asked", answered=False), None


def film(
    tasks: int, chance: random.Random, sigma: float, *, chains: bool
) -> tuple[Batch, dict[str, float], dict[str, str]]:
    """Shots and how long each takes; with `chains` every second shot is made from the one before it."""
    took = {f"s{number}": MEDIAN * math.exp(sigma * chance.gauss(0, 1)) for number in range(tasks)}
    needs = {f"s{number}": f"s{number - 1}" for number in range(1, tasks, 2)} if chains else {}
    shots = [shot(name, (needs[name],) if name in needs else ()) for name in took]
    return batch(*shots), took, needs


def measure_batch(case: Case, tasks: int, sigma: float, seed: int) -> list[float]:
    """One batch: against the list schedule and questions of ours, every 5 s and back-off; then list and ours against
    the bound, and the idle part of the slots of ours and the list."""
    shots, took, needs = film(tasks, random.Random(seed), sigma, chains=case.chains)
    ideal = list_schedule(took, needs, case.concurrency).seconds
    ours = engine(shots, took, case)
    sides = [ours, *(list_schedule(took, needs, case.concurrency, way) for way in (every(5), doubling(1, 30)))]
    numbers = [number for side in sides for number in (side.seconds / ideal, side.questions)]
    least = bound(took, needs, case.concurrency)
    return [
        *numbers,
        ideal / least,
        ours.seconds / least,
        idle(ours.seconds, took, case.concurrency),
        idle(ideal, took, case.concurrency),
    ]


def row(case: Case, tasks: int, seeds: int, sigma: float, jobs: int) -> str:
    with Pool(jobs) as pool:
        rows = pool.map(partial(measure_batch, case, tasks, sigma), range(seeds), chunksize=1)
    mean = [statistics.mean(column) for column in zip(*rows, strict=True)]
    spread = statistics.stdev(line[0] for line in rows) / math.sqrt(seeds) if seeds > 1 else 0.0
    cells = [f"{mean[column]:.3f} x at {mean[column + 1]:4.1f}" for column in (0, 2, 4)]
    cells += [f"{mean[7]:.3f} (list {mean[6]:.3f})", f"{mean[8]:.1%} (list {mean[9]:.1%})", f"+- {spread:.4f}"]
    return f"| {case.name} | " + " | ".join(cells) + " |"


def cases() -> list[Case]:
    all_caps = (3, 10, 50)
    usual = [Case(cap, chains, hooks) for chains in (False, True) for hooks in (False, True) for cap in all_caps]
    return [*usual, Case(50, rate=2), Case(10, prior=MEDIAN / 3), Case(10, prior=MEDIAN * 3)]


def in_virtual_time(tasks: int, seeds: int, sigma: float, jobs: int) -> None:
    print(f"virtual time, {tasks} tasks, median {MEDIAN:.0f} s, sigma {sigma}, mean of {seeds} seeds")
    least = [f"{best_waste(sigma, polls):.4f} at {polls}" for polls in (5, 10, 15)]
    print(f"no order of questions can notice ends less late than (part of a task's time): {', '.join(least)}\n")
    print("| case | ours, x list schedule, at polls a task | every 5 s | doubling to 30 s ", end="")
    print("| ours, x max(work / cap, longest chain) | idle slots | error of ours |\n|---|---|---|---|---|---|---|")
    for case in cases():
        print(row(case, tasks, seeds, sigma, jobs), flush=True)


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", choices=("virtual", "live"))
    parser.add_argument("--tasks", type=int, default=400, help="of a batch in virtual time")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sigma", type=float, default=0.35, help="of the log-normal task times, in both parts")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes for virtual time")
    live.add(parser)
    args = parser.parse_args()
    if args.only != "live":
        in_virtual_time(args.tasks, args.seeds, args.sigma, args.jobs)
    if args.only != "virtual":
        live.run(args)


if __name__ == "__main__":
    main()
