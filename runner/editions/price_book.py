"""The rows of a price book, and those of them that count on a day."""

from datetime import date
from decimal import Decimal
from typing import Literal

from runner.lazy_dataclass import dataclass

Bills = Literal["submit", "settled"]
"""When a bill is final: with the end of the task, or some minutes after it."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A row of the price book."""

    model: str
    resolution: str | None
    """None for a surcharge on another row, such as upscaling."""
    rate: Decimal
    """Credits for each second that is billed."""
    upscale: str | None = None
    with_video: bool = False
    """Whether the row is for requests with a reference video."""
    reference_seconds: int | None = None
    """Seconds of reference videos that are billed beside those of the clip, at most; None: they are not billed."""
    bills: Bills = "submit"
    valid_from: date | None = None
    valid_until: date | None = None
    """First and last day (UTC) on which a task has this price; None: no such bound."""
    own: bool = False
    """Whether the user's own rate replaces the price book's."""

    @property
    def name(self) -> str:
        """`seedance-20 720p`, `seedance-20 720p video`, `seedance-20 upscale 4k`."""
        if self.resolution is None:
            return f"{self.model} upscale {self.upscale}"
        return f"{self.model} {self.resolution} video" if self.with_video else f"{self.model} {self.resolution}"

    @property
    def is_dated(self) -> bool:
        return self.valid_from is not None or self.valid_until is not None

    def is_valid_on(self, day: date | None) -> bool:
        """Whether a task of this day has the price; without a day, whether every task has it."""
        if day is None:
            return not self.is_dated
        return (self.valid_from or day) <= day <= (self.valid_until or day)


def rows_valid_on(book: tuple[PriceRow, ...], day: date | None) -> dict[str, PriceRow]:
    """The rows by name that count on a day: a dated one before an undated one, the latest of several."""
    by_name: dict[str, PriceRow] = {}
    for row in book:
        if not row.is_valid_on(day):
            continue
        before = by_name.get(row.name)
        if before is None or _precedence(row) >= _precedence(before):
            by_name[row.name] = row
    return by_name


def _precedence(row: PriceRow) -> tuple[bool, date]:
    # A discount has days, and stands over the list price for as long as they last.
    return row.is_dated, row.valid_from or date.min
