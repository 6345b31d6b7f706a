"""Thousands of mistakes of one kind: few nearest names are sought, and a screenful is shown."""

import cProfile
from pathlib import Path

import pytest

from runner.show.screens.problems import render_problems
from tests.builders.storyboards import compiled

COUNT = 600
HEAD = "storyboard: 1\nshots:\n"
NAMES = ", ".join(f"maria{number}: {{words: x}}" for number in range(COUNT))
FLOODS = {
    "unknown fields of a storyboard": "storyboard: 1\n%sshots: [{id: a, prompt: x}]\n",
    "unknown fields of shots": HEAD + "%s",
    "unknown mentions": f"storyboard: 1\nassets: {{{NAMES}}}\nshots:\n%s",
    "unknown variables": f"storyboard: 1\nvars: {{{NAMES}}}\nshots:\n%s",
    "broken assets": f"storyboard: 1\nassets: {{{NAMES.replace('{words: x}', '5')}}}\nshots:\n%s",
    "taken ids": HEAD + "%s",
    "missing files": HEAD + "%s",
}
ENTRIES = {
    "unknown fields of a storyboard": "title{0}: 1\n",
    "unknown fields of shots": "  - {{id: s{0}, prompt: x{0}, promt: y}}\n",
    "unknown mentions": "  - {{id: s{0}, prompt: '@mria{0} x'}}\n",
    "unknown variables": "  - {{id: s{0}, prompt: '{{{{ mria{0} }}}}'}}\n",
    "broken assets": "  - {{id: s{0}, prompt: '@maria{0} x'}}\n",
    "taken ids": "  - {{id: same, prompt: x{0}}}\n",
    "missing files": "  - {{id: s{0}, prompt: x{0}, first_frame: assets/mria{0}.png}}\n",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_mistakes_seeks_few_names_and_fills_one_screen(tmp_path: Path, flood: str) -> None:
    entries = "".join(ENTRIES[flood].format(number) for number in range(COUNT))
    profile = cProfile.Profile()
    _, problems = profile.runcall(compiled, tmp_path, FLOODS[flood] % entries)
    calls = [entry.callcount for entry in profile.getstats() if "get_close_matches" in str(entry.code)]
    assert len(problems.errors) >= 500
    # A missing file is compared with those of its folder and the next ones, of which there are none here.
    assert sum(calls) <= 250 or flood == "missing files"
    assert render_problems(problems, tmp_path, tmp_path, color=False).count("\n") <= 120
