"""The models and the price book of an edition, read from the values of its data file."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from runner.editions.model import Limits, Model
from runner.editions.price_book import PriceRow


def read_models(data: Mapping[str, Any]) -> dict[str, Model]:
    """The models by name, each with what every model has and what it has of its own."""
    return {name: _model(name, {**data["every_model"], **own}) for name, own in data["models"].items()}


def spellings(data: Mapping[str, Any]) -> dict[str, str]:
    """The accepted spellings of the models, and the name that is sent for each."""
    return {spelling: name for name, own in data["models"].items() for spelling in (name, *own.get("other_names", ()))}


def price_book(data: Mapping[str, Any]) -> tuple[PriceRow, ...]:
    """All rows of the price book, in the order of the file."""
    return tuple(row for table in data["prices"] for row in _price_rows(table))


def _model(name: str, values: Mapping[str, Any]) -> Model:
    return Model(
        name,
        values.get("short_name", name),
        values["task_life"],
        values["default_seconds"],
        values["default_resolution"],
        _limits(values),
    )


def _limits(values: Mapping[str, Any]) -> Limits:
    return Limits(
        seconds=(values["seconds"][0], values["seconds"][1]),
        prompt=values["prompt"],
        aspect_ratios=tuple(values["aspect_ratios"]),
        images=values["images"],
        videos=values["videos"],
        audio=values["audio"],
        video_seconds=(values["video_seconds"][0], values["video_seconds"][1]),
        audio_seconds=values["audio_seconds"],
        frames=values["frames"],
        prompt_required=frozenset(values["prompt_required"]),
        fields=frozenset(values["fields"]),
        # TOML has no null: 0 stands for "no such limit".
        videos_seconds=values.get("videos_seconds") or None,
        videos_seconds_warn=values.get("videos_seconds_warn") or None,
    )


def _price_rows(table: Mapping[str, Any]) -> Iterator[PriceRow]:
    """The rows of one `[[prices]]` table, which share a model, days and the way of billing."""
    shared: dict[str, Any] = {
        "bills": table.get("bills", "submit"),
        "valid_from": table.get("from"),
        "valid_until": table.get("until"),
    }
    for resolution, rate in table["rows"].items():
        yield PriceRow(
            table["model"],
            resolution,
            Decimal(rate),
            with_video=table.get("with_video", False),
            reference_seconds=table.get("reference_seconds"),
            **shared,
        )
    for upscale, rate in table.get("upscale", {}).items():
        yield PriceRow(table["model"], None, Decimal(rate), upscale=upscale, **shared)
