"""The published schemas: draft-07, closed, and every field explained with an example that holds."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from runner.diagnostics.failures import Failure
from runner.settings.settings import Flags, read
from tests.show.test_json import SCHEMAS

NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.json"))
OURS = [name for name in NAMES if name not in ("storyboard", "faults")]
OPEN = {"request", "inputs", "prices"}
"""Fields whose keys are not ours."""
KEEPS_FIELDS = {("manifest", at) for at in ("", "shot", "take", "clip", "note")}
"""Mappings in which the fields of later versions are kept."""


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


def fields(part: Any, path: str = "", root: Any = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every mapping, with its path; a reference is followed for its words."""
    top = root if root is not None else part
    if isinstance(part, dict):
        for name, field in part.get("properties", {}).items():
            found = field
            if "$ref" in field:
                found = top["definitions"][field["$ref"].rpartition("/")[2]] | field
            yield f"{path}.{name}".lstrip("."), found
        for key, value in part.items():
            if key not in ("examples", "enum", "const"):
                yield from fields(value, f"{path}.{key}" if key not in ("properties", "items") else path, top)
    elif isinstance(part, list):
        for item in part:
            yield from fields(item, path, top)


def objects(part: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping that a schema describes."""
    if isinstance(part, dict):
        if "object" in part.get("type", ()) and (part.get("type") == "object" or isinstance(part.get("type"), list)):
            yield name, part
        for key, value in part.items():
            if key not in ("examples", "enum", "const"):
                yield from objects(value, key if key not in ("properties", "items", "definitions") else name)
    elif isinstance(part, list):
        for item in part:
            yield from objects(item, name)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_schema_of_draft_7(name: str) -> None:
    found = schema(name)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(found)


@pytest.mark.parametrize("name", OURS)
def test_every_field_has_a_description_and_an_example(name: str) -> None:
    bare = [path for path, field in fields(schema(name)) if "description" not in field or "examples" not in field]
    assert bare == []


@pytest.mark.parametrize("name", OURS)
def test_every_example_is_valid(name: str) -> None:
    root = schema(name)
    for path, field in fields(root):
        for example in field["examples"]:
            errors = list(Draft7Validator(field | {"definitions": root.get("definitions", {})}).iter_errors(example))
            assert errors == [], (path, example)


@pytest.mark.parametrize("name", OURS)
def test_no_mapping_of_ours_takes_unknown_keys(name: str) -> None:
    lax = [at for at, part in objects(schema(name)) if part.get("additionalProperties") is not False and at not in OPEN]
    assert [at for at in lax if (name, at) not in KEEPS_FIELDS] == []


# -- storyboard.toml --------------------------------------------------------------------------------------

WHOLE = """
provider = "kinovi"
output = "renders"
[providers.kinovi]
edition = "classic"
concurrency = 3
usd_per_credit = "0.005"
server_error = "retry"
requests_per_second = 5
[providers.kinovi.prices]
"seedance-20 720p" = "42"
[retries]
provider = 2
review = 0
[budget]
credits_per_day = 5000
[webhook]
url = "https://hooks.acme.example/storyboard"
listen = "127.0.0.1:8788"
"""
WRONG = [
    'provider = "kinovy"',
    "outputs = 'renders'",
    "[providers.kinovi]\nconcurrency = 0",
    "[providers.kinovi]\nedition = 'klassic'",
    "[providers.kinovi]\nusd_per_credit = '-1'",
    "[retries]\nprovider = 11",
    "[budget]\ncredits = 5000",
    "[providers.kinovi]\nserver_error = 'ignore'",
    "[webhook]\nurl = 'hooks.example.com'",
    "[webhook]\nlisten = '8788'",
]


def settled(tmp_path: Path, text: str) -> bool:
    """Whether the program takes these settings."""
    (tmp_path / "storyboard.toml").write_text(text, "utf-8")
    try:
        read(tmp_path, Flags(), {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "own")})
    except Failure:
        return False
    return True


def test_the_settings_of_the_documentation_are_valid_and_taken(tmp_path: Path) -> None:
    assert Draft7Validator(schema("config")).is_valid(tomllib.loads(WHOLE))
    assert settled(tmp_path, WHOLE)


@pytest.mark.parametrize("text", WRONG)
def test_what_the_program_refuses_an_editor_marks_too(text: str, tmp_path: Path) -> None:
    assert not Draft7Validator(schema("config")).is_valid(tomllib.loads(text))
    assert not settled(tmp_path, text)
