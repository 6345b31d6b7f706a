"""An edition of the API's contract: limits, enums and prices, read from a dated data file."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from runner.lazy_dataclass import dataclass, field, replace
from runner.requests.request import JsonValue, Mode, Request

NAMES = ("classic", "2026-09", "pro-site")
DEFAULT = "classic"


@dataclass(frozen=True, slots=True)
class EditionLimits:
    """Limits of a request; seconds are of media or of output."""

    seconds: tuple[int, int]
    prompt: int
    aspect_ratios: tuple[str, ...]
    images: int
    videos: int
    audio: int
    video_seconds: int
    audio_seconds: int
    frames: int
    prompt_required: frozenset[Mode]
    fields: frozenset[str]
    """Optional fields of a shot that the edition supports: upscale, seed, audio."""
    videos_seconds: int | None = None
    """Total length of reference videos above which there is an error."""
    videos_seconds_warn: int | None = None
    """Total length of reference videos above which there is a warning."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one take in credits; None for a combination that the price book does not have."""

    credits: Decimal | None
    row: str
    """The row of the price book that gives the price: `seedance-20 720p`."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A dated API contract; `field_encoding` says how a request body names and encodes the neutral fields."""

    name: str
    dated: str
    source: str
    task_life: int
    """Seconds after which the provider ends a task."""
    media_days: int
    record_days: int
    models: Mapping[str, str]
    """Accepted spellings of models, and the spelling that is sent and priced."""
    limits: EditionLimits
    field_encoding: Mapping[str, Mapping[str, Any]]
    rates: Mapping[str, Decimal]
    """Credits a second by row: `seedance-20 720p`, `seedance-20 720p video`, `seedance-20 upscale 4k`."""
    overridden_rows: frozenset[str] = field(default_factory=frozenset)
    """Rows replaced by the user's own prices."""

    def resolutions(self, model: str) -> tuple[str, ...]:
        """Return the resolutions that the price book has for a model, lowest first."""
        rows = (row.split() for row in self.rates)
        names = [row[1] for row in rows if row[0] == model and len(row) == 2]
        return tuple(sorted(names, key=lambda resolution: (resolution == "4k", int(resolution.rstrip("pk")))))

    def price(self, request: Request) -> Price:
        """Return the exact price of one take by the price book."""
        row = self._plain_row(request.model, request.resolution, request.has_video)
        rate = self.rates.get(row)
        if request.upscale is not None:
            extra = self.rates.get(f"{request.model} upscale {request.upscale}")
            row = f"{row} + {request.upscale}"
            rate = None if rate is None or extra is None else rate + extra
        if rate is None or request.inputs:
            return Price(None, row)
        return Price(rate * request.seconds, row)

    def price_row(self, neutral_form: Mapping[str, JsonValue]) -> str:
        """Return the price row of a request in neutral form, named as in `price`."""
        materials = neutral_form.get("materials")
        kinds = (
            [material.get("kind") for material in materials if isinstance(material, dict)]
            if isinstance(materials, list)
            else []
        )
        row = self._plain_row(str(neutral_form.get("model")), str(neutral_form.get("resolution")), "video" in kinds)
        return f"{row} + {upscale}" if (upscale := neutral_form.get("upscale")) is not None else row

    def _plain_row(self, model: str, resolution: str, has_video: bool) -> str:
        row = f"{model} {resolution}"
        return f"{row} video" if has_video and f"{row} video" in self.rates else row


@cache
def load(name: str) -> Edition:
    """Return the edition with a name; raises KeyError for an unknown name."""
    if name not in NAMES:
        raise KeyError(name)
    return read(tomllib.loads((Path(__file__).parent / "data" / f"{name}.toml").read_text("utf-8")))


def read(data: Mapping[str, Any]) -> Edition:
    """Build an edition from the values of its data file."""
    limits = data["limits"]
    return Edition(
        name=data["name"],
        dated=data["dated"],
        source=data["source"],
        task_life=data["task_life"],
        media_days=data["media_days"],
        record_days=data["record_days"],
        models=data["models"],
        limits=EditionLimits(
            seconds=(limits["seconds"][0], limits["seconds"][1]),
            prompt=limits["prompt"],
            aspect_ratios=tuple(limits["aspect_ratios"]),
            images=limits["images"],
            videos=limits["videos"],
            audio=limits["audio"],
            video_seconds=limits["video_seconds"],
            audio_seconds=limits["audio_seconds"],
            frames=limits["frames"],
            prompt_required=frozenset(limits["prompt_required"]),
            fields=frozenset(limits["fields"]),
            videos_seconds=limits.get("videos_seconds"),
            videos_seconds_warn=limits.get("videos_seconds_warn"),
        ),
        field_encoding=data["body"],
        rates=_rates(data["prices"]),
    )


def with_prices(edition: Edition, rows: Mapping[str, Decimal], *, may_lower: bool) -> Edition:
    """Return the edition with an account's own rates; without `may_lower`, rates below the price book's are ignored.

    Raises ValueError for a row that the price book does not have.
    """
    if unknown := [row for row in rows if row not in edition.rates]:
        raise ValueError(f"the price book has no row {unknown[0]!r}")
    changed = {
        row: rate
        for row, rate in rows.items()
        if rate != edition.rates[row] and (may_lower or rate > edition.rates[row])
    }
    return replace(
        edition, rates={**edition.rates, **changed}, overridden_rows=edition.overridden_rows | changed.keys()
    )


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A row of the price book, split into columns for a table."""

    name: str
    model: str
    resolution: str | None
    """None for a surcharge on another row, such as upscaling."""
    upscale: str | None
    with_video: bool
    rate: Decimal
    """Credits for each second of output."""
    own: bool


def price_table(edition: Edition) -> list[PriceRow]:
    """Return the rows of the price book in the order of the data file."""
    return [_price_row(name, rate, name in edition.overridden_rows) for name, rate in edition.rates.items()]


def _price_row(name: str, rate: Decimal, own: bool) -> PriceRow:
    model, kind, *rest = name.split()
    if kind == "upscale":
        return PriceRow(name, model, None, rest[0], False, rate, own)
    return PriceRow(name, model, kind, None, bool(rest), rate, own)


def _rates(tables: list[Mapping[str, Any]]) -> dict[str, Decimal]:
    rates: dict[str, Decimal] = {}
    for table in tables:
        model, suffix = table["model"], " video" if table.get("with_video") else ""
        rates |= {f"{model} {name}{suffix}": Decimal(rate) for name, rate in table["rows"].items()}
        rates |= {f"{model} upscale {name}": Decimal(rate) for name, rate in table.get("upscale", {}).items()}
    return rates
