"""What the ledger costs: commits of each kind, its share of a run, and reading back after a crash.

    python benchmarks/ledger.py [--takes 1000 100000]

The floor of a commit is one write and one fdatasync of a file on the same disk; the floor of reading back is a bare
`SELECT` of the same rows. Both are measured in the same process, interleaved.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.processes import compile_first
from runner.attempts.attempt import open_attempt
from runner.attempts.events import (
    Account,
    Clip,
    Created,
    Event,
    Intent,
    Output,
    Payload,
    Running,
    SendStarted,
    Stored,
    Succeeded,
)
from runner.clock import SystemClock
from runner.engine.limits import RunLimits
from runner.requests.request import JsonValue
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger

ACCOUNT = Account("kinovi", "kinovi.example")
ROUNDS = 60
TASK_SECONDS = 160.0
"""What a task of 4 s at 720p takes: the share of a run is of this."""


def intended(number: int, run: str) -> Intent:
    prompt = "A quay at dawn, fog over the water, a ferry waits; slow dolly in, 35 mm, muted colours. " * 4
    form: dict[str, JsonValue] = {
        "model": "seedance-20",
        "resolution": "720p",
        "seconds": 4,
        "mode": "text",
        "prompt": prompt,
    }
    return Intent(
        "storyboards/film.yaml", f"SH{number:05}", 1, f"{number:064x}", form, str(form), Decimal(160), "classic",
        "01234567", f"receipt-{number}", run,
    )  # fmt: skip


def story(number: int) -> list[Payload]:
    clip = Clip(f"renders/film/kinovi/clips/SH{number:05}/take-1.mp4", "ab" * 32, 4_000_000, 1280, 720, 4.0)
    return [
        SendStarted(),
        Created(f"task_{number}"),
        Running("generating"),
        Succeeded((Output("https://media.example/1.mp4?sig=" + "x" * 200),), Decimal(160), 1000, 161000),
        Stored(clip),
    ]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def floor(folder: Path) -> Callable[[], None]:
    file = os.open(folder / "floor", os.O_RDWR | os.O_CREAT)

    def once() -> None:
        os.pwrite(file, b"x" * 200, 0)
        os.fdatasync(file)

    return once


def commits(folder: Path) -> None:
    """Each kind of commit beside the floor, in turns."""
    clock = SystemClock()
    ledger = Ledger(folder, clock)
    ledger.start_run(ACCOUNT, "repo", RunLimits("bench", concurrency=10**6, max_credits=Decimal(10**9)))
    bare = floor(folder)
    times_by_kind: dict[str, list[float]] = {"floor: write + fdatasync": []}
    for number in range(ROUNDS):
        times_by_kind["floor: write + fdatasync"].append(timed(bare))
        attempt = f"a{number}"
        event = Event(clock.now(), attempt, intended(number, "bench"))
        times_by_kind.setdefault("intent, with every ceiling", []).append(timed(lambda: ledger.intend(event, 0)))  # noqa: B023
        for what in story(number):
            event = Event(clock.now(), attempt, what)
            times_by_kind.setdefault(type(what).__name__, []).append(timed(lambda: ledger.append(event)))  # noqa: B023
    ledger.close()
    base = statistics.median(times_by_kind["floor: write + fdatasync"])
    print(f"{'a commit':32} {'min ms':>8} {'median ms':>10} {'x floor':>8}")
    for name, times in times_by_kind.items():
        middle = statistics.median(times)
        print(f"{name:32} {min(times) * 1000:8.2f} {middle * 1000:10.2f} {middle / base:8.1f}")
    whole = sum(statistics.median(times) for name, times in times_by_kind.items() if not name.startswith("floor"))
    share = whole / TASK_SECONDS
    print(f"a take's commits together: {whole * 1000:.1f} ms, {share:.2%} of a task of {TASK_SECONDS:.0f} s")


def filled(folder: Path, takes: int) -> None:
    """A ledger with so many stored takes, and as many running tasks as a dead run can leave."""
    clock = SystemClock()
    ledger = Ledger(folder, clock)
    limits = RunLimits("dead", concurrency=10**7)
    ledger.start_run(ACCOUNT, "repo", limits)
    ledger._db.execute("PRAGMA synchronous = OFF")
    ledger._db.execute("BEGIN")
    assert ledger._scope is not None
    for number in range(takes):
        at = clock.now() - timedelta(days=2)
        first = Event(at, f"a{number}", intended(number, "dead"))
        ledger._table.insert(ledger._scope, open_attempt(first), first)
        for what in story(number)[: 2 if number % 100 == 0 else 5]:
            ledger._table.write_event(Event(at, f"a{number}", what))
    ledger._db.execute("COMMIT")
    ledger.close()


def recovery(takes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, takes)
        size = (folder / NAME).stat().st_size
        times_of: dict[str, list[float]] = {"open": [], "rows": [], "history": [], "begin": []}
        for number in range(5):
            begin_at = time.perf_counter()
            ledger = Ledger(folder, SystemClock())
            times_of["open"].append(time.perf_counter() - begin_at)
            times_of["rows"].append(timed(lambda: ledger._db.execute("SELECT * FROM attempt").fetchall()))  # noqa: B023
            times_of["history"].append(timed(lambda: ledger.history(ACCOUNT, "repo")))  # noqa: B023
            run = f"run{number}"
            times_of["begin"].append(timed(lambda: ledger.start_run(ACCOUNT, "repo", RunLimits(run))))  # noqa: B023
            ledger.close()
        best = {name: min(times) * 1000 for name, times in times_of.items()}
        print(
            f"{takes:>8,} takes, {size / 1e6:6.1f} MB: open {best['open']:.1f} ms, rows {best['rows']:.0f} ms, history "
            f"{best['history']:.0f} ms ({best['history'] / best['rows']:.1f} x rows), begin {best['begin']:.0f} ms"
        )


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--takes", type=int, nargs="+", default=[1_000, 100_000])
    with tempfile.TemporaryDirectory() as name:
        commits(Path(name))
    for takes in parser.parse_args().takes:
        recovery(takes)


if __name__ == "__main__":
    main()
