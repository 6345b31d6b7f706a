"""Names of the package: nouns that say what a thing is, and one class for one name."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(__file__).parents[2] / "runner"
FILES = sorted(PACKAGE.rglob("*.py"))
EMPTY_WORDS = {"found", "said", "told", "made", "one", "each", "known", "given", "kept", "shown", "here", "there"}
"""Pronouns and participles that say nothing of what a variable holds; so do `_said` and `found2`."""
SHORTHAND = {"board": "storyboard", "boards": "storyboards", "desk": "the thing that it stands for"}
"""Words that only this project would understand, anywhere in a name, and the word that says it."""
MOST_EXCEPTIONS = 20
EXCEPTIONS: dict[str, str] = {}
"""`file: name` and why the word is the right one there."""
SAME_NAME: dict[str, str] = {}
"""Class names that stand twice since they are cases of one sum type, and which."""


def assigned_names(path: Path) -> Iterator[tuple[str, int]]:
    for node in syntax_nodes(path):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)):
                yield name, node.lineno


def is_empty(name: str) -> bool:
    return re.sub(r"[_\d]+$", "", name.lstrip("_")) in EMPTY_WORDS


def test_no_assigned_name_is_a_pronoun_or_a_participle() -> None:
    empty = {
        f"{path.relative_to(PACKAGE)}: {name}": line
        for path in FILES
        for name, line in assigned_names(path)
        if is_empty(name)
    }
    assert {f"{place} (line {line})" for place, line in empty.items() if place not in EXCEPTIONS} == set()
    assert set(EXCEPTIONS) - set(empty) == set(), "an exception that nothing needs any more"
    assert len(EXCEPTIONS) <= MOST_EXCEPTIONS


def words_of(name: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower())


def test_no_name_is_a_shorthand_of_this_project() -> None:
    shorthand = [
        f"{path.relative_to(PACKAGE)}:{line} {name}: {SHORTHAND[word]}"
        for path in FILES
        for name, line in (*assigned_names(path), (path.stem, 1))
        for word in words_of(name)
        if word in SHORTHAND
    ]
    assert shorthand == []


def test_a_word_of_a_name_is_found_in_either_spelling() -> None:
    assert [words_of("_DailiesDesk"), words_of("matched_boards")] == [["dailies", "desk"], ["matched", "boards"]]
    assert words_of("storyboard_of") == ["storyboard", "of"]


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in FILES:
        for node in syntax_nodes(path):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    shared = {name: files for name, files in places.items() if len(files) > 1 and name not in SAME_NAME}
    assert shared == {}
