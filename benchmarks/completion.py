"""What TAB costs over 1,000 shots, as ratios to `python -c pass`: a shell that starts, reads the script and completes.

    python -m benchmarks.completion [ROUNDS]       15 unless said otherwise

CPU time of whole processes, user and system: the least of each. The shells start anew in every round, which a person's
shell does once; a shell that is not installed is left out.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import compile_first, process

SHOTS = 1_000
WORD = "shot-07"
BASH = """\
source {script}
COMP_WORDS=(storyboard run --select {word}) COMP_CWORD=3
_storyboard
((${{#COMPREPLY[@]}} == 10))
"""
ZSH = """\
compdef() {{ : }}; compadd() {{ shift; count=${{#names}} }}
eval "$(<{script})"
_storyboard_shot
((count == 2 * {shots}))
"""
FISH = """\
source {script}
test (complete -C 'storyboard run --select {word}' | count) -eq 10
"""
SHELLS = {"bash": (["--norc", "--noprofile"], BASH), "zsh": (["-f"], ZSH), "fish": (["--no-config"], FISH)}


def commands(folder: Path) -> dict[str, list[str]]:
    """Each shell's TAB, by its name in the table, in a repository whose words are kept."""
    (folder / "storyboards").mkdir()
    shots = "".join(f"  - {{id: shot-{number:03}, prompt: A quay}}\n" for number in range(SHOTS))
    (folder / "storyboards" / "film.yaml").write_text(f"storyboard: 1\nshots:\n{shots}", "utf-8")
    (folder / "storyboard.toml").write_text("", "utf-8")
    os.environ["STORYBOARD_STATE"] = str(folder / "state")
    command = [sys.executable, "-m", "runner"]
    os.chdir(folder)
    subprocess.run([*command, "validate", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    runs = {"`python -c pass`": [sys.executable, "-c", "pass"]}
    for shell, (arguments, program) in SHELLS.items():
        if (path := shutil.which(shell)) is None:
            continue
        script = folder / f"script.{shell}"
        script.write_bytes(subprocess.run([*command, "completion", shell], check=True, stdout=subprocess.PIPE).stdout)
        text = program.format(script=script, word=WORD, shots=SHOTS)
        runs[f"TAB in {shell}, {SHOTS:,} shots"] = [path, *arguments, "-c", text]
    return runs


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if sys.argv[1:] else 15
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(Path(folder).resolve())
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                times[name].append(process(run)[0])
        os.chdir("/")
    print("| what | × `python -c pass` |")
    print("|---|---|")
    bare = min(times["`python -c pass`"])
    for name, spent in times.items():
        print(f"| {name} | {min(spent) / bare:.1f} |")


if __name__ == "__main__":
    main()
