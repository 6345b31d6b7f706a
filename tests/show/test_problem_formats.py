"""The formats of `validate`: text with errors first, SARIF as the standard wants it, GitHub's annotations."""

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft7Validator

from runner.diagnostics.problem import Place, Problem, Problems
from runner.language.catalogue import catalogue
from runner.show.screens.problems import github, render_problems, sarif

AT = Place("storyboards/ferry.yaml", 14, 3, "shots[0]", 4)
ODD = Place("Böot & 100%/a,b: #1.yaml", 2, 1, "title")
FOUND = Problems(
    [
        Problem("unknown-name", AT, "nobody is named @mara", "did you mean @maria?", related=((ODD, "used here"),)),
        Problem("aspect-auto", ODD, "50% of the server\r\nis guessing", "", "warning"),
        Problem("no-such-code", AT, "from a newer version"),
    ]
)


def record(required: str = "", **fields: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": fields,
    }


TEXT = record("text", text={"type": "string", "minLength": 1})
LINE = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
URI = {"type": "string", "pattern": r"^(?:[A-Za-z0-9._~/@!$&'()*+,;=-]|%[0-9A-F]{2})+$"}
PHYSICAL = record(
    artifactLocation=record(uri=URI),
    region=record(startLine=LINE, startColumn=LINE, endColumn=LINE),
)
RULE = record(
    "id",
    id={"type": "string"},
    shortDescription=TEXT,
    fullDescription=TEXT,
    help=TEXT,
    defaultConfiguration=record(level=LEVEL),
)
RESULT = record(
    "message",
    ruleId={"type": "string"},
    level=LEVEL,
    message=TEXT,
    locations={"type": "array", "items": record(physicalLocation=PHYSICAL)},
    relatedLocations={"type": "array", "items": record(physicalLocation=PHYSICAL, message=TEXT)},
)
DRIVER = record(
    "name", name={"type": "string"}, version={"type": "string"}, rules={"type": "array", "items": RULE}
)  # fmt: skip
SARIF = record(
    "version runs",
    **{"$schema": {"type": "string"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": record(
            "tool",
            tool=record("driver", driver=DRIVER),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results={"type": "array", "items": RESULT},
        ),
    },
)
"""What sections 3.13 to 3.52 of SARIF 2.1.0 say of the parts that are written here."""


def test_sarif_has_the_shape_of_the_standard() -> None:
    told: Any = json.loads(sarif(FOUND, "1.0"))
    Draft7Validator(SARIF).validate(told)
    Draft7Validator(SARIF).validate(json.loads(sarif(Problems(), "1.0")))
    (run,) = told["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["unknown-name", "aspect-auto", "no-such-code"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 14, "startColumn": 3, "endColumn": 7}


def test_every_result_of_sarif_finds_its_rule_with_words_and_an_example() -> None:
    told: Any = json.loads(sarif(Problems([Problem(code, AT, code) for code in catalogue()]), "1.0"))
    Draft7Validator(SARIF).validate(told)
    rules = {rule["id"]: rule for rule in told["runs"][0]["tool"]["driver"]["rules"]}
    assert set(rules) == set(catalogue())
    for code, known in catalogue().items():
        assert known.says.startswith(rules[code]["shortDescription"]["text"])
        assert "right:" in rules[code]["help"]["text"]
        assert rules[code]["defaultConfiguration"]["level"] == known.kind


COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")


@pytest.mark.parametrize("index", range(3))
def test_an_annotation_comes_back_as_it_was_meant(index: int) -> None:
    lines = github(FOUND).splitlines()
    assert len(lines) == 3
    told = COMMAND.fullmatch(lines[index])
    assert told is not None
    problem = FOUND.items[index]

    def back(words: str) -> str:
        for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
            words = words.replace(code, character)
        return words

    fields = {key: back(value) for key, _, value in (pair.partition("=") for pair in told[2].split(","))}
    place = problem.place
    assert fields == {
        "file": place.file,
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + place.width),
        "title": problem.code,
    }
    assert told[1] == problem.severity
    assert back(told[3]) == problem.message + (f"\n{problem.hint}" if problem.hint else "")


def heads(items: list[Problem], all_warnings: bool = False) -> list[str]:
    """The first word of each problem on the text screen, and the line that counts warnings."""
    here = Path("/repository")
    text = render_problems(Problems(items), here, here, color=False, all_warnings=all_warnings)
    return [line.split(": ", 1)[1].split(" ")[0] if "[" in line else line for line in text.splitlines() if ":" in line]


@pytest.mark.parametrize(("severity", "code"), [("error", "31"), ("warning", "33")])
def test_a_problem_is_coloured_in_the_styles_of_all_screens(severity: Literal["error", "warning"], code: str) -> None:
    problem = Problem(
        "unknown-name", Place("ferry.yaml", 1, 8, "", 5), "nobody is named @mara", "is it @maria?", severity
    )
    problems = Problems([problem])
    problems.sources["ferry.yaml"] = "prompt: @mara"
    here = Path("/repository")
    assert render_problems(problems, here, here, color=True) == (
        f"\x1b[1mferry.yaml:1:8\x1b[0m: \x1b[1;{code}m{severity}\x1b[0m[unknown-name] "
        "\x1b[1mnobody is named @mara\x1b[0m\n"
        " \x1b[34m1 |\x1b[0m prompt: @mara\n"
        f" \x1b[34m  |\x1b[0m        \x1b[{code}m^^^^^\x1b[0m\n"
        "   \x1b[34m=\x1b[0m is it @maria?\n"
    )


WARNING = Problem("square-frame", AT, "@ines is square", severity="warning")
ERROR = Problem("unknown-name", AT, "nobody is named @mara")


@pytest.mark.parametrize(("number", "text"), [(1, "1 warning"), (16, "16 warnings")])
def test_beside_an_error_the_warnings_are_one_line(number: int, text: str) -> None:
    counted = f"and {text}: storyboard validate --warnings"
    assert heads([*[WARNING] * number, ERROR]) == ["error[unknown-name]", counted]


def test_with_the_flag_errors_stand_before_the_warnings() -> None:
    assert heads([WARNING, ERROR, WARNING], all_warnings=True) == [
        "error[unknown-name]",
        "warning[square-frame]",
        "warning[square-frame]",
    ]


def test_warnings_without_an_error_are_all_shown() -> None:
    assert heads([WARNING, WARNING]) == ["warning[square-frame]"] * 2
