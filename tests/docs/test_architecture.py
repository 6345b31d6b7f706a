"""The page on the architecture: every module, function, class and floor that it names exists."""

import ast
import functools
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT, prose

PAGE = ROOT / "docs/architecture.md"
PACKAGE = ROOT / "runner"
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", prose(PAGE))))
OUTPUT_FOLDERS = {"earlier/"}
DATA_FILE = re.compile(r".*\.(toml|json|yaml|mp4)")


def names(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """Functions, classes and assigned names of a module or a class, each with its statement."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, statement


@functools.cache
def symbols() -> frozenset[str]:
    """`module`, `name`, `module.name`, `Class.member` and `module.Class.member` of the whole package."""
    every: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        every.add(path.stem)
        for name, statement in names(ast.parse(path.read_text("utf-8")).body):
            members = names(statement.body) if isinstance(statement, ast.ClassDef) else ()
            for dotted in (name, *(f"{name}.{member}" for member, _ in members)):
                every |= {dotted, f"{path.stem}.{dotted}"}
    return frozenset(every)


def named_symbols() -> list[str]:
    """What the page names of the code: dotted names, and single words with a capital."""
    word = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|[A-Z]\w*[a-z]\w*")
    return [name for name in QUOTED if word.fullmatch(name) and not DATA_FILE.fullmatch(name) and "/" not in name]


def test_every_function_and_class_on_the_page_exists() -> None:
    every = symbols()
    wanted = [name.removesuffix(".py") for name in named_symbols()]
    assert [name for name in wanted if name not in every] == []
    assert len(wanted) >= 60


def test_every_folder_on_the_page_exists() -> None:
    folders = {name for name in QUOTED if re.fullmatch(r"\w+/", name)} - OUTPUT_FOLDERS
    assert [name for name in folders if not any(PACKAGE.rglob(name.rstrip("/")))] == []


def test_the_floors_on_the_page_are_those_that_import_linter_holds() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    documented = [{room for floor, room in rows if floor == str(number)} for number in range(len(layers))]
    assert documented[::-1] == [set(layer.split(" | ")) for layer in layers]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_page_is_linked_from(page: str) -> None:
    assert "docs/architecture.md" in (ROOT / page).read_text("utf-8")


def test_a_name_that_does_not_exist_is_noticed() -> None:
    every = symbols()
    assert "schedule.next_orders" in every
    assert not {"schedule.orders", "Schedule", "History.feed"} & every
