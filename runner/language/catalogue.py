"""Catalogue of problem codes, each with its meaning and a wrong and a right example: the only source of these texts."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A problem code: its meaning, and a wrong and a right extract of a storyboard."""

    says: str
    wrong: str
    right: str
    warning: bool = False

    @property
    def kind(self) -> str:
        return "warning" if self.warning else "error"


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All entries by code, in alphabetical order."""
    text = (Path(__file__).parent / "data" / "problems.toml").read_text("utf-8")
    entries = {
        code: CatalogueEntry(
            fields["says"], fields["wrong"].rstrip(), fields["right"].rstrip(), fields.get("warning", False)
        )
        for code, fields in tomllib.loads(text).items()
    }
    # One for all callers, so none may change it.
    return MappingProxyType(dict(sorted(entries.items())))
