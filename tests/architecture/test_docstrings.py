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
VERBS = """
    accept add adjust append apply ask assemble await begin bind bring build call cancel carry change check choose clear
    close collect commit compare compile compute confirm convert copy count create decide delete deliver describe do
    download draw drop emit encode end erase estimate execute fetch fill find finish follow forbid forget free gather
    give go handle hand hold import insert join keep learn leave let list load locate look make mark merge move name
    note open order parse pass plan poll price print publish put queue raise react read rebuild record refuse release
    remove render repair replace report reserve resolve restore return run save say schedule send serve set show skip
    sort split start stop store strip substitute sum take tell translate try turn update validate verify wait wake warn
    watch write yield
"""
# Words that are also the plural of a noun, as in "Takes of a shot", "Names from the root commits", "Runs that ended".
PLURAL = re.compile(
    r"(?:changes|checks|copies|counts|downloads|ends|lists|marks|names|notes|orders|plans|polls|prices|queues|reads|"
    r"records|reports|runs|starts|sums|takes|tries) (?:of|from|in|whose|made|grouped)\b|"
    r"(?:names|runs|takes) (?:that|and)\b",
    re.IGNORECASE,
)


def third_person(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "o")):
        return f"{verb}es"
    return re.sub(r"(?<![aeiou])y$", "ie", verb) + "s"


THIRD_PERSON = re.compile(rf"(?:{'|'.join(map(third_person, VERBS.split()))})\b", re.IGNORECASE)


def is_third_person(text: str) -> bool:
    return THIRD_PERSON.match(text) is not None and not PLURAL.match(text)


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


def test_the_docstring_of_a_function_is_no_third_person() -> None:
    """An imperative, as in a commit's subject: "Write the intent", not "Writes the intent"."""
    statements = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {text.splitlines()[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in syntax_nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_third_person(text := ast.get_docstring(node) or "")
    ]
    assert statements == []


@pytest.mark.parametrize(
    "text", ["Executes a plan.", "Carries out an order.", "Takes the lock of a file.", "Notes that a poll begins."]
)
def test_a_verb_in_the_third_person_is_recognised(text: str) -> None:
    assert is_third_person(text)


@pytest.mark.parametrize(
    "text", ["Execute a plan.", "Takes of one request.", "Names from the commits.", "Runs that ended.", "Seconds left."]
)
def test_an_imperative_or_a_plural_is_no_third_person(text: str) -> None:
    assert not is_third_person(text)


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
