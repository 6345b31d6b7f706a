"""The published schemas: their folder and their content."""

import json
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]


def folder() -> Path:
    """The folder of the schemas: inside an installed package, beside the package in a working tree."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


@cache
def load(name: str = "storyboard") -> Schema:
    """A published schema by its name. Raises FileNotFoundError."""
    text = (folder() / f"{name}.schema.json").read_text("utf-8")
    schema: Schema = json.loads(text)
    return schema
