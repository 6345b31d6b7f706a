"""The plan of a film beside that of `vs` (mblode/video-studio), a tool for the same work, in Node. Prints the table.

    python -m benchmarks.peers --vs CHECKOUT [--node NODE] [--shots N …] [--rounds N]

CHECKOUT is a folder of that project whose command line is built (`dist/cli.js`); without one, or without Node, this
prints that it is not here. Both get the same film: equal ids, prompts, lengths and pictures, and a text before every
prompt. Each checks it, prices it, and writes every request as JSON; nothing is sent. CPU time of whole processes, user
and system, in turn: the least of each, and the middle of the rounds' ratios.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import compile_first, in_turn, machine, middle_ratio, process

RATIO, SECONDS, RESOLUTION = "16:9", 5, "720p"
LOOK = "Teal and amber, 35 mm, shallow depth of field. No text, no logos."
PORTRAIT = "https://cdn.example.com/maria.png"
_NOWHERE = "http://127.0.0.1:9"
"""The peer's provider: its dry run opens no connection, and could reach nothing here."""


def prompt(number: int, picture: str) -> str:
    """The prompt of a shot; `picture` is how the language mentions the portrait, in every second shot."""
    if number % 2:
        return (
            f"The woman of {picture} walks along quay {number}, she looks at the water, a green crane stands to the "
            "left, the stone is wet and shines, the camera follows her at the height of her shoulder until she turns"
        )
    return (
        f"Sunrise number {number} over the roofs of Lisbon, gulls in the air, the river behind them, long shadows on "
        "the tiles; a tram climbs the hill with its lamps still lit, laundry moves in the wind between houses"
    )


def ours(shots: int) -> str:
    """The film as a storyboard."""
    entries = "".join(f'  - id: sh{n:06}\n    prompt: "{prompt(n, "@maria")}"\n' for n in range(shots))
    return (
        f"storyboard: 1\ntitle: A film for two\nassets:\n  maria: {{image: {PORTRAIT}}}\n"
        f"defaults:\n  resolution: {RESOLUTION}\n  duration: {SECONDS}\n  aspect_ratio: {RATIO}\n"
        f'  wrap: "{LOOK} {{{{ prompt }}}}"\nshots:\n{entries}'
    )


def theirs(shots: int) -> str:
    """The film as a shot list of the peer."""
    portrait = {"type": "image", "role": "reference_image", "url": PORTRAIT}
    entries = [
        {"id": f"sh{n:06}", "prompt": prompt(n, "@Image 1"), **({"references": [portrait]} if n % 2 else {})}
        for n in range(shots)
    ]
    defaults = {"ratio": RATIO, "duration": SECONDS, "resolution": RESOLUTION}
    film = {"title": "A film for two", "defaults": defaults, "promptPreamble": LOOK}
    return json.dumps({"film": film, "shots": entries}, indent=2)


def measure(shots: int, command: Path, node: str, rounds: int) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder).resolve()
        (top / "storyboard.toml").touch()
        (top / "film.yaml").write_text(ours(shots), "utf-8")
        (top / "shots.json").write_text(theirs(shots), "utf-8")
        runs = {
            "ours": [sys.executable, "-m", "runner", "plan", "--json", str(top / "film.yaml")],
            "theirs": [node, str(command), "generate", str(top / "shots.json"), "--dry-run", "--json"],
        }
        memory = {name: process(run)[1] for name, run in runs.items()}
        seconds = in_turn(runs, rounds)
    ratio = middle_ratio(seconds["ours"], seconds["theirs"])
    cells = [f"{min(seconds[name]):.2f} s, {memory[name]} MB" for name in ("ours", "theirs")]
    return f"| {shots:,} | {' | '.join(cells)} | {ratio:.2f} × |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--vs", type=Path, metavar="CHECKOUT", help="a built checkout of the peer")
    parser.add_argument("--node", default="node", help="Node, by name or path")
    parser.add_argument("--shots", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    compile_first()
    node, command = shutil.which(arguments.node), None if arguments.vs is None else arguments.vs / "dist/cli.js"
    if node is None or command is None or not command.is_file():
        print("not here: `--vs CHECKOUT` names no checkout with dist/cli.js, or there is no Node")
        return
    os.environ |= {"ARK_BASE_URL": _NOWHERE, "PYTHONPATH": str(Path(__file__).parents[1])}
    print(f"{machine()}; {arguments.rounds} rounds\n")
    print(
        "| shots | `storyboard plan --json` | `vs generate --dry-run --json` | ours against theirs |\n|---|---|---|---|"
    )
    for shots in arguments.shots:
        print(measure(shots, command, node, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
