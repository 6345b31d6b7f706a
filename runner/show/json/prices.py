"""The document of `prices --json`."""

from collections.abc import Sequence
from decimal import Decimal

from runner.editions.edition import Edition
from runner.editions.model import Model
from runner.editions.price_book import PriceRow
from runner.requests.request import credits_json, usd_text

VERSION = 1


def prices_json(edition: Edition, others: Sequence[Edition], usd_per_credit: Decimal) -> dict[str, object]:
    """The document `{"prices": 1, "edition", …, "usd_per_credit", "rows": […], "models": […], "editions": […]}`."""
    editions = sorted((edition, *others), key=lambda any_edition: any_edition.dated)
    return {
        "prices": VERSION,
        "edition": edition.name,
        "dated": edition.dated,
        "source": edition.source,
        "usd_per_credit": usd_text(usd_per_credit),
        "rows": [_row_json(row, usd_per_credit) for row in edition.book],
        "models": [_model_json(model) for model in edition.model_rows.values()],
        "editions": [{"edition": other.name, "dated": other.dated} for other in editions],
    }


def _row_json(row: PriceRow, usd_per_credit: Decimal) -> dict[str, object]:
    return {
        "row": row.name,
        "model": row.model,
        "resolution": row.resolution,
        "upscale": row.upscale,
        "with_video": row.with_video,
        "credits": credits_json(row.rate),
        "usd": usd_text(row.rate * usd_per_credit),
        "own": row.own,
        "from": None if row.valid_from is None else row.valid_from.isoformat(),
        "until": None if row.valid_until is None else row.valid_until.isoformat(),
        "bills": row.bills,
        "reference_seconds": row.reference_seconds,
    }


def _model_json(model: Model) -> dict[str, object]:
    limits = model.limits
    return {
        "model": model.name,
        "seconds": list(limits.seconds),
        "prompt": limits.prompt,
        "images": limits.images,
        "videos": limits.videos,
        "audio": limits.audio,
        "task_life": model.task_life,
    }
