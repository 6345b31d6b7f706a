"""An order travels to the process that draws as JSON, and arrives as it was."""

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


@pytest.mark.parametrize("order", [PLAIN, FULL])
def test_an_order_comes_back_as_it_was(order: AnimaticSpec) -> None:
    assert from_json(json.loads(json.dumps(to_json(order)))) == order


@pytest.mark.parametrize(
    ("key", "value"),
    [("prompt", 7), ("seconds", "5"), ("references", {}), ("references", [{"kind": "text"}]), ("first", 1)],
)
def test_what_nobody_of_us_wrote_is_refused(key: str, value: object) -> None:
    form = json.loads(json.dumps(to_json(PLAIN)))
    form[key] = value
    with pytest.raises((TypeError, KeyError)):
        from_json(form)
