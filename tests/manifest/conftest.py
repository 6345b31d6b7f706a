"""Manifests of small worlds, written to disk and read again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from runner.attempts.pick import Pick
from runner.store.manifest.decisions import with_picks
from runner.store.manifest.document import Manifest
from runner.store.manifest.picks import pick_json
from runner.store.manifest.reading import read
from runner.store.manifest.writing import write
from tests.show.test_json import SCHEMAS

SCHEMA = Draft7Validator(json.loads((SCHEMAS / "manifest.schema.json").read_text("utf-8")))
Reread = Callable[[dict[str, Any]], Manifest]


@pytest.fixture
def reread(tmp_path: Path) -> Reread:
    """Writes a content as the manifest of `tmp_path`, by its schema, and reads the file again."""

    def through_disk(content: dict[str, Any]) -> Manifest:
        SCHEMA.validate(content)
        path = tmp_path / "manifest.json"
        write(path, content, tmp_path, read(path, "manifest.json", tmp_path))
        manifest = read(path, "manifest.json", tmp_path)
        assert manifest is not None
        assert manifest.content == content
        return manifest

    return through_disk


def with_pick(content: Mapping[str, Any], shot: str, pick: Pick) -> dict[str, Any]:
    """The content of a manifest with the pick of one shot."""
    return with_picks(content, {shot: pick_json(pick)})
