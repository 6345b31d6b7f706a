"""The published schema: described in full, linear, and the two validators that read it agree."""

import copy
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.language import schema
from runner.language.schema_files import load
from runner.language.shape import QuickCheck
from runner.language.yaml.document import Value

SCHEMA = load()
QUICK = jsonschema_rs.Draft7Validator(SCHEMA)
THOROUGH = jsonschema.Draft7Validator(SCHEMA)
WHOLE: dict[str, Any] = {
    "storyboard": 1,
    "title": "Harbour",
    "include": ["cast.yaml"],
    "length": 38,
    "budget": {"credits": 3000, "usd": 15.5},
    "vars": {"city": "Lisbon", "list": [1, None, {"a": True}]},
    "assets": {
        "maria": {"image": ["a.png", "b.png"], "words": "w"},
        "waltz": {"video": "v.mp4", "seconds": 6},
        "d": "d.png",
    },
    "defaults": {"model": "seedance-20", "resolution": "720p", "vars": {"camera": "static"}, "wrap": "{{ prompt }}"},
    "profiles": {"draft": {"resolution": "480p", "upscale": None, "takes": 1}},
    "shots": [
        {"id": "quay", "prompt": "p", "duration": "5s", "tags": ["a", 1], "takes": 3, "skip": False, "seed": 1},
        {
            "id": "city-{{ place }}",
            "first_frame": "@quay.last_frame",
            "references": ["@maria"],
            "matrix": {
                "place": ["Lisbon", 2],
                "format": {"wide": {"aspect_ratio": "16:9"}, "tall": {"aspect_ratio": "{{ x }}"}},
                "exclude": [{"place": "Lisbon"}],
                "include": [{"place": "Faro", "format": "wide"}],
            },
            "inputs": {"a": [1]},
            "x-own": 1,
        },
    ],
}


def paths(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield at
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from paths(inner, (*at, key))


PLACES = sorted(paths(WHOLE), key=str)
SCALARS = st.none() | st.booleans() | st.integers(-5, 30) | st.floats(-1, 40, allow_nan=False) | st.sampled_from(
    ["", "x", "{{ x }}", "720p", "4k", "5", "16s", "16:9", "seedance-20", "keyframe", "a b", "x" * 70, "\u00e9"]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["image", "video", "words", "id", "x-a", "vars", "credits"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def changed(path: tuple[str | int, ...], value: Value, drop: bool) -> Any:
    document = copy.deepcopy(WHOLE)
    if not path:
        return value
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    if drop and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


def test_the_whole_example_fits() -> None:
    assert schema.is_valid(WHOLE)
    assert list(schema.violations(WHOLE)) == []


@settings(max_examples=200, derandomize=True)
@given(path=st.sampled_from(PLACES), value=VALUES, drop=st.booleans())
def test_both_validators_agree_and_every_no_has_words(path: tuple[str | int, ...], value: Value, drop: bool) -> None:
    document = changed(path, value, drop)
    yes = QUICK.is_valid(document)
    assert yes == THOROUGH.is_valid(document)
    assert yes == QuickCheck(SCHEMA, SCHEMA["definitions"]).answer(document)
    violations = list(schema.violations(document))
    assert bool(violations) != yes
    for violation in violations:
        assert violation.message
        assert len(violation.message) < 400


CONFIG = load("config")
ODD_VALUES = VALUES | st.sampled_from([
    "4k\n", "5s\n", "https://a.example\n", "1.5", ".5e3", "16:9", "x" * 300, 1.0, 1.5, -1, 0, 10**30,
    ["upload", "upload"], ["upload"], {"a": 1},
])  # fmt: skip
CONFIG_KEYS = [
    {**field, "definitions": CONFIG["definitions"]}
    for table in (CONFIG, *CONFIG["properties"].values())
    for field in table.get("properties", {}).values()
]


@settings(max_examples=400, derandomize=True)
@given(
    part=st.sampled_from(sorted(SCHEMA["definitions"])),
    config=st.sampled_from(CONFIG_KEYS),
    value=ODD_VALUES,
)
def test_the_quick_check_says_what_the_validator_says(part: str, config: dict[str, Any], value: Value) -> None:
    own = {"$ref": f"#/definitions/{part}", "definitions": SCHEMA["definitions"]}
    for whole in (own, config):
        answer = QuickCheck(whole, whole["definitions"]).answer(value)
        assert answer in (None, jsonschema_rs.Draft7Validator(whole).is_valid(value))


def test_the_quick_check_knows_every_keyword_of_a_storyboard() -> None:
    assert all(
        QuickCheck({"$ref": f"#/definitions/{name}"}, SCHEMA["definitions"]).answer("x") is not None
        for name in SCHEMA["definitions"]
    )


def test_the_quick_check_leaves_what_is_large_to_the_validator() -> None:
    document = {"storyboard": 1, "shots": [{"id": f"s{number}", "prompt": "p"} for number in range(20_000)]}
    check = QuickCheck(SCHEMA, SCHEMA["definitions"])
    assert check.answer(document) is None
    assert check.answer(WHOLE) is None


def definitions(part: object, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        for key, inner in part.items():
            if key in ("properties", "definitions"):
                for name, field in inner.items():
                    yield f"{at}/{key}/{name}", field
            if key not in ("examples", "enum", "required", "default"):
                yield from definitions(inner, f"{at}/{key}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from definitions(inner, f"{at}/{index}")


@pytest.mark.parametrize(("where", "field"), list(definitions(SCHEMA)))
def test_every_field_has_a_description_and_examples_that_fit(where: str, field: dict[str, Any]) -> None:
    if "$ref" in field:
        field = SCHEMA["definitions"][field["$ref"].rsplit("/", 1)[1]]
    assert field["description"].endswith((".", ")", "…")), where
    assert field["examples"], where
    whole = {**field, "definitions": SCHEMA["definitions"]}
    for example in field["examples"]:
        assert jsonschema_rs.Draft7Validator(whole).is_valid(example), (where, example)


def test_it_is_a_schema_of_draft_7_and_never_fetched() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert all(ref.startswith("#/") for ref in re.findall(r'"\$ref": "([^"]*)"', json.dumps(SCHEMA)))


def test_every_pattern_is_linear() -> None:
    patterns = set(re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(SCHEMA)))
    assert patterns
    for written in patterns:
        pattern = re.compile(json.loads(f'"{written}"'))
        for evil in ("a" * 100_000, "a." * 50_000, "a-" * 50_000 + "!", "{" * 100_000, "x-" * 50_000):
            started = time.process_time()
            pattern.search(evil)
            assert time.process_time() - started < 0.5, written
