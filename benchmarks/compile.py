"""How fast storyboards are compiled, as ratios to libyaml's events of the same file. Prints the table of the docs.

    python -m benchmarks.compile [SHOTS …]      1,000, 10,000 and 100,000 unless said otherwise

Both sides run in one process, in turn; the smallest of the rounds counts. Memory is that of a process of its own.
"""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runner.language import batch as language
from runner.language import schema
from runner.language.batch import Options
from runner.language.document import Source
from runner.language.source import new_parser, parse
from runner.problems import Problems

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


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    started = time.process_time()
    work()
    spent = time.process_time() - started
    gc.enable()
    return spent


def measure(shots: int, rounds: int) -> tuple[float, dict[str, float], int]:
    """Seconds of the floor, seconds of each stage, MB of a process that compiles it."""
    texts = [storyboard(min(PER_FILE, shots - first), first) for first in range(0, shots, PER_FILE)]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        boards = [root / f"board-{number}.yaml" for number in range(len(texts))]
        for board, text in zip(boards, texts, strict=True):
            board.write_text(text, "utf-8")
        document = parse(Source("board.yaml", texts[0]), Problems())
        share = len(texts)
        stages: dict[str, Callable[[], object]] = {
            "events alone": lambda: floor(texts),
            "values with places": lambda: [parse(Source("board.yaml", text), Problems()) for text in texts],
            "schema, a yes": lambda: [schema.fits(document.root) for _ in range(share)],
            "compile, the whole": lambda: language.compile(boards, root, Options()),
        }
        best = dict.fromkeys(stages, float("inf"))
        for _ in range(rounds):
            for name, work in stages.items():
                best[name] = min(best[name], seconds(work))
        return best.pop("events alone"), best, peak(boards)


def peak(boards: Sequence[Path]) -> int:
    """MB that a process of its own takes at most to compile storyboards."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from runner.language.batch import Options, compile\n"
        "boards = [Path(name) for name in sys.argv[1:]]\n"
        "batch, problems = compile(boards, boards[0].parent, Options())\n"
        "assert not problems.errors, problems.errors[:3]\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    command = [sys.executable, "-c", code, *map(str, boards)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) // (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    sizes = [int(size.replace(",", "")) for size in sys.argv[1:]] or [1_000, 10_000, 100_000]
    print("| shots | events alone, µs a shot | values with places | schema, a yes | compile, the whole | MB |")
    print("|---|---|---|---|---|---|")
    for shots in sizes:
        spent, stages, memory = measure(shots, rounds=5 if shots < 50_000 else 2)
        ratios = " | ".join(f"{value / spent:.2f} ×" for value in stages.values())
        print(f"| {shots:,} | {spent / shots * 1e6:.1f} | {ratios} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
