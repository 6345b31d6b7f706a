"""Seconds of CPU for each second of animatic, by size; a film of 26 shots at 480p; what `plan` says against the truth.

    python -m benchmarks.animatic [--only clips|film|estimate] [--seconds 5] [--rounds 3]

The estimate is what the screen of `plan` names, the truth the whole `storyboard run` of the same film, cut
included. On a busy machine its wall time says little; its CPU seconds over the cores are the least time it
could take alone.
"""

import argparse
import asyncio
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import compile_first
from runner.animatic.cores import usable_cores
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
ESTIMATED = ((10, "480p", 4), (26, "480p", 4), (8, "720p", 10))
"""Shots, resolution and seconds of a shot of the films whose time is estimated."""


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("clips", "film", "estimate"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.only in (None, "clips"):
            _clips(Path(folder) / "clip.mp4", args.seconds, args.rounds)
        if args.only in (None, "film"):
            _film(Path(folder))
        if args.only in (None, "estimate"):
            print(f"{'film':18} {'plan says':>9} {'took':>7} {'CPU':>6} {'alone':>6}   load   took and alone × plan")
            for shots, resolution, seconds in ESTIMATED:
                _estimate(Path(folder) / f"{shots}-{resolution}", shots, resolution, seconds)


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
    specs = [AnimaticSpec("seedance-20", prompt, 4, *SIZES["480p"]) for prompt in _prompts()]
    formula = sum(drawing_seconds(spec.width, spec.height, spec.seconds) for spec in specs)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    asyncio.run(_draw_all(specs, folder))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"film of {len(specs)} shots, {sum(spec.seconds for spec in specs)} s at 480p, {PROCESSES} processes: "
        f"{cpu:.1f} s of CPU (formula {formula:.1f}), {time.monotonic() - started:.1f} s"
    )


def _estimate(repository: Path, shots: int, resolution: str, seconds: int) -> None:
    """Run a film in a repository of its own, and print what `plan` said before and what it took."""
    (repository / "storyboards").mkdir(parents=True)
    (repository / "storyboard.toml").write_text('provider = "sandbox"\n')
    prompts = (_prompts() * shots)[:shots]
    board = {
        "storyboard": 1,
        "title": "Estimate",
        "defaults": {"duration": seconds, "resolution": resolution},
        "shots": [{"id": f"s{number}", "prompt": prompt} for number, prompt in enumerate(prompts)],
    }
    (repository / "storyboards/film.yaml").write_text(yaml.safe_dump(board, allow_unicode=True))
    planned = _seconds_named(_storyboard(repository, "plan", "storyboards/film.yaml"))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    _storyboard(repository, "run", "storyboards/film.yaml", "--yes")
    took = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    alone = cpu / usable_cores()
    print(
        f"{shots:2} × {seconds:2} s at {resolution:8} {planned:9.0f} {took:7.1f} {cpu:6.1f} {alone:6.1f} "
        f"{os.getloadavg()[0]:6.1f}   {took / planned:.2f} and {alone / planned:.2f}",
        flush=True,
    )


def _storyboard(repository: Path, *arguments: str) -> str:
    """The output of a command in a repository, with its records there."""
    env = {**os.environ, "STORYBOARD_STATE": str(repository / "state"), "XDG_CONFIG_HOME": str(repository / "config")}
    env["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-m", "runner", *arguments]
    return subprocess.run(command, cwd=repository, env=env, check=True, capture_output=True, text=True).stdout


def _seconds_named(screen: str) -> float:
    """The seconds of `about 1 h 20 min`, `about 3 min` or `about 40 s` on a plan's screen."""
    duration = re.search(r"about (?:(\d+) h )?(?:(\d+) min)?(?:(\d+) s)?", screen)
    assert duration is not None, screen
    hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    return hours * 3600 + minutes * 60 + seconds


def _prompts() -> list[str]:
    """The prompts of all shots of the two test films."""
    boards = [yaml.safe_load(film.read_text("utf-8")) for film in sorted(FILMS.glob("*.yaml"))]
    return [shot["prompt"] for board in boards for shot in board["shots"]]


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
