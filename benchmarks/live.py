"""A batch in real time: loop, ledger and client against `storyboard sandbox` over HTTP, beside two simpler clients.

    python -m benchmarks.engine --only live [--median 6] [--caps 3 10 50] [--each polling webhooks chains both]

Each side is a process, and has a sandbox in a process of its own, with log-normal task times and prepared clips, that
loses one webhook in ten; all sides of a row run at the same time. Pauses are scaled as the tasks are: 5 s beside a task
of 150 s is 0.2 s beside one of 6. Ours is measured from before the first request until the last clip is stored, the
others from their first task until the last end is noticed; task times are the provider's own.
"""

import argparse
import heapq
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib import request as web

import anyio

from benchmarks.lists import BatchTime, bound, idle, list_schedule
from runner.app.provider_gateway import ProviderGateway
from runner.attempts.attempt import Attempt
from runner.attempts.events import Clip, Output
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.diagnostics.problem import Place
from runner.editions.edition import load
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunEvent
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.webhooks import WebhookInbox
from runner.language.model import Batch, Shot
from runner.planning.material_routes import Route
from runner.planning.plan import Plan
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.providers.kinovi.callback import read_callback
from runner.providers.kinovi.client import Client
from runner.providers.kinovi.uploads import UploadClient
from runner.providers.transport.address_fetcher import AddressFetcher
from runner.providers.transport.download import Downloader
from runner.providers.transport.webhook_server import WebhookServer
from runner.publish.content import ContentReader
from runner.publish.materials import MaterialPublisher
from runner.requests.request import Request, TakeReference
from runner.settings.api_key import ApiKey
from runner.store.clip_store import ClipStore
from runner.store.ledger.ledger import Ledger
from tests.builders.engine_batches import PAID, PATH, batch

REAL = 150.0
"""Seconds of a task that the scaled ones stand for."""
KEY = "made-up-key-for-the-bench"
FAULTS = "faults: 1\nrules:\n  - {on: callback, chance: 0.1, do: {never: true}}\n"
EDITION = "2026-09"
"""It takes uploads, so that shots can be made from frames of others."""


@dataclass(frozen=True, slots=True)
class Row:
    """One batch in real time."""

    cap: int
    chains: bool
    webhooks: bool
    median: float
    sigma: float
    per_slot: int
    flood: int = 0
    """Posts a second that strangers send to the webhook's port meanwhile."""

    @property
    def shots(self) -> dict[str, str | None]:
        """By shot, the one that it is made from."""
        names = [f"s{number}" for number in range(max(self.per_slot * self.cap, 24))]
        return {name: names[index - 1] if self.chains and index % 2 else None for index, name in enumerate(names)}


@dataclass(frozen=True, slots=True)
class Side:
    """What one client made of the row."""

    batch_time: BatchTime
    took: Mapping[str, float]


def ask(base: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with web.urlopen(web.Request(base + path, data, {"Authorization": f"Bearer {KEY}"}), timeout=30) as answer:
        return json.load(answer)


@contextmanager
def sandbox(row: Row, folder: Path) -> Iterator[str]:
    """A provider in a process of its own; the address while the block lasts."""
    options = ["--seconds", str(row.median), "--spread", str(row.sigma), "--cap", str(row.cap), "--plain-clips"]
    (folder / "faults.yaml").write_text(FAULTS)
    options += ["--edition", EDITION, "--faults", str(folder / "faults.yaml"), "--key", KEY]
    command = [
        sys.executable,
        "-m",
        "runner",
        "sandbox",
        *options,
        "--processes",
        "1",
        "--state",
        str(folder / "sandbox"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


# -- ours -------------------------------------------------------------------------------------------------


def ours(row: Row, folder: Path) -> Side:
    with sandbox(row, folder) as base:
        seconds, took = anyio.run(_run_batch, row, folder, base)
        return Side(BatchTime(seconds, _polls(base) / len(took)), took)


async def _run_batch(row: Row, folder: Path, base: str) -> tuple[float, dict[str, float]]:
    """The loop with all that a run has: ledger, client, uploads, downloads, webhooks."""
    clock, edition, root = SystemClock(), load(EDITION), folder / "film"
    limits = RunLimits("bench", concurrency=row.cap, requests_per_second=5 * REAL / row.median, expected=row.median)
    shots = _batch(row)

    def plan(history: History) -> Plan:
        return build_plan(shots, history, ProviderTerms(PAID, edition, Decimal("0.005")), RepositoryFiles(_no_clip))

    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(closing(Ledger(folder / "state", clock)))
        ledger.start_run(PAID, "repo", limits)
        client = await stack.enter_async_context(Client(base, ApiKey(KEY), edition))
        uploads = await stack.enter_async_context(UploadClient(base, ApiKey(KEY)))
        clip_store = ClipStore(root, lambda film: root / "renders", lambda content: None)
        publisher = MaterialPublisher(
            ContentReader(root, folder, clip_store.find),
            lambda material: Route(material, ("upload",), ""),
            uploads.send,
            AddressFetcher(local=True, proxy=None).fetch,
            _no_output,
            clock,
        )
        gateway = ProviderGateway(client, publisher, Downloader(local=True), clip_store, free=False, provider="kinovi")
        inbox = None
        if row.webhooks:
            inbox = WebhookInbox(client.fetch_record)
            receiver = WebhookServer(inbox.is_known_token, inbox.on_callback, read_callback, clock=clock)
            assert await stack.enter_async_context(receiver.listening("127.0.0.1", 0)) is None
            client.callbacks = f"http://127.0.0.1:{receiver.port}/hooks"
            stack.enter_context(_flooded(receiver.port, row.flood))
        began, history = time.monotonic(), History()
        outcome = await run_loop(
            PlannedWork(plan(history), history, plan),
            RunPorts(gateway, ledger, clock, _ignore_event),
            limits,
            StopRequest(),
            inbox,
        )
        ended = time.monotonic()
    took = {result.step.shot.id: result.attempt.duration for result in outcome.finished if result.attempt is not None}
    assert len(took) == len(row.shots), outcome.exit_code
    return ended - began, {name: took[name] or 0.0 for name in row.shots}


def _batch(row: Row) -> Batch:
    return batch(*(_shot(name, need) for name, need in row.shots.items()))


def _shot(name: str, need: str | None) -> Shot:
    frames = (TakeReference(need, "last_frame"),) if need else ()
    request = Request("seedance-20", "480p", 4, "16:9", "keyframe" if need else "text", f"Wave {name}", frames)
    return Shot(PATH, name, request, 1, Place(PATH, 1, 1))


def _no_clip(clip: Clip) -> bool:
    return False


async def _no_output(attempt: Attempt) -> Output | None:
    return None


def _ignore_event(event: RunEvent) -> None:
    """Nobody watches."""


def _polls(base: str) -> int:
    return sum(count for what, count in ask(base, "/__sandbox/state")["answers"].items() if "recordInfo" in what)


@contextmanager
def _flooded(port: int, rate: int) -> Iterator[None]:
    """Strangers post to the webhook's port at that rate while the block lasts, on paths that nobody has."""
    over, sent = threading.Event(), [0]

    def post() -> None:
        while not over.wait(4 / rate):
            try:
                body = json.dumps({"taskId": "task_of_nobody", "status": "success"}).encode()
                web.urlopen(web.Request(f"http://127.0.0.1:{port}/hooks/nobody", body), timeout=2).close()
                sent[0] += 1
            except OSError:
                continue

    strangers = [threading.Thread(target=post) for _ in range(4 if rate else 0)]
    began = time.monotonic()
    for stranger in strangers:
        stranger.start()
    yield
    over.set()
    for stranger in strangers:
        stranger.join()
    if rate:
        print(f"{sent[0] / (time.monotonic() - began):.0f} posts a second were answered", file=sys.stderr)


# -- the others -------------------------------------------------------------------------------------------


class Simple:
    """A client with a thread for each slot, that asks after given pauses; chains wait for the end of the other."""

    def __init__(self, row: Row, base: str, first: float, longest: float) -> None:
        self.row, self.base, self.first, self.longest = row, base, first, longest
        self.change = threading.Condition()
        needed = {need for need in row.shots.values() if need}
        self.ready = [(name not in needed, index, name) for index, name in enumerate(row.shots) if not row.shots[name]]
        heapq.heapify(self.ready)
        self.remaining = len(row.shots)
        self.spans: dict[str, tuple[float, float]] = {}
        self.questions = 0

    def run(self) -> Side:
        with ThreadPoolExecutor(self.row.cap) as pool:
            for done in [pool.submit(self._slot) for _ in range(self.row.cap)]:
                done.result()
        ended = time.time()
        took = {name: self.spans[name][1] - self.spans[name][0] for name in self.row.shots}
        began = min(begin for begin, _ in self.spans.values())
        return Side(BatchTime(ended - began, self.questions / len(took)), took)

    def _slot(self) -> None:
        while True:
            with self.change:
                self.change.wait_for(lambda: self.ready or not self.remaining)
                if not self.remaining:
                    return
                name = heapq.heappop(self.ready)[2]
                self.remaining -= 1
                if not self.remaining:
                    self.change.notify_all()
            self._make(name)

    def _make(self, name: str) -> None:
        inputs = {"prompt": f"Wave {name}", "duration": 4, "outputResolution": "480p", "aspectRatio": "16:9"}
        task = ask(self.base, "/api/v1/jobs/createTask", {"model": "seedance-20", "inputs": inputs})["taskId"]
        pause, record = self.first, {"status": ""}
        while record["status"] != "success":
            time.sleep(pause)
            pause = min(pause * 2, self.longest)
            record = ask(self.base, f"/api/v1/jobs/recordInfo?taskId={task}")
            with self.change:
                self.questions += 1
        with self.change:
            self.spans[name] = (float(record["createTime"]) / 1000, float(record["completeTime"]) / 1000)
            for other, need in self.row.shots.items():
                if need == name:
                    heapq.heappush(self.ready, (True, int(other[1:]), other))
            self.change.notify_all()


def simple(row: Row, folder: Path, first: float, longest: float) -> Side:
    scale = row.median / REAL
    with sandbox(row, folder) as base:
        return Simple(row, base, first * scale, longest * scale).run()


# -- the table --------------------------------------------------------------------------------------------


def line(row: Row) -> str:
    """All sides at once; each against the list schedule of the times that its own tasks took."""
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(3) as pool:
        folders = [Path(name) / side for side in ("ours", "every", "doubling")]
        for folder in folders:
            folder.mkdir()
        sides = [pool.submit(ours, row, folders[0])]
        if not row.flood:
            sides += [pool.submit(simple, row, folders[1], 5, 5), pool.submit(simple, row, folders[2], 1, 30)]
        results = [side.result() for side in sides]
    needs = {shot: need for shot, need in row.shots.items() if need}
    cells = []
    for side in results:
        ideal = list_schedule(side.took, needs, row.cap).seconds
        cells.append(f"{side.batch_time.seconds / ideal:.3f} x at {side.batch_time.questions:4.1f}")
    own = results[0]
    ideal = list_schedule(own.took, needs, row.cap).seconds
    least = bound(own.took, needs, row.cap)
    cells += ["" for _ in range(3 - len(cells))]
    cells.append(f"{own.batch_time.seconds / least:.3f} (list {ideal / least:.3f})")
    cells.append(f"{idle(own.batch_time.seconds, own.took, row.cap):.1%} (list {idle(ideal, own.took, row.cap):.1%})")
    kind = f"{'chains' if row.chains else 'alone':6} {'webhooks' if row.webhooks else 'polling':8} cap {row.cap:<3}"
    flood = f" {row.flood} posts/s" if row.flood else ""
    return f"| {kind}{flood} | " + " | ".join(cells) + f" | {len(own.took)} in {own.batch_time.seconds:.0f} s |"


KINDS = {"polling": (False, False), "webhooks": (False, True), "chains": (True, False), "both": (True, True)}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--median", type=float, default=6.0, help="seconds of a task in real time")
    parser.add_argument("--per-slot", type=int, default=6, help="tasks for each slot in real time")
    parser.add_argument("--caps", type=int, nargs="+", default=[3, 10, 50], help="slots in real time")
    parser.add_argument("--each", nargs="+", choices=KINDS, default=list(KINDS), help="kinds of batches in real time")
    help_text = "posts a second to the webhook's port, beside one batch without (measures only that)"
    parser.add_argument("--flood", type=int, default=0, metavar="N", help=help_text)


def run(args: argparse.Namespace) -> None:
    print(f"\nreal time, median {args.median:.0f} s, sigma {args.sigma}; pauses scaled by {args.median / REAL:.3f}\n")
    print("| case | ours, x list schedule, at polls a task | every 5 s | doubling to 30 s ", end="")
    print("| ours, x max(work / cap, longest chain) | idle slots | tasks |\n|---|---|---|---|---|---|---|")
    for kind in args.each if not args.flood else ["webhooks"]:
        for cap in args.caps:
            row = Row(cap, *KINDS[kind], args.median, args.sigma, args.per_slot)
            print(line(row), flush=True)
            if args.flood:
                flooded = Row(cap, *KINDS[kind], args.median, args.sigma, args.per_slot, args.flood)
                print(line(flooded), flush=True)
