"""What a run costs while it waits: memory, CPU, the way back after a crash, and the loop beside downloads of 20 GB.

    python -m benchmarks.load [--queued 10000] [--takes 1000] [--watch 120] [--only wide [--wide 3000]]

The real command against the sandbox in a process of its own, 50 tasks of about 150 s in flight. Memory and CPU are what
the kernel counts for the command alone. A crash is SIGKILL; back is when the host has answered the first question about
a task after the command was started again. The wide run is the other end: 400 tasks of a second at once and 100
requests a second, at which the command itself is the bound.
"""

import argparse
import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.live import KEY, ask
from benchmarks.processes import compile_first
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.engine.limits import RunLimits
from runner.engine.run_context import RunContext
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.schedule import next_orders
from runner.store.ledger.ledger import Ledger
from tests.builders.engine_batches import film, planner
from tests.engine.provider import Simulated, World

IN_FLIGHT, SECONDS = 50, 150.0
WIDE, WIDE_SECONDS, WIDE_REQUESTS = 400, 1.0, 100
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def sandbox(folder: Path, seconds: float = SECONDS, cap: int = IN_FLIGHT) -> Iterator[str]:
    options = ["--seconds", str(seconds), "--spread", "0.35", "--cap", str(cap), "--plain-clips", "--key", KEY]
    command = [sys.executable, "-m", "runner", "sandbox", *options, "--state", str(folder / "sandbox")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@contextmanager
def command(folder: Path, base: str, concurrency: int = IN_FLIGHT) -> Iterator[int]:
    """`storyboard run` of the film in the folder; its process id while the block lasts, at whose end it is killed."""
    env = {"STORYBOARD_STATE": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    env |= {"SEEDANCE_BASE_URL": base, "SEEDANCE_API_KEY": KEY, "PATH": os.environ["PATH"]}
    arguments = [sys.executable, "-m", "runner", "run", "storyboards/film.yaml", "--yes", "--json"]
    arguments += ["--provider", "kinovi", "--concurrency", str(concurrency)]
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(arguments, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def written(folder: Path, shots: int) -> None:
    """A repository whose film has so many shots from text alone."""
    (folder / "storyboards").mkdir(parents=True)
    (folder / "storyboard.toml").write_text('[providers.kinovi]\nedition = "classic"\n')
    board = folder / "storyboards" / "film.yaml"
    lines = [f"  - {{id: s{number}, prompt: Wave number {number} comes in from the sea}}" for number in range(shots)]
    head = "storyboard: 1\ntitle: Waves\ndefaults: {resolution: 480p, duration: 4}\nshots:\n"
    board.write_text(head + "\n".join(lines) + "\n")


def in_flight(folder: Path, base: str) -> None:
    """Return when all slots are taken."""
    until = time.monotonic() + 300
    while ask(base, "/__sandbox/state")["creates"] < IN_FLIGHT:
        assert time.monotonic() < until, (folder / "out").read_text()[-2000:]
        time.sleep(0.5)


def memory(pid: int) -> tuple[float, float]:
    """MB that a process holds, and held at most."""
    fields = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value
    return float(fields["VmRSS"].split()[0]) / 1024, float(fields["VmHWM"].split()[0]) / 1024


def cpu(pid: int) -> float:
    """Seconds of user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it is not waited for yet."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def polls(base: str) -> int:
    return sum(count for what, count in ask(base, "/__sandbox/state")["answers"].items() if "recordInfo" in what)


def waiting(queued: int, watch: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, queued + IN_FLIGHT)
        with sandbox(folder) as base, command(folder, base) as pid:
            in_flight(folder, base)
            began, used, polls_before = time.monotonic(), cpu(pid), polls(base)
            time.sleep(watch)
            passed = time.monotonic() - began
            share, rate = (cpu(pid) - used) / passed, (polls(base) - polls_before) / passed
            now, most = memory(pid)
        print(f"{IN_FLIGHT} in flight, {queued:,} queued: {now:.0f} MB held, {most:.0f} MB at most")
        print(f"CPU while waiting: {share:.2%} of a core over {passed:.0f} s, at {rate:.1f} polls a second")


def wide(takes: int) -> None:
    """The number of creates a second, the command's share of a core until the last, and the clips stored by then."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, takes)
        for settings in (folder / "storyboard.toml", folder / "config" / "storyboard" / "config.toml"):
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text(f'[providers.kinovi]\nedition = "classic"\nrequests_per_second = {WIDE_REQUESTS}\n')
        with sandbox(folder, WIDE_SECONDS, WIDE) as base, command(folder, base, WIDE) as pid:
            began, used, created, stored = 0.0, 0.0, 0, 0
            with (folder / "out").open() as lines:
                while created < takes:
                    if not (line := lines.readline()):
                        assert not has_ended(pid), (folder / "out").read_text()[-2000:]
                        time.sleep(0.02)
                        continue
                    created, stored = created + ('"created"' in line), stored + ('"stored"' in line)
                    if created == 1 and not began:
                        began, used = time.monotonic(), cpu(pid)
            passed, used = time.monotonic() - began, cpu(pid) - used
        print(f"{takes:,} takes, {WIDE} at once, {WIDE_REQUESTS} requests a second: ", end="")
        print(f"{takes / passed:.0f} creates a second, {used / passed:.0%} of a core ", end="")
        print(f"({1000 * used / takes:.0f} ms of CPU a take), {stored:,} clips stored when the last task was created")


def back(takes: int) -> None:
    """From the start of the command to the first answer about a task that the dead run left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, takes)
        with sandbox(folder) as base:
            with command(folder, base):
                in_flight(folder, base)
            times, costs = [], []
            for _ in range(5):
                before, began = polls(base), time.monotonic()
                with command(folder, base) as pid:
                    while polls(base) < before + 2:  # the first is the preflight
                        assert time.monotonic() < began + 120, (folder / "out").read_text()[-2000:]
                        time.sleep(0.02)
                    times.append(time.monotonic() - began)
                    costs.append(cpu(pid))
        print(f"back after a crash with {takes:,} takes, {IN_FLIGHT} in flight: ", end="")
        print(f"{min(times):.2f} s at best, {sorted(times)[2]:.2f} median ({min(costs):.2f} s of CPU)")


def queued_take(takes: int) -> None:
    """Bytes that the loop holds for a take that waits for its turn, beyond the plan."""
    shots, clock = film(takes), SystemClock()
    plan = planner(shots)
    first_plan, history, limits = plan(History()), History(), RunLimits("bench", concurrency=IN_FLIGHT)
    with tempfile.TemporaryDirectory() as name:
        ledger = Ledger(Path(name), clock)
        gc.collect()
        tracemalloc.start()
        run = RunContext(
            PlannedWork(first_plan, history, plan),
            RunPorts(Simulated(World()), ledger, clock, lambda event: None),
            limits,
        )
        next_orders(run.work, run.state, run.now(), run.limits)
        run.credit_totals()
        gc.collect()
        bytes_held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        ledger.close()
    print(f"a queued take: {bytes_held / takes:.0f} bytes beyond the plan")


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--queued", type=int, default=10_000)
    parser.add_argument("--takes", type=int, default=1_000)
    parser.add_argument("--watch", type=float, default=120, help="seconds for which CPU is counted")
    parser.add_argument("--wide", type=int, default=3_000, help="takes of the wide run")
    parser.add_argument("--only", choices=("wide",))
    args = parser.parse_args()
    if args.only == "wide":
        wide(args.wide)
        return
    queued_take(args.queued)
    back(args.takes)
    waiting(args.queued, args.watch)
    wide(args.wide)


if __name__ == "__main__":
    main()
