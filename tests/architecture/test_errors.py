"""Errors below `app` are typed failures that know no exit code, and argparse ends in the commands."""

import ast
from pathlib import Path

import runner
from runner.app.exit_codes import EXIT_CODES
from runner.diagnostics import failures
from runner.diagnostics.failures import Failure, SeveralFailures
from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(runner.__file__).parent
ABOVE = {"app", "commands", "cli.py"}
"""Who may choose an exit code."""


def names_in(path: Path) -> set[str]:
    """Every name that a module uses."""
    return {node.id for node in syntax_nodes(path) if isinstance(node, ast.Name)}


def modules_below_app() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in ABOVE]


def test_only_app_and_commands_raise_an_error_with_an_exit_code() -> None:
    users = {path.relative_to(PACKAGE).as_posix() for path in modules_below_app() if "CommandError" in names_in(path)}
    assert users == set()


def test_every_kind_of_failure_has_its_exit_code() -> None:
    kinds = {kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, Failure)}
    assert set(EXIT_CODES) == kinds - {Failure, SeveralFailures}


def test_argparse_is_known_to_the_command_line_alone() -> None:
    parsers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in {"commands", "cli.py"} and "argparse" in names_in(path)
    }
    assert parsers == {"show/text/help_format.py"}
