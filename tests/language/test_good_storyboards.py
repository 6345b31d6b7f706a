"""Whole storyboards, and beside each the requests that it comes to. REWRITE=1 writes them anew."""

import json
import os
from pathlib import Path

import pytest

from runner.diagnostics.problem import Problems
from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.language.model import Shot
from runner.language.schema import is_valid
from runner.language.yaml.document import Source
from runner.language.yaml.parser import parse
from runner.requests.request import JsonValue, ResolvedTake, neutral_form

GOOD = Path(__file__).parent.parent / "storyboards" / "good"


def shot_document(shot: Shot) -> dict[str, JsonValue]:
    """A shot as its golden file has it: what a person gave it, and its request in the neutral form."""
    form = neutral_form(shot.request, 1, lambda need: ResolvedTake(need.shot, need.take or 1, f"<{need}>"))
    return {
        "id": shot.id,
        "line": shot.place.line,
        "scene": shot.scene,
        "tags": list(shot.tags),
        "takes": shot.takes,
        "skip": shot.skip,
        "axes": dict(shot.axes),
        "needs": list(shot.needs),
        "names": list(shot.names),
        "request": form,
    }


@pytest.mark.parametrize("profile", [None, "rough"])
@pytest.mark.parametrize("name", sorted(path.name for path in GOOD.iterdir()))
def test_the_requests_of(name: str, profile: str | None) -> None:
    root = GOOD / name
    batch, problems = language.compile([root / "board.yaml"], root, CompileOptions(profile=profile))
    assert [(problem.code, problem.place.line, problem.message) for problem in problems] == []
    (board,) = batch.storyboards
    expected = root / ("requests.json" if profile is None else f"requests-{profile}.json")
    document = json.dumps([shot_document(shot) for shot in board.shots], indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("REWRITE"):
        expected.write_text(document, "utf-8")
    assert document == expected.read_text("utf-8")


def test_every_good_storyboard_has_the_shape_of_the_schema() -> None:
    for path in GOOD.glob("*/board.yaml"):
        assert is_valid(parse(Source(path.name, path.read_text("utf-8")), Problems()).root), path
