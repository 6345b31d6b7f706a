"""Editions that no page has: classic with tables of its own, made by data alone."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from runner.editions.edition import DATA, Edition, read


def edition_with(
    base: str = "classic", *, models: Mapping[str, Any] | None = None, prices: Sequence[Mapping[str, Any]] = ()
) -> Edition:
    """An edition with models and price tables beside those of its base."""
    data = tomllib.loads((DATA / f"{base}.toml").read_text("utf-8"))
    return read({**data, "models": {**data["models"], **(models or {})}, "prices": [*data["prices"], *prices]})
