"""What large films cost `mend`, `diff`, `status`, `spend` and `verify`. Prints the docs' table.

    python -m benchmarks.git [ROUNDS]       5 unless said otherwise

CPU time of whole processes with their children, in turn: the least of each, and the middle of the rounds' ratios. Two
branches of a manifest of 10,000 takes with a task of their own for every tenth take; a film of 1,000 shots of which 40
have another prompt; a film of 10,000 takes that are all made, whose clips have a kilobyte, so that hashing them is
next to nothing. `spend` reads a paid account's records. Plans are `plan --quiet`: without a search for cheaper ones.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.compile import storyboard
from benchmarks.processes import compile_first, in_turn, machine, middle_ratio, process
from benchmarks.startup import made_film
from runner.attempts.events import Account
from runner.store.manifest.layout import layout

SHOTS, CHANGED = 1_000, 40
MADE_SHOTS = 8_000
"""Shots of the film of 10,000 takes: every fourth has two."""
PAID = Account("kinovi", "127.0.0.1:9")
_BY_NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
COMMAND = [sys.executable, "-m", "runner"]


@contextmanager
def working_in(folder: Path, state: Path) -> Iterator[None]:
    """Processes that start inside have this working folder and this state folder."""
    before = Path.cwd()
    os.environ["STORYBOARD_STATE"] = str(state)
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def diff_film(folder: Path) -> Path:
    """A committed film whose working tree has 40 other prompts."""
    text = storyboard(SHOTS)
    board = folder / "film.yaml"
    board.write_text(text, "utf-8")
    (folder / "storyboard.toml").write_text('provider = "kinovi"\n', "utf-8")
    for words in (["init", "--quiet"], ["add", "."], [*_BY_NOBODY, "commit", "--quiet", "-m", "A film"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    for number in range(0, 4 * CHANGED, 4):
        text = text.replace(f"Sunrise number {number} ", f"Moonrise number {number} ")
    board.write_text(text, "utf-8")
    return board


def branches(manifest: Path, folder: Path) -> tuple[Path, Path, Path]:
    """Base, ours and theirs: on each branch every tenth take has a second task, of another minute."""
    base: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    sides = {"base": base, "ours": _with_more_tasks(base, "ours", 0), "theirs": _with_more_tasks(base, "theirs", 5)}
    paths = [folder / f"{name}.json" for name in sides]
    for path, content in zip(paths, sides.values(), strict=True):
        path.write_text(layout(content), "utf-8")
    return paths[0], paths[1], paths[2]


def _with_more_tasks(base: Mapping[str, Any], name: str, first: int) -> dict[str, Any]:
    shots = [
        {**shot, "takes": [*shot["takes"], _second_task(shot["takes"][0], name)]} if number % 10 == first else shot
        for number, shot in enumerate(base["shots"])
    ]
    return {**base, "shots": shots}


def _second_task(take: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**take, "task_id": f"{take['task_id']}_{name}", "created_at": "2020-01-01T00:00:00Z"}


def mend(top: Path, manifest: Path, rounds: int) -> None:
    """The CPU time of git's merge driver over two branches of a manifest."""
    folder = top / "branches"
    folder.mkdir()
    base, ours, theirs = branches(manifest, folder)
    content, seconds = ours.read_bytes(), []
    for _ in range(rounds + 1):
        ours.write_bytes(content)
        driver = [str(base), str(ours), str(theirs), "renders/film/sandbox/manifest.json"]
        seconds.append(process([*COMMAND, "mend", "--quiet", "--driver", *driver])[0])
    merged = json.loads(ours.read_text("utf-8"))
    takes = sum(len(shot["takes"]) for shot in merged["shots"])
    assert takes == 10_000 + 2 * MADE_SHOTS // 10, takes
    print(f"| `mend` of two manifests of 10,000 takes, {takes:,} after it | {min(seconds[1:]):.2f} s |")


def diff(top: Path, rounds: int) -> None:
    """A comparison of two films of 1,000 shots against the plan of one, and the length of its markdown."""
    folder = top / "diff"
    folder.mkdir()
    board = str(diff_film(folder))
    with working_in(folder, top / "no-state"):
        words = ["diff", "HEAD", board, "--format", "markdown"]
        runs = {"plan": [*COMMAND, "plan", board, "--quiet"], "diff": [*COMMAND, *words]}
        seconds = in_turn(runs, rounds)
        text = subprocess.run([*COMMAND, *words], check=True, capture_output=True, text=True).stdout
    ratio = middle_ratio(seconds["diff"], [2 * plan for plan in seconds["plan"]])
    assert text.count("\n| changed") == CHANGED, text[:500]
    print(f"| `diff` of {SHOTS:,} shots, {CHANGED} changed | {min(seconds['diff']):.2f} s, {ratio:.2f} × two plans |")
    print(f"| its markdown | {len(text):,} characters |")


def beside_plan(name: str, board: Path, state: Path, rounds: int, *commands: str) -> None:
    """Commands over a film of 10,000 takes against its plan."""
    with working_in(board.parent, state):
        runs = {"plan": [*COMMAND, "plan", str(board), "--quiet"]}
        runs |= {word: [*COMMAND, word, str(board)] for word in commands}
        seconds = in_turn(runs, rounds)
    print(f"| `plan` of 10,000 takes, {name} | {min(seconds['plan']):.2f} s |")
    for word in commands:
        ratio = middle_ratio(seconds[word], seconds["plan"])
        print(f"| `{word}` | {min(seconds[word]):.2f} s, {ratio:.2f} × `plan` |", flush=True)


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if sys.argv[1:] else 5
    print(f"{machine()}; {rounds} rounds\n\n| what | CPU |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder).resolve()
        diff(top, rounds)
        made, paid = top / "made", top / "paid"
        made.mkdir()
        paid.mkdir()
        board = made_film(made, top / "state-made", MADE_SHOTS)
        with working_in(made, top / "state-made"):
            process([*COMMAND, "run", str(board)])  # writes the manifest
        mend(top, made / "renders/film/sandbox/manifest.json", rounds)
        beside_plan("made in the sandbox", board, top / "state-made", rounds, "status", "verify")
        os.environ["SEEDANCE_BASE_URL"] = f"http://{PAID.host}"
        board = made_film(paid, top / "state-paid", MADE_SHOTS, PAID)
        beside_plan("paid", board, top / "state-paid", rounds, "spend", "status")


if __name__ == "__main__":
    main()
