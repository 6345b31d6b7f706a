"""`--help` fits the terminal, names the command as it is typed, and breaks no command that is there to be copied."""

import argparse
import functools
import re

import pytest

from runner.cli import main, parser
from runner.commands import COMMANDS

WIDTHS = (80, 100, 140)
USAGE = {
    "init": "[DIR] [options]", "validate": "[FILE…] [options]", "plan": "[FILE…] [options]", "run": "[FILE…] [options]",
    "status": "[FILE…] [options]", "spend": "[FILE…] [options]", "settle": "[SHOT] [options]",
    "pick": "SHOT TAKE [options]", "fetch": "[FILE…] [options]", "verify": "[FILE…] [options]",
    "cut": "[FILE…] [options]", "sheet": "[FILE…] [options]", "dailies": "[FILE…] [options]",
    "timeline": "[FILE…] [options]",
    "sandbox": "[options]",
    "mend": "[FILE…] [options]", "diff": "[REF] [FILE…] [options]", "keep": "SELECT… [options]",
    "prices": "[options]", "schema": "[NAME]", "doctor": "[options]", "explain": "[WORD]",
    "docs": "[PAGE]", "example": "[NAME]", "import": "FILE [options]", "completion": "SHELL",
}  # fmt: skip


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    columns: int = request.param
    return columns


@functools.cache
def subparsers() -> dict[str, argparse.ArgumentParser]:
    """The command line of each command."""
    actions = parser(tuple(COMMANDS))._actions
    return dict(next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction)))


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that `storyboard COMMAND --help` prints."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_of_help_is_wider_than_the_terminal(
    command: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [line for line in help_of(command, capsys) if len(line) > width] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_line_of_help_is_the_command_as_it_is_typed(
    command: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert help_of(command, capsys)[0] == f"usage: storyboard {command} {USAGE[command]}"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_to_copy_stands_whole_on_a_line_of_its_own(
    command: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [line for line in help_of(command, capsys) if line.startswith("  storyboard ")]
    epilog = subparsers()[command].epilog or ""
    assert commands == [line for line in epilog.splitlines() if line.startswith("  storyboard ")]
    assert commands
    assert [line for line in commands if "  " in line.strip()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_the_same_words_at_every_width(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = set()
    for columns in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(columns))
        texts.add(" ".join(" ".join(help_of(command, capsys)).split()))
    assert len(texts) == 1


def test_the_help_of_all_fits_the_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: storyboard COMMAND [options]"
    assert [line for line in lines if len(line) > width] == []
    assert {line.split()[0] for line in lines if re.match(r"  [a-z]+  +\S", line)} == set(COMMANDS)


def test_a_flag_has_the_same_help_in_every_command() -> None:
    shared = ("--provider", "--profile", "--var", "--select", "--json", "--quiet", "--config", "--exit-code")
    texts: dict[str, set[str | None]] = {}
    for command in subparsers().values():
        for action in command._actions:
            for flag in set(action.option_strings) & set(shared):
                texts.setdefault(flag, set()).add(action.help)
    assert {flag: len(helps) for flag, helps in texts.items()} == dict.fromkeys(shared, 1)
