"""The page on the API: every module, name and test in its tables exists."""

import ast
import re

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "api.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| what"))
]


def names(path: str) -> set[str]:
    """Functions and classes at the top of a module."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def test_every_row_names_code_and_a_test_that_exist() -> None:
    wrong = []
    for row in ROWS:
        assert len(row) == 4, row
        for cell, folder in ((row[2], "runner"), (row[3], "tests")):
            found = re.fullmatch(r"`([\w/]+\.py)` `(\w+)`", cell.rstrip("| "))
            if found is None or found[2] not in names(f"{folder}/{found[1]}"):
                wrong.append(cell)

    assert wrong == []
    assert len(ROWS) >= 30
