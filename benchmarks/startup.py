"""How long the command takes to start, as ratios to `python -c pass` of the same environment. Prints the docs' table.

    python -m benchmarks.startup [ROUNDS]       15 unless said otherwise

CPU time of whole processes, user and system, in turn; the smallest of each counts.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.compile import process, storyboard

WITH_JINJA = (
    "  wrap: |\n    {{ camera }}.",
    "  wrap: |\n    {% if camera != city %}{{ camera }}{% endif %}.",
)
"""A template that only Jinja can render, in place of one that is read here."""


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 15
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "storyboard.toml").touch()
        plain, jinja = root / "plain.yaml", root / "jinja.yaml"
        text = storyboard(10)
        assert WITH_JINJA[0] in text
        plain.write_text(text, "utf-8")
        jinja.write_text(text.replace(*WITH_JINJA), "utf-8")
        command = [sys.executable, "-m", "runner"]
        runs = {
            "`python -c pass`": [sys.executable, "-c", "pass"],
            "`storyboard --version`": [*command, "--version"],
            "`storyboard --help`": [*command, "--help"],
            "`storyboard validate`, 10 shots, simple templates": [*command, "validate", str(plain)],
            "`storyboard validate`, 10 shots, templates for Jinja": [*command, "validate", str(jinja)],
            "`storyboard plan --json`, 10 shots": [*command, "plan", "--json", str(plain)],
        }
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(rounds):
            for name, run in runs.items():
                best[name] = min(best[name], process(run)[0])
    bare = best["`python -c pass`"]
    print("| what | × `python -c pass` |")
    print("|---|---|")
    for name, spent in best.items():
        print(f"| {name} | {spent / bare:.1f} |")


if __name__ == "__main__":
    main()
