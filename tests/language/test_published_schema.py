"""What `check-jsonschema`, or an editor, says with the published schema alone: all bad shapes, and no false alarm."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.diagnostics.problem import Problems
from runner.language import schema
from runner.language.schema_files import load
from runner.language.yaml.document import Source, Value
from runner.language.yaml.parser import parse

REPOSITORY = Path(__file__).parents[2]
STORYBOARDS = REPOSITORY / "tests" / "storyboards"
GOOD = [
    *(REPOSITORY / "storyboards").glob("**/*.yaml"),
    *(STORYBOARDS / "good").glob("**/*.yaml"),
    *(REPOSITORY / "runner" / "show" / "templates" / "init").glob("**/*.yaml"),
]
CASES = sorted((STORYBOARDS / "bad").glob("*.yaml"))
SHAPES = {
    "asset-kind",
    "cut-entry",
    "empty",
    "missing-field",
    "too-long",
    "too-many",
    "unknown-field",
    "wrong-type",
    "wrong-value",
}


def reported_codes(path: Path) -> set[str]:
    """The codes that our own reading of the schema has for one file, without what it includes and comes to."""
    text = path.read_bytes().decode("utf-8", "replace")
    return {problem.code for _, problem in schema.check(parse(Source(path.name, text), Problems()))}


def asked(paths: list[Path]) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of `check-jsonschema`."""
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json"]
    command += ["--schemafile", str(REPOSITORY / "schemas" / "storyboard.schema.json"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_good_storyboard_and_include_is_accepted() -> None:
    assert len(GOOD) >= 7
    assert asked(GOOD) == (0, {"status": "ok", "errors": []})


def test_every_bad_shape_is_refused() -> None:
    wrong = [path for path in CASES if path.stem in reported_codes(path)]
    assert {path.stem for path in wrong} == SHAPES
    code, report = asked(wrong)
    assert (code, report["parse_errors"]) == (1, [])
    assert {Path(error["filename"]).stem for error in report["errors"]} == SHAPES


def test_what_shape_cannot_show_is_not_marked() -> None:
    codes = [path for path in CASES if not reported_codes(path) and path.stem not in ("recursive-alias", "empty-file")]
    _, report = asked(codes)
    assert report["errors"] == []


TEMPLATED = sorted(set(load()["definitions"]["shot"]["properties"]) - {"matrix", "vars", "inputs"})


@pytest.mark.parametrize("field", TEMPLATED)
def test_a_templated_field_is_no_false_alarm(field: str) -> None:
    listed = field in ("tags", "references")
    for template in ("{{ made }}", "{% if made %}{{ made }}{% endif %}"):
        written: Value = [template] if listed else template
        shot: Value = {"id": "quay", field: written}
        assert schema.is_valid({"storyboard": 1, "shots": [shot]}), template
        if field not in ("id", "skip"):
            piece: Value = {field: written}
            assert schema.is_valid({"storyboard": 1, "defaults": piece, "profiles": {"draft": piece}, "shots": [shot]})


MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_example_and_what_init_writes_names_its_schema(path: Path) -> None:
    named = MODELINE.match(path.read_text("utf-8"))
    assert named is not None
    top = REPOSITORY / "runner" / "show" / "templates" / "init"
    written = path.is_relative_to(top)
    # `init` writes the schema beside its template.
    target = Path(os.path.normpath(path.parent / named[1])).relative_to(top if written else REPOSITORY)
    assert target == Path("schemas/storyboard.schema.json")
