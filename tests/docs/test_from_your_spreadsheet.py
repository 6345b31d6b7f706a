"""The recipes for spreadsheets: the rows, through the script of their page, come to the storyboard beside them."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.language import compiler as language
from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs/from-your-spreadsheet.md"
BLOCKS = [block for block in blocks(PAGE) if block.kind != "sh"]
SCRIPT = BLOCKS[1].text
RECIPES = [BLOCKS[at : at + 3] for at in range(0, len(BLOCKS), 3)]


def adapted(script: str, changes: str) -> str:
    """The script with the functions and constants of a recipe in the place of its own; what is new stands before."""
    lines = script.splitlines()
    new = {_name(node): ast.get_source_segment(changes, node) or "" for node in ast.parse(changes).body}
    for node in reversed(ast.parse(script).body):
        if (name := _name(node)) in new and name:
            lines[node.lineno - 1 : node.end_lineno] = new.pop(name).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("def "))
    return "\n".join([*lines[:first], *new.values(), "", *lines[first:]]) + "\n"


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else ""


def test_there_are_seven_recipes() -> None:
    assert [[block.kind for block in recipe] for recipe in RECIPES] == [["csv", "python", "yaml"]] * 7


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"line {recipe[0].line}")
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
def test_a_sheet_comes_to_its_storyboard(recipe: list[Block], mark: str, tmp_path: Path) -> None:
    rows, changes, expected = recipe
    (tmp_path / "shots.csv").write_text(mark + rows.text, "utf-8")
    script = SCRIPT if changes.text == SCRIPT else adapted(SCRIPT, changes.text)
    (tmp_path / "sheet.py").write_text(script, "utf-8")
    words = [sys.executable, "sheet.py", "shots.csv"]
    written = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert (written.stdout, written.stderr) == (expected.text, "")

    folder = tmp_path / "storyboards"
    shutil.copytree(ROOT / "storyboards/assets", folder / "assets", ignore=shutil.ignore_patterns("*.py", "drawing"))
    shutil.copytree(ROOT / "storyboards/shared", folder / "shared")
    film = folder / "sheet.yaml"
    film.write_text(written.stdout, "utf-8")
    batch, problems = language.compile([film], tmp_path, language.CompileOptions())
    assert [problem.message for problem in problems] == []
    assert len(list(batch.shots)) == expected.text.count('{"id"')


def test_a_shot_that_no_clip_can_hold_is_named_by_the_first_recipe(tmp_path: Path) -> None:
    (tmp_path / "shots.csv").write_text("Scene,Shot,Size,Movement,Description,Seconds\nOne,1A,,,A quay,34\n")
    (tmp_path / "sheet.py").write_text(SCRIPT, "utf-8")
    words = [sys.executable, "sheet.py", "shots.csv"]
    refused = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 1
    assert refused.stderr == "1A: 34.0 seconds; a clip has at most 15\n"
