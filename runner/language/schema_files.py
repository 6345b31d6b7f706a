"""The published schemas: their folder and their content."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from runner.files.packaged import packaged_folder

Schema = dict[str, Any]
_ENDING = ".schema.json"


def folder() -> Path:
    """The folder of the schemas."""
    return packaged_folder("schemas")


def names() -> list[str]:
    """The names of the schemas, sorted."""
    return sorted(path.name.removesuffix(_ENDING) for path in folder().iterdir() if path.name.endswith(_ENDING))


@cache
def load(name: str = "storyboard") -> Schema:
    """A published schema by its name. Raises FileNotFoundError."""
    text = (folder() / f"{name}{_ENDING}").read_text("utf-8")
    schema: Schema = json.loads(text)
    return schema
