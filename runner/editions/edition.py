"""An edition of the API's contract: models with limits, defaults and dated prices, as values."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import Any

from runner.editions.model import Model, short_side
from runner.editions.price_book import Bills, PriceRow, rows_valid_on
from runner.lazy_dataclass import dataclass, field, replace
from runner.paid_providers import paid_provider
from runner.requests.request import JsonValue, Request, TakeReference

NAMES = paid_provider().editions
DEFAULT = NAMES[0]
DATA = paid_provider().edition_folder

SecondsOfTake = Callable[[TakeReference], Decimal | None]
"""Length of the clip that a reference stands for; None if unknown."""
# The provider rounds its bills to two decimals.
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Price:
    """Price of one take in credits; None for a combination that the price book does not have."""

    credits: Decimal | None
    row: str
    """The row of the price book that gives the price: `seedance-20 720p`."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A dated API contract on one day; `field_encoding` says how a request body names and encodes the neutral fields.

    The first of the models is the default.
    """

    name: str
    dated: str
    source: str
    media_days: int
    record_days: int
    models: Mapping[str, str]
    """Accepted spellings of models, and the spelling that is sent and priced."""
    model_rows: Mapping[str, Model]
    field_encoding: Mapping[str, Mapping[str, Any]]
    book: tuple[PriceRow, ...]
    """All rows of the price book in the order of the data file, whatever their days."""
    current: Mapping[str, PriceRow] = field(default_factory=dict)
    """The rows by name that have a price on the edition's day."""
    has_uploads: bool = False
    """Whether the provider documents uploads."""
    has_last_frame: bool = False
    """Whether the record of a task names the last frame of its clip."""

    @property
    def media_life(self) -> timedelta:
        """The time after the end of its task for which the provider keeps a clip."""
        return timedelta(days=self.media_days)

    def has_deleted_media(self, age: timedelta) -> bool:
        """Whether the provider has deleted the clips of a task that ended so long ago."""
        return age > self.media_life

    def has_deleted_record(self, age: timedelta) -> bool:
        """Whether the provider has deleted the record of a task so old."""
        return age > timedelta(days=self.record_days)

    @property
    def default_model(self) -> Model:
        return next(iter(self.model_rows.values()))

    @property
    def short_names(self) -> Mapping[str, str]:
        """The short name of each model."""
        return {name: model.short_name for name, model in self.model_rows.items()}

    @property
    def rates(self) -> Mapping[str, Decimal]:
        """Credits a second by row, on the edition's day."""
        return {name: row.rate for name, row in self.current.items()}

    @property
    def task_life(self) -> int:
        """The longest life of a task of any model, in seconds."""
        return max(model.task_life for model in self.model_rows.values())

    def model(self, name: str) -> Model:
        """The row of a model by any of its spellings; for a model that the edition does not have, the default's."""
        # Old ledgers and manifests name models that an edition has dropped: their tasks still need a length of life.
        return self.model_rows.get(self.models.get(name, name)) or self.default_model

    def on(self, day: date) -> "Edition":
        """The edition with the prices of a day."""
        return replace(self, current=rows_valid_on(self.book, day))

    def resolutions(self, model: str) -> tuple[str, ...]:
        """Return the resolutions that the price book has for a model, lowest first."""
        names = {row.resolution for row in self.current.values() if row.model == model and not row.with_video} - {None}
        return tuple(sorted(map(str, names), key=short_side))

    def price(self, request: Request, seconds_of_take: SecondsOfTake | None = None) -> Price:
        """Return the price of one take by the price book: exact, or settled where the bill is final later.

        Where reference videos are billed, an unknown length counts as the longest that is billed.
        """
        name = self._plain_row(request.model, request.resolution, request.has_video)
        row = self.current.get(name)
        rate = None if row is None else row.rate
        if request.upscale is not None:
            extra = self.current.get(f"{request.model} upscale {request.upscale}")
            name = f"{name} + {request.upscale}"
            rate = None if rate is None or extra is None else rate + extra.rate
        # Raw `inputs` may change what is billed in ways that no price row knows.
        if row is None or rate is None or request.inputs:
            return Price(None, name)
        if row.reference_seconds is None:
            return Price(rate * request.seconds, name)
        billed = request.seconds + _billed_reference_seconds(request, row.reference_seconds, seconds_of_take)
        # Rounded up: a quote that is a hundredth too low would let a ceiling be exceeded.
        return Price((rate * billed).quantize(_CENT, ROUND_CEILING), name)

    def price_row(self, neutral_form: Mapping[str, JsonValue]) -> str:
        """Return the price row of a request in neutral form, named as in `price`."""
        row = self._row_of_form(neutral_form)
        return f"{row} + {upscale}" if (upscale := neutral_form.get("upscale")) is not None else row

    def bills(self, neutral_form: Mapping[str, JsonValue]) -> Bills:
        """The moment from which the bill of a request in neutral form is final."""
        name = self._row_of_form(neutral_form)
        # In the whole book: a task may be older than today's prices.
        return next((row.bills for row in self.book if row.name == name), "submit")

    def _row_of_form(self, neutral_form: Mapping[str, JsonValue]) -> str:
        materials = neutral_form.get("materials")
        kinds = (
            [material.get("kind") for material in materials if isinstance(material, dict)]
            if isinstance(materials, list)
            else []
        )
        return self._plain_row(str(neutral_form.get("model")), str(neutral_form.get("resolution")), "video" in kinds)

    def _plain_row(self, model: str, resolution: str, has_video: bool) -> str:
        row = f"{model} {resolution}"
        # Where the book has no price of its own for it, a reference video changes none.
        return f"{row} video" if has_video and f"{row} video" in self.current else row


def settles_late(current: Edition, name: str, neutral_form: Mapping[str, JsonValue]) -> bool:
    """Whether the bill of a request that was ordered in the edition of a name is final only after its task's end."""
    # The edition of the order decides, since its prices were those of that day.
    edition = current if name == current.name or name not in NAMES else load(name)
    return edition.bills(neutral_form) == "settled"


def _billed_reference_seconds(request: Request, maximum: int, seconds_of_take: SecondsOfTake | None) -> Decimal:
    total = Decimal(0)
    for material in request.materials:
        if material.kind == "video":
            if isinstance(material, TakeReference):
                seconds = None if seconds_of_take is None else seconds_of_take(material)
            else:
                seconds = material.seconds
            # The most that can be billed: a ceiling must hold for whatever length it turns out to have.
            total += maximum if seconds is None else seconds
    return min(total, Decimal(maximum))


def read(data: Mapping[str, Any]) -> Edition:
    """Build an edition, at its undated prices, from the values of its data file."""
    from runner.editions.data_file import price_book, read_models, spellings

    book = price_book(data)
    return Edition(
        name=data["name"],
        dated=data["dated"],
        source=data["source"],
        media_days=data["media_days"],
        record_days=data["record_days"],
        models=spellings(data),
        model_rows=read_models(data),
        field_encoding=data["body"],
        book=book,
        current=rows_valid_on(book, None),
        has_uploads=data.get("uploads", False),
        has_last_frame=data.get("last_frame", False),
    )


@cache
def load(name: str) -> Edition:
    """Return the edition with a name, at its undated prices; raises KeyError for an unknown name."""
    import tomllib

    if name not in NAMES:
        raise KeyError(name)
    return read(tomllib.loads((DATA / f"{name}.toml").read_text("utf-8")))


def edition_with_uploads() -> str | None:
    """The name of the first edition whose contract has uploads; None where none has."""
    return next((name for name in NAMES if load(name).has_uploads), None)


def with_prices(edition: Edition, rates: Mapping[str, Decimal], *, may_lower: bool) -> Edition:
    """Return the edition with an account's own rates; without `may_lower`, rates below the price book's are ignored.

    Raises ValueError for a row that the price book does not have.
    """
    if unknown := [name for name in rates if name not in edition.current]:
        raise ValueError(f"the price book has no row {unknown[0]!r}")
    changed = {
        name: replace(edition.current[name], rate=rate, own=True, valid_from=None, valid_until=None)
        for name, rate in rates.items()
        # A repository's file comes from others: it may make a run dearer in the plan, and never look cheaper.
        if rate != edition.current[name].rate and (may_lower or rate > edition.current[name].rate)
    }
    # Several rows of one name, of different days, become the one own rate.
    book = dict.fromkeys(changed.get(row.name, row) for row in edition.book)
    return replace(edition, book=tuple(book), current={**edition.current, **changed})
