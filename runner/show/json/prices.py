"""The document of `prices --json`."""

from decimal import Decimal

from runner.editions.edition import Edition, PriceRow, price_table
from runner.requests.request import credits_json, usd_text

VERSION = 1


def prices_json(edition: Edition, usd_per_credit: Decimal) -> dict[str, object]:
    """The document `{"prices": 1, "edition", "dated", "source", "usd_per_credit", "rows": […]}`, per output second."""
    return {
        "prices": VERSION,
        "edition": edition.name,
        "dated": edition.dated,
        "source": edition.source,
        "usd_per_credit": usd_text(usd_per_credit),
        "rows": [_row(row, usd_per_credit) for row in price_table(edition)],
    }


def _row(row: PriceRow, usd_per_credit: Decimal) -> dict[str, object]:
    return {
        "row": row.name,
        "model": row.model,
        "resolution": row.resolution,
        "upscale": row.upscale,
        "with_video": row.with_video,
        "credits": credits_json(row.rate),
        "usd": usd_text(row.rate * usd_per_credit),
        "own": row.own,
    }
