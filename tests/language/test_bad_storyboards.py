"""One file for each problem code, and beside it the whole message. REWRITE=1 writes the messages anew."""

import os
import shutil
from pathlib import Path

import pytest

from runner.language import compiler as language
from runner.language.catalogue import catalogue
from runner.language.compiler import CompileOptions
from runner.show.screens.problems import render_problems

BAD = Path(__file__).parent.parent / "storyboards" / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.yaml"))
GENERATED = {"file-size": "files/huge.yaml"}
"""Files that are too large to be kept: written by the test."""


def test_every_code_has_a_case_and_every_case_a_code() -> None:
    floods = {"too-many-errors"}  # hundreds of lines each: tests/commands/test_floods.py
    assert set(CASES) | floods == set(catalogue())


@pytest.mark.parametrize("code", CASES)
def test_the_whole_message(code: str, tmp_path: Path) -> None:
    root = BAD
    if code in GENERATED:
        root = tmp_path / "bad"
        shutil.copytree(BAD, root)
        with (root / GENERATED[code]).open("wb") as file:
            file.truncate(17 << 20)
    _, problems = language.compile([root / f"{code}.yaml"], root, CompileOptions())
    report = render_problems(problems, root, root, color=False, all_warnings=True)
    expected = BAD / f"{code}.txt"
    if os.environ.get("REWRITE"):
        expected.write_text(report, "utf-8")
    assert code in {problem.code for problem in problems}, report
    assert {problem.severity for problem in problems if problem.code == code} == {catalogue()[code].kind}
    assert report == expected.read_text("utf-8")
