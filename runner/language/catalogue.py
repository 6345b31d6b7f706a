"""The catalogue of problem codes: what each means, with an example of wrong and right. One source for all who tell."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One code: what it means, and parts of a storyboard that are wrong and right."""

    says: str
    wrong: str
    right: str
    warning: bool = False

    @property
    def kind(self) -> str:
        return "warning" if self.warning else "error"


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """Every code, in alphabetical order."""
    text = (Path(__file__).parent / "data" / "problems.toml").read_text("utf-8")
    entries = {
        code: CatalogueEntry(
            fields["says"], fields["wrong"].rstrip(), fields["right"].rstrip(), fields.get("warning", False)
        )
        for code, fields in tomllib.loads(text).items()
    }
    return MappingProxyType(dict(sorted(entries.items())))
