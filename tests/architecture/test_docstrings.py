"""Docstrings begin with the subject: a noun phrase or an imperative, no pronoun, question or participle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(__file__).parents[2] / "runner"
OPENINGS = re.compile(
    r"(?:is|are|does|do|was|were|has|what|how|why|when|where|which|whose|who|it|its|they|their|he|she|this|that|these|"
    r"those|there|something|somebody|nothing|nobody|everything|everybody|made|said|told|found|known|given|kept|shown|"
    r"left|taken|none|of|as|at|on|by|for|with|without|in|behind|beside|"
    r"(?:one|each|all|some|any) of (?:it|them|those))\b",
    re.IGNORECASE,
)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the docstring of a module, and of its classes and functions."""
    for node in syntax_nodes(path):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield getattr(node, "lineno", 1), text


def test_a_docstring_begins_with_its_subject() -> None:
    riddles = [
        f"{path.relative_to(PACKAGE)}:{line} {text.splitlines()[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in docstrings(path)
        if OPENINGS.match(text)
    ]
    assert riddles == []


def test_a_predicate_says_what_it_asks() -> None:
    """The docstring of `is_open`, `has_clip`, … begins with "Whether": it is read without the name."""
    unclear = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in syntax_nodes(path)
        if isinstance(node, ast.FunctionDef) and node.name.startswith(("is_", "has_", "may_", "can_", "needs_"))
        if isinstance(node.returns, ast.Name) and node.returns.id == "bool"
        if not (ast.get_docstring(node) or "Whether").startswith(("Whether", "Count one"))
    ]
    assert unclear == []


@pytest.mark.parametrize("text", ["What it holds.", "One of them after the other.", "Told, and gone on without."])
def test_a_docstring_without_a_subject_is_a_riddle(text: str) -> None:
    assert OPENINGS.match(text)


@pytest.mark.parametrize("text", ["The clips of a take.", "Write one line.", "All shots of a scene.", "A task's id."])
def test_a_noun_phrase_or_an_imperative_is_none(text: str) -> None:
    assert not OPENINGS.match(text)
