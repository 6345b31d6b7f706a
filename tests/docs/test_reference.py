"""The reference says what the code does: commands, flags, exit codes, fields, settings; nothing more, nothing less."""

import argparse
import functools
import json
import re
from typing import Any

import pytest

from runner.cli import parser
from runner.commands import COMMANDS
from runner.diagnostics.problem import ExitCode
from runner.settings.schema import keys
from tests.docs.pages import ROOT, sections

DOCS = ROOT / "docs"
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas/storyboard.schema.json").read_text("utf-8"))


@functools.cache
def _subparsers() -> dict[str, argparse.ArgumentParser]:
    top = parser(tuple(COMMANDS))
    actions = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(actions[0].choices)


def _flags(sub: argparse.ArgumentParser) -> set[str]:
    every = {name for action in sub._actions if action.help != argparse.SUPPRESS for name in action.option_strings}
    return {name for name in every if name.startswith("--")} - {"--help"}


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    documented = {name.removeprefix("storyboard ") for name in sections(DOCS / "commands.md") if "storyboard " in name}
    assert documented == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_section_names_its_flags_and_no_others(command: str) -> None:
    text = sections(DOCS / "commands.md")[f"storyboard {command}"]
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert documented == _flags(_subparsers()[command])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_a_command_says_what_it_does_in_its_help(command: str) -> None:
    silent = [action.dest for action in _subparsers()[command]._actions if not action.help]
    assert silent == []


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`storyboard [^|]+)\|", readme, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`storyboard ([a-z]+)", row)}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("page", ["docs/exit-codes.md", "README.md"])
def test_every_exit_code_is_documented(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == {int(code) for code in ExitCode}


def _shot_fields() -> set[str]:
    return set(_definition(SCHEMA["properties"]["shots"]["items"])["properties"])


def _definition(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = SCHEMA
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _named_in_first_column(text: str) -> set[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


def test_every_field_of_a_shot_is_in_the_language_reference_and_no_other() -> None:
    text = sections(DOCS / "language.md")["Shots"].split("A shot is made in one of three ways")[0]
    assert _named_in_first_column(text) == _shot_fields()


def test_every_key_of_a_storyboard_is_in_the_language_reference_and_no_other() -> None:
    assert _named_in_first_column(sections(DOCS / "language.md")["A file"]) == set(SCHEMA["properties"])


def test_every_setting_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|", sections(DOCS / "commands.md")["The settings file"], re.MULTILINE)
    assert sorted(rows) == sorted([*keys().values, *keys().rows])


def test_every_variable_of_the_environment_is_documented() -> None:
    page = (DOCS / "commands.md").read_text("utf-8")
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "runner").rglob("*.py"))
    read = set(re.findall(r"[\"'](S(?:EEDANCE|TORYBOARD)_[A-Z_]+|NO_COLOR)[\"']", code))
    assert read <= set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert len(read) >= 6
