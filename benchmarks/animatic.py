"""Seconds of CPU for each second of animatic, by size: below 1 is faster than real time on one core."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from runner.animatic.render import render
from runner.animatic.spec import AnimaticSpec

SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
PROMPTS = {
    "pan": "City skyline at night, pan left",
    "push": "A woman in a yellow oilskin coat walks along a fishing quay at dawn, slow push in",
    "rain": "A man runs down a rainy neon street in Tokyo",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "clip.mp4"
        render(AnimaticSpec("warm-up", "dawn", 1, 320, 180), target)
        print(f"{'size':6} {'prompt':6} {'min':>6} {'median':>7} {'kB':>6}   CPU seconds a second of clip")
        for size, (width, height) in SIZES.items():
            for name, prompt in PROMPTS.items():
                order = AnimaticSpec("seedance-20", prompt, args.seconds, width, height)
                spent = [_cpu(order, target) / args.seconds for _ in range(args.rounds)]
                kilobytes = target.stat().st_size // 1000
                print(f"{size:6} {name:6} {min(spent):6.2f} {statistics.median(spent):7.2f} {kilobytes:6}")


def _cpu(order: AnimaticSpec, target: Path) -> float:
    start = time.process_time()
    render(order, target)
    return time.process_time() - start


if __name__ == "__main__":
    main()
