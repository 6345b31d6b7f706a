"""The faults file: valid and invalid rules, and chances that repeat for a seed."""

from pathlib import Path
from typing import Any

import pytest

from runner.app.exit_codes import exit_code_of
from runner.diagnostics.failures import SandboxUnusable
from runner.diagnostics.problem import ExitCode
from runner.language.schema_files import load
from runner.sandbox.faults.fault_rules import FaultEvent, Faults, Rule, from_json, read_faults


def affected_prompts(faults: Faults, events: list[FaultEvent]) -> set[str]:
    return {event.prompt for event in events if faults.pick(event) is not None}


EVENTS = [FaultEvent("create", f"shot {number}", "seedance-20") for number in range(200)]
HALF = (Rule("create", {"status": 503}, chance=0.5),)


def test_chance_does_not_depend_on_the_order_of_requests() -> None:
    once = affected_prompts(Faults(HALF, 7), EVENTS)
    assert affected_prompts(Faults(HALF, 7), EVENTS[::-1]) == once
    assert 70 < len(once) < 130


def test_another_seed_is_another_chance() -> None:
    assert affected_prompts(Faults(HALF, 7), EVENTS) != affected_prompts(Faults(HALF, 8), EVENTS)


def test_the_same_request_again_has_a_chance_of_its_own() -> None:
    again = [FaultEvent("create", event.prompt, event.model, task_number=2) for event in EVENTS]
    assert affected_prompts(Faults(HALF, 7), EVENTS) != affected_prompts(Faults(HALF, 7), again)


def test_no_chance_never_and_certainty_always() -> None:
    assert not affected_prompts(Faults((Rule("create", {}, chance=0.0),), 1), EVENTS)
    assert len(affected_prompts(Faults((Rule("create", {}, chance=1.0),), 1), EVENTS)) == 200


def faults_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "faults.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_in_yaml_or_json_says_the_same(tmp_path: Path) -> None:
    in_yaml = "faults: 1\nrules:\n  - on: create\n    occurrence: [1, 3]\n    do: {status: 503, html: true}\n"
    in_json = '{"faults": 1, "rules": [{"on": "create", "occurrence": [1, 3], "do": {"status": 503, "html": true}}]}'
    first, second = read_faults(faults_file(tmp_path, in_yaml), 0), read_faults(faults_file(tmp_path, in_json), 0)
    assert first.rules[0].occurrences == frozenset((1, 3))
    assert [(rule.operation, rule.occurrences, dict(rule.effect)) for rule in first.rules] == [
        (rule.operation, rule.occurrences, dict(rule.effect)) for rule in second.rules
    ]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("faults: 1\nrules:\n  - on: create\n    do: {staus: 503}\n", ":4:10:", "did you mean status?"),
        ("faults: 1\nrules:\n  - on: creat\n    do: {status: 503}\n", ":3:5:", "create"),
        ("faults: 1\nrules:\n  - on: task\n    do: {status: 1.5}\n", ":4:10:", "rules[0].do.status"),
        ("faults: 1\nrules:\n  - on: create\n    do: {error: face}\n", ":4:10:", "error: unknown"),
        ("faults: 1\nrules:\n  - do: {status: 503}\n", ":3:5:", "on required"),
        ("faults: 2\nrules: []\n", ":1:1:", "2 is not 1"),
        ("rules: []\n", ":1:1:", "faults required"),
        ("faults: 1\nrules: [\n", ":", ""),
        ("", ":1:1:", "empty"),
        (b"\xff\xfe\x00", ":1:1:", "UTF-16"),
        ("faults: 1\nrules:\n  - {on: create, chance: 2, do: {status: 503}}\n", ":3:18:", "chance"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(
    tmp_path: Path, text: str | bytes, place: str, message: str
) -> None:
    with pytest.raises(SandboxUnusable) as stop:
        read_faults(faults_file(tmp_path, text), 0)
    assert exit_code_of(stop.value) == ExitCode.INVALID
    assert f"faults.yaml{place}" in stop.value.message
    assert message in stop.value.message


NO_RULES: tuple[Any, ...] = (None, {}, [None], "x")
EFFECTS: tuple[Any, ...] = ({}, [], None)
REQUEST_NUMBERS: tuple[Any, ...] = (0, [], "1", [0], {})
ODD: list[Any] = [
    *(None, 5, [], {}),
    *({"faults": 1, "rules": rules} for rules in NO_RULES),
    *({"faults": 1, "rules": [{"on": on, "do": do}]} for on in ("create", "task", "x", None) for do in EFFECTS),
    *({"faults": 1, "rules": [{"on": "poll", "do": {"stall": 1}, "look": look}]} for look in REQUEST_NUMBERS),
]


@pytest.mark.parametrize("value", ODD)
def test_no_rules_are_too_odd_to_be_refused(value: Any) -> None:
    violations = from_json(value, 0)
    assert isinstance(violations, list)
    assert all(path or words for path, words in violations)


def test_the_schema_of_the_file_is_a_schema() -> None:
    from jsonschema import Draft7Validator

    Draft7Validator.check_schema(load("faults"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnusable, match=r"none\.yaml: cannot read the faults file"):
        read_faults(tmp_path / "none.yaml", 0)
