"""How fast storyboards are compiled and planned, as ratios to libyaml's events of the same file. Prints docs' table.

    python -m benchmarks.compile [SHOTS …] [--rounds N]     1,000, 10,000 and 100,000; 3 rounds

CPU time, user and system. Everything runs in turn with the floor, which is repeated until it takes about as long as
what it is held against (on a shared machine a short run is luckier than a long one); the middle ratio of the rounds
counts. The last columns are a process of its own, `storyboard plan --json`, from its start to its end, and its memory.

Below: what compiling a shot of the most shots costs against one of the fewest, which is compiled before and after it
as often as takes as long, and the memory of a shot between the two.
"""

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

from benchmarks.processes import compile_first, machine, process
from runner.attempts.events import Account
from runner.attempts.history import History
from runner.diagnostics.problem import Problems
from runner.editions.edition import DEFAULT, load
from runner.language import compiler as language
from runner.language import schema
from runner.language.compiler import CompileOptions
from runner.language.yaml.document import Source
from runner.language.yaml.libyaml import new_parser
from runner.language.yaml.parser import parse
from runner.planning.plan import Plan
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.providers.kinovi.request_body import encoder
from runner.requests.placeholder import placeholder
from runner.show.json.plan import PlanFacts, plan_json
from runner.show.text.escape import json_document

HEAD = """storyboard: 1
title: A very long film
vars: {city: Lisbon, look: "teal and amber, 35 mm, shallow depth of field", never: "no text, no logos"}
assets:
  maria: {image: https://cdn.example.com/maria.png, words: a woman in a yellow oilskin coat}
  waltz: {video: https://cdn.example.com/waltz.mp4, seconds: 6}
defaults:
  model: seedance-20
  resolution: 720p
  vars: {camera: static camera}
  wrap: |
    {{ camera }}. {{ prompt | trim }}
    {{ look }}. Avoid: {{ never }}.
shots:
"""
KINDS = (
    """  - id: SH{n:06}
    scene: scene-{scene}
    title: Sunrise over the roofs, number {n}
    tags: [wide, day]
    duration: 5
    prompt: >-
      Sunrise number {n} over the roofs of {{{{ city }}}}, gulls in the air, the river behind them, long shadows
      on the tiles; a tram climbs the hill with its lamps still lit, laundry moves in the wind between houses
    notes: wait for the gull to land on the chimney before the tram rings its bell
""",
    """  - id: SH{n:06}
    scene: scene-{scene}
    title: Maria on the quay, number {n}
    tags: [close, day]
    takes: 2
    prompt: "@maria walks along quay {n}, she looks at the water, a green crane stands to the left, the stone is wet
      and shines, the camera follows her at the height of her shoulder until she stops and turns"
    notes: her coat is yellow, and only hers, nobody else in the picture wears that colour
""",
    """  - id: SH{n:06}
    scene: scene-{scene}
    first_frame: "@SH{before:06}#1.last_frame"
    vars: {{camera: slow push-in}}
    prompt: |
      0-2s: the door of house {n} opens.
      2-5s: she pushes it wide. She says: "Not today, and not tomorrow either, my dear."
      The light in the corridor flickers twice, then the whole house is dark and quiet again.
    notes: continuity from the shot before, same light, same coat, hair still wet from the rain
""",
    """  - id: SH{n:06}
    scene: scene-{scene}
    resolution: 1080p
    aspect_ratio: 21:9
    tags: [dance, night]
    prompt: "@maria performs the moves from @waltz in room {n}, which is empty; the parquet creaks, a lamp swings,
      and the windows are open to the harbour, so that the curtains move slowly"
    notes: eight bars, then the turn, then the pause in which the musician lifts the bow
""",
)


PER_FILE = 20_000
"""Shots in one file: a file has at most 16 MiB."""


def storyboard(shots: int, first: int = 0) -> str:
    """A storyboard of so many shots, about 420 bytes each, all different; a quarter of them made from another."""
    parts = [KINDS[n % 4].format(n=n, before=n - 1, scene=n // 50) for n in range(first, first + shots)]
    return HEAD + "".join(parts)


def floor(texts: Sequence[str]) -> None:
    """The floor: libyaml's events, and nothing done with them."""
    for text in texts:
        following = new_parser(text).get_event
        while following() is not None:
            pass


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of some work in this process, the collector off as while compiling."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    work()
    spent = time.process_time() - started
    gc.enable()
    return spent


def stages(texts: Sequence[str], boards: Sequence[Path], root: Path) -> dict[str, Callable[[], object]]:
    """What a plan does, step by step; each works on what the one before it made."""
    edition, account = load(DEFAULT), Account("sandbox", "localhost", free=True)
    documents = [parse(Source("board.yaml", text), Problems()) for text in texts]
    batch, problems = language.compile(boards, root, CompileOptions())
    assert not problems.errors, problems.errors[:3]

    def decided() -> Plan:
        return build_plan(
            batch,
            History(),
            ProviderTerms(account, edition, Decimal("0.01")),
            RepositoryFiles(lambda _: False),
        )

    plan, body_of = decided(), encoder(edition, placeholder)
    facts = PlanFacts(str)
    return {
        "values with places": lambda: [parse(Source("board.yaml", text), Problems()) for text in texts],
        "schema, a yes": lambda: [schema.is_valid(document.root) for document in documents],
        "compile": lambda: language.compile(boards, root, CompileOptions()),
        "decide": decided,
        "JSON": lambda: json_document(plan_json(plan, lambda step: body_of(step.shot.request), facts), deep=2),
    }


def beside_floor(texts: Sequence[str], work: Callable[[], float], rounds: int) -> tuple[float, float]:
    """(ratio to the floor, CPU seconds of the floor): the floor before and after each run, as often as it takes."""
    ratios, least = [], float("inf")
    for _ in range(rounds):
        before = cpu(lambda: floor(texts))
        spent = work()
        times = max(1, min(8, round(spent / before / 2)))
        floors = [before, *(cpu(lambda: floor(texts)) for _ in range(times))]
        ratios.append(spent / statistics.mean(floors))
        least = min(least, *floors)
    return statistics.median(ratios), least


@contextmanager
def films(shots: int) -> Iterator[tuple[Path, list[str], list[Path]]]:
    """A repository with so many shots, the texts of its storyboards, and their files."""
    texts = [storyboard(min(PER_FILE, shots - first), first) for first in range(0, shots, PER_FILE)]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "storyboard.toml").touch()
        boards = [root / f"board-{number}.yaml" for number in range(len(texts))]
        for board, text in zip(boards, texts, strict=True):
            board.write_text(text, "utf-8")
        yield root, texts, boards


def measure(shots: int, rounds: int) -> tuple[str, int]:
    """A line of the table: floor, stages, the whole process and its memory; and the memory in MB alone."""
    with films(shots) as (root, texts, boards):
        memory: list[int] = []

        def whole() -> float:
            spent, most = process([sys.executable, "-m", "runner", "plan", "--json", *map(str, boards)])
            memory.append(most)
            return spent

        # First, while this process is small: the system counts the parent's memory at the start for the child's.
        ratio, least = beside_floor(texts, whole, rounds)
        cells: list[str] = []
        for work in stages(texts, boards, root).values():
            stage_ratio, seconds = beside_floor(texts, partial(cpu, work), rounds)
            cells.append(f"{stage_ratio:.2f} ×")
            least = min(least, seconds)
        line = f"| {shots:,} | {least / shots * 1e6:.1f} | {' | '.join(cells)} | {ratio:.1f} × | {max(memory)} |"
        return line, max(memory)


def growth(few: int, many: int, rounds: int) -> list[float]:
    """The CPU time of a shot of many shots against one of few, in each round."""
    with films(few) as (root, _, boards), films(many) as (large_root, _, large_boards):

        def compiled(folder: Path, files: Sequence[Path]) -> float:
            return cpu(lambda: language.compile(files, folder, CompileOptions()))

        def small() -> float:
            return statistics.mean(compiled(root, boards) for _ in range(max(1, many // few // 2)))

        compiled(root, boards)
        ratios = []
        for _ in range(rounds):
            before = small()
            large = compiled(large_root, large_boards)
            ratios.append(large / many / (statistics.mean((before, small())) / few))
        return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("shots", nargs="*", type=lambda text: int(text.replace(",", "")))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sizes, rounds = arguments.shots or [1_000, 10_000, 100_000], arguments.rounds
    compile_first()
    print(f"{machine()}; {rounds} rounds\n")
    print("| shots | floor, µs a shot | values with places | schema | compile | decide | JSON | the whole plan | MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    memory = {}
    for shots in sizes:
        line, memory[shots] = measure(shots, rounds)
        print(line, flush=True)
    few, many = min(sizes), max(sizes)
    if few < many:
        ratios = growth(few, many, rounds)
        listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"\ncompiling a shot of {many:,} against one of {few:,}: {statistics.median(ratios):.2f} × ({listed})")
        kilobytes = (memory[many] - memory[few]) * 1024 / (many - few)
        print(f"memory of a shot, from {few:,} to {many:,}: {kilobytes:.1f} kB")


if __name__ == "__main__":
    main()
