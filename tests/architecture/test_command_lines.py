"""Commands to type next are built by `CommandLine`, and the real command line accepts them."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from runner.cli import parser
from runner.commands import COMMANDS
from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(__file__).parents[2] / "runner"
ALLOWED = {
    "cli.py: explain": "the message of the parser itself, which knows no film",
    "store/manifest/reading.py: mend": "the manifest's own path, quoted; `mend` takes no flag of a film",
}
"""`file: command` of each text with values that is built by hand, and why it may be."""
# A command with a value in it: up to the end of the line, or of what a sentence says about it.
_WITH_VALUE = re.compile(rf"storyboard ({'|'.join(COMMANDS)})\b[^\n`;,.()]*\0")
_GOLDEN = Path(__file__).parents[1] / "show" / "golden"
_LINE = re.compile(rf"^\s*(?:next\s+)?(?:␛\[\d+m)?(storyboard (?:{'|'.join(COMMANDS)})\b.*?)(?:\s{{2,}}.*|␛.*)?$")


def texts_with_values(path: Path) -> set[str]:
    """`file: command` of each f-string that has a command with a value; the examples of a help are none."""
    texts = (
        "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        for node in syntax_nodes(path)
        if isinstance(node, ast.JoinedStr)
    )
    name = path.relative_to(PACKAGE).as_posix()
    return {f"{name}: {command}" for text in texts if "examples:" not in text for command in _WITH_VALUE.findall(text)}


def test_a_command_with_values_is_built_by_the_command_line() -> None:
    found_texts = {text for path in PACKAGE.rglob("*.py") for text in texts_with_values(path)}
    assert found_texts == ALLOWED.keys()


def next_lines() -> list[str]:
    """Every command that stands on a line of its own on a golden screen."""
    lines = (line for path in sorted(_GOLDEN.glob("*.txt")) for line in path.read_text("utf-8").splitlines())
    return sorted({match[1].rstrip(" \\") for line in lines if (match := _LINE.match(line)) is not None})


@pytest.mark.parametrize("line", next_lines())
def test_a_command_on_a_screen_is_one_that_the_command_line_accepts(line: str) -> None:
    words = shlex.split(line.replace("TAKE", "2").replace("…", "x"))
    assert parser().parse_args(words[1:]) is not None
