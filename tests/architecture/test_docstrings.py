"""Docstrings begin with the subject: a noun phrase or an imperative, no pronoun, question or participle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.syntax_nodes import syntax_nodes

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "runner"
BENCHMARKS = ROOT / "benchmarks"
OPENINGS = re.compile(
    r"(?:is|are|does|do|was|were|has|what|how|why|when|where|which|whose|who|it|its|they|their|he|she|this|that|these|"
    r"those|there|something|somebody|nothing|nobody|everything|everybody|made|said|told|found|known|given|kept|shown|"
    r"left|taken|none|of|as|at|on|by|for|with|without|in|behind|beside|"
    r"(?:one|each|all|some|any) of (?:it|them|those))\b",
    re.IGNORECASE,
)
VERBS = """
    accept add adjust answer append apply ask assemble await begin bind bring build call cancel carry change check
    choose clear close collect commit compare compile compose compute confirm convert copy count create cut decide
    decode delete deliver describe detect do download draw drop emit encode end erase escape estimate execute expand
    fetch fill find finish follow forbid forget format free gather give go hand handle hold implement import insert join
    judge keep learn leave let list load locate look make map mark merge move name note open order parse pass plan poll
    price print publish put queue raise react read rebuild receive record refuse release remove render repair replace
    report reserve resolve restore return rewrite run save say schedule send serve set settle show skip sort split start
    stop store strip style substitute sum take tell translate try turn update upload validate verify wait wake warn
    watch write yield
"""
# Words that are also the plural of a noun, as in "Takes of a shot", "Names from the root commits", "Runs that ended".
PLURAL = re.compile(
    r"(?:answers|changes|checks|commits|copies|counts|cuts|downloads|ends|estimates|lists|maps|marks|names|notes|orders|"
    r"plans|polls|prices|queues|reads|records|reports|runs|starts|sums|takes|tries|uploads) "
    r"(?:of|from|in|by|beyond|whose|made|grouped)\b|(?:names|runs|takes) (?:that|and)\b",
    re.IGNORECASE,
)


def third_person(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "o")):
        return f"{verb}es"
    return re.sub(r"(?<![aeiou])y$", "ie", verb) + "s"


# A docstring may name a command or a flag before it says what it is: "`storyboard docs`: a page of the documentation".
NAME = re.compile(r"\A`[^`]+`: ")
THIRD_PERSON = re.compile(rf"(?:{'|'.join(map(third_person, VERBS.split()))})\b", re.IGNORECASE)


def is_third_person(text: str) -> bool:
    text = NAME.sub("", text)
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


@pytest.mark.parametrize("folder", [PACKAGE, BENCHMARKS], ids=lambda folder: folder.name)
def test_no_docstring_begins_in_the_third_person(folder: Path) -> None:
    """A module or class is a thing, "The writer of intents", a function an imperative: not "Writes the intent"."""
    statements = [
        f"{path.relative_to(ROOT)}:{line} {text.splitlines()[0]}"
        for path in sorted(folder.rglob("*.py"))
        for line, text in docstrings(path)
        if is_third_person(text)
    ]
    assert statements == []


@pytest.mark.parametrize(
    "text",
    [
        "Executes a plan.",
        "Carries out an order.",
        "Takes the lock of a file.",
        "Notes that a poll begins.",
        "Reads a shot list in JSON: a list of objects.",
        "`storyboard docs`: prints a page.",
    ],
)
def test_a_verb_in_the_third_person_is_recognised(text: str) -> None:
    assert is_third_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "Execute a plan.",
        "Takes of one request.",
        "Names from the commits.",
        "Runs that ended.",
        "Seconds left.",
        "The reader of shot lists in JSON: a list of objects.",
        "`storyboard docs`: a page.",
    ],
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
