"""Seconds of CPU for each second of animatic, by size; and a film of 26 shots at 480p, drawn by two processes."""

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import compile_first
from runner.animatic.drawing_time import drawing_seconds
from runner.animatic.render import render
from runner.animatic.spec import AnimaticSpec, to_json
from runner.sandbox.drawing.worker_pool import WorkerPool

SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
PROMPTS = {
    "pan": "City skyline at night, pan left",
    "push": "A woman in a yellow oilskin coat walks along a fishing quay at dawn, slow push in",
    "rain": "A man runs down a rainy neon street in Tokyo",
}
FILMS = Path(__file__).resolve().parents[1] / "tests/animatic/films"
PROCESSES = 2


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("clips", "film"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.only != "film":
            _clips(Path(folder) / "clip.mp4", args.seconds, args.rounds)
        if args.only != "clips":
            _film(Path(folder))


def _clips(target: Path, seconds: int, rounds: int) -> None:
    render(AnimaticSpec("warm-up", "dawn", 1, 320, 180), target)
    print(f"{'size':6} {'prompt':6} {'min':>6} {'median':>7} {'formula':>8} {'kB':>6}   CPU seconds a second of clip")
    for size, (width, height) in SIZES.items():
        for name, prompt in PROMPTS.items():
            order = AnimaticSpec("seedance-20", prompt, seconds, width, height)
            spent = [_cpu(order, target) / seconds for _ in range(rounds)]
            formula, kilobytes = drawing_seconds(width, height, seconds) / seconds, target.stat().st_size // 1000
            print(
                f"{size:6} {name:6} {min(spent):6.3f} {statistics.median(spent):7.3f} {formula:8.3f} {kilobytes:6}",
                flush=True,
            )


def _film(folder: Path) -> None:
    """Draw all shots of the two test films, the start of the processes included."""
    specs = [
        AnimaticSpec("seedance-20", shot["prompt"], 4, *SIZES["480p"])
        for film in sorted(FILMS.glob("*.yaml"))
        for shot in yaml.safe_load(film.read_text("utf-8"))["shots"]
    ]
    formula = sum(drawing_seconds(spec.width, spec.height, spec.seconds) for spec in specs)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    asyncio.run(_draw_all(specs, folder))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"film of {len(specs)} shots, {sum(spec.seconds for spec in specs)} s at 480p, {PROCESSES} processes: "
        f"{cpu:.1f} s of CPU (formula {formula:.1f}), {time.monotonic() - started:.1f} s"
    )


async def _draw_all(specs: list[AnimaticSpec], folder: Path) -> None:
    pool = WorkerPool(PROCESSES)
    jobs = [
        {"job": "draw", "order": to_json(spec), "target": str(folder / f"{number}.mp4")}
        for number, spec in enumerate(specs)
    ]
    await asyncio.gather(*map(pool.run, jobs))
    await pool.close()


def _cpu(order: AnimaticSpec, target: Path) -> float:
    start = time.process_time()
    render(order, target)
    return time.process_time() - start


if __name__ == "__main__":
    main()
