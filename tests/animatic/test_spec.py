"""A spec travels as JSON to the drawing process and arrives unchanged."""

import json
from pathlib import Path

import pytest

from runner.animatic.spec import AnimaticSpec, Reference, from_json, to_json

PLAIN = AnimaticSpec("seedance-20", "Dawn", 5, 1280, 720)
FULL = AnimaticSpec(
    "seedance2-fast",
    "@image1 geht \u4f60\u597d",
    8,
    720,
    1280,
    first=Path("/a/b.png"),
    last_address="https://cdn.example.com/x.png",
    references=(
        Reference("image", "image1", Path("/a/c.jpg")),
        Reference("audio", "audio1", None, "https://a.b/c.mp3"),
    ),
    variation=3,
    sound=False,
)


@pytest.mark.parametrize("spec", [PLAIN, FULL])
def test_a_spec_comes_back_as_it_was(spec: AnimaticSpec) -> None:
    assert from_json(json.loads(json.dumps(to_json(spec)))) == spec


@pytest.mark.parametrize(
    ("key", "value"),
    [("prompt", 7), ("seconds", "5"), ("references", {}), ("references", [{"kind": "text"}]), ("first", 1)],
)
def test_json_of_another_form_is_refused(key: str, value: object) -> None:
    document = json.loads(json.dumps(to_json(PLAIN)))
    document[key] = value
    with pytest.raises((TypeError, KeyError)):
        from_json(document)
