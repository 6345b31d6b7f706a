"""What local pictures cost a command that only looks, against `sha256sum` of them. Prints the docs' table.

    python -m benchmarks.materials [ROUNDS]       5 unless said otherwise

24 shots with 30 pictures of the size of photographs (141 MB). CPU time of whole processes, user and system, in turn:
the least of each, and the middle of the rounds' ratios. "first" has no memory of the files, the others are unchanged.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks.processes import compile_first, process

PICTURES, SHOTS = 30, 24
_BYTES = 4_700_000


def film(root: Path) -> Path:
    """A storyboard whose shots show 30 pictures of 4.7 MB."""
    (root / "assets").mkdir()
    names = [f"p{number}" for number in range(PICTURES)]
    for name in names:
        photograph(root / "assets" / f"{name}.jpg")
    assets = "".join(f"  {name}: {{image: assets/{name}.jpg}}\n" for name in names)
    shots = "".join(
        f'  - {{id: s{number}, prompt: "@{names[number % PICTURES]} and @{names[(number + 6) % PICTURES]}"}}\n'
        for number in range(SHOTS)
    )
    defaults = "{resolution: 720p, duration: 5, aspect_ratio: 16:9}"
    board = root / "film.yaml"
    board.write_text(f"storyboard: 1\ndefaults: {defaults}\nassets:\n{assets}shots:\n{shots}", "utf-8")
    return board


def photograph(path: Path) -> None:
    """A JPEG with the size of a photograph: a small picture, and bytes behind it that a viewer passes over."""
    Image.effect_noise((2048, 1152), 40).convert("RGB").save(path, quality=90)
    with path.open("ab") as file:
        file.write(random.Random(path.name).randbytes(max(0, _BYTES - path.stat().st_size)))


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if sys.argv[1:] else 5
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        os.environ["STORYBOARD_STATE"] = str(root / "state")
        (root / "state").mkdir()
        (root / "film").mkdir()
        board = film(root / "film")
        pictures = sorted(str(path) for path in (root / "film/assets").iterdir())
        megabytes = sum(os.path.getsize(path) for path in pictures) / 1e6
        # A file that changed just now is not remembered.
        time.sleep(2.5)
        python = [sys.executable, "-m", "runner"]
        first = process([*python, "validate", str(board)])[0]
        runs = {
            "`sha256sum`": ["/usr/bin/sha256sum", *pictures],
            "`validate`": [*python, "validate", str(board)],
            "`plan`": [*python, "plan", str(board)],
            "`status`": [*python, "status", str(board)],
            "`plan --verify-files`": [*python, "plan", str(board), "--verify-files"],
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, command in runs.items():
                times[name].append(process(command)[0])
    floor = times["`sha256sum`"]
    print(f"{SHOTS} shots, {PICTURES} pictures, {megabytes:.0f} MB; load {os.getloadavg()[0]:.0f}, {rounds} rounds\n")
    print("| what | CPU s, the least | × `sha256sum`, the middle of the rounds |")
    print("|---|---|---|")
    print(f"| `validate`, first | {first:.2f} | {first / min(floor):.2f} |")
    for name, spent in times.items():
        middle = statistics.median(cpu / bound for cpu, bound in zip(spent, floor, strict=True))
        print(f"| {name} | {min(spent):.2f} | {middle:.2f} |")


if __name__ == "__main__":
    main()
