"""The page about JSON, the schemas and the code say the same."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from runner.engine.run_events import Kind
from runner.planning.change_reason import CHANGES
from runner.planning.plan import Action
from runner.planning.reason import RESERVED, ReasonCode
from runner.show.json.status import STATUS
from runner.show.screens.clips import Verdict
from tests.docs.pages import ROOT, sections
from tests.docs.test_reference import _flags, _subparsers

PAGE = ROOT / "docs" / "json.md"
TEXT = PAGE.read_text("utf-8")
_ROW = r"^\| `storyboard ([a-z]+)` \| \[`([a-z-]+)`\]\((\S+)\) \| `\"([a-z]+)\": (\d+)` \|$"
ROWS = re.findall(_ROW, TEXT, re.MULTILINE)
"""Command, schema, link, field and number of the version."""
WITHOUT_DOCUMENT = {"keep", "mend", "pick"}
"""Commands that take `--json` as all others do, and print no document."""


def schema(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    return value


def codes(text: str) -> list[tuple[str, str]]:
    """First and last cell of the rows of a table whose first cell is a code."""
    rows = re.findall(r"^\| `([a-z_-]+)` \| (.*) \|$", text, re.MULTILINE)
    return [(code, rest.rpartition(" | ")[2]) for code, rest in rows]


def part(start: str, end: str) -> str:
    return TEXT.partition(start)[2].partition(end)[0]


def enums(value: object, field: str) -> Iterator[set[object]]:
    """The values that a schema allows for every field of a name."""
    if isinstance(value, dict):
        properties = value.get("properties", {})
        if "enum" in properties.get(field, {}):
            yield set(properties[field]["enum"])
        for inner in value.values():
            yield from enums(inner, field)


def test_every_command_with_json_has_its_document_and_its_schema() -> None:
    with_json = {name for name, sub in _subparsers().items() if "--json" in _flags(sub)}
    documented = {command for command, *_ in ROWS}
    assert documented == with_json - WITHOUT_DOCUMENT


@pytest.mark.parametrize(("command", "name", "link", "field", "version"), ROWS)
def test_a_document_has_the_version_and_the_fields_of_its_schema(
    command: str, name: str, link: str, field: str, version: str
) -> None:
    published = schema(name)
    assert link == f"../schemas/{name}.schema.json"
    assert published["properties"][field]["const"] == int(version)
    section = sections(PAGE)[f"storyboard {command}"]
    listed = re.search(r"Fields(?: of an event)?: (.*?)[.;]", section, re.DOTALL)
    assert listed is not None
    assert sorted(re.findall(r"`([a-z_]+)`", listed[1])) == sorted(published["properties"])


def test_the_reasons_are_those_of_the_planner_and_say_which_are_built() -> None:
    documented = codes(part("### Reasons", "\n## "))
    assert {code for code, _ in documented} == {code.value for code in ReasonCode}
    assert {code for code, built in documented if built == "not yet"} == {code.value for code in RESERVED}
    assert {built for _, built in documented} == {"yes", "not yet"}
    order = [code for code, _ in documented if code in CHANGES]
    assert order == [code.value for code in CHANGES]


@pytest.mark.parametrize("name", ["plan", "status"])
def test_the_schemas_know_every_code_and_action(name: str) -> None:
    assert next(enums(schema(name), "code")) == {code.value for code in ReasonCode}
    assert set(next(enums(schema(name), "action"))) == {action.value for action in Action}


def test_the_actions_are_those_of_the_planner() -> None:
    table = part("The words of `action`", "### Reasons")
    assert [code for code, _ in codes(table)] == [action.value for action in Action]


def test_the_events_are_those_of_a_run() -> None:
    printed = [kind for kind in get_args(Kind) if kind != "waiting"]  # that is for the live view alone
    assert [code for code, _ in codes(sections(PAGE)["storyboard run"])] == printed
    assert set(next(enums(schema("run-event"), "event"))) == set(get_args(Kind))


def test_the_states_of_a_take_are_those_of_its_attempt() -> None:
    states = {state for state in STATUS.values() if state is not None}
    assert set(next(enums(schema("status"), "status"))) - {None} == states
    section = sections(PAGE)["storyboard status"]
    assert states <= set(re.findall(r"`([a-z_]+)`", section))


def test_the_verdicts_are_those_of_a_check() -> None:
    for name in ("verify", "fetch"):
        assert next(enums(schema(name), "verdict")) == set(get_args(Verdict))
    assert set(get_args(Verdict)) <= set(re.findall(r"`([a-z]+)`", sections(PAGE)["storyboard fetch"]))
