"""The document of `plan --what-if --json`."""

from collections.abc import Sequence
from decimal import Decimal

from runner.planning.what_if import WhatIfRow
from runner.requests.request import credits_json, usd_text

VERSION = 1


def what_if_json(rows: Sequence[WhatIfRow], usd_per_credit: Decimal) -> dict[str, object]:
    """The document `{"what_if": 1, "rows": […]}`; a row has its credits, or what keeps shots out."""
    return {"what_if": VERSION, "rows": [_row_json(row, usd_per_credit) for row in rows]}


def _row_json(row: WhatIfRow, usd_per_credit: Decimal) -> dict[str, object]:
    return {
        "model": row.model,
        "resolution": row.resolution,
        "credits": credits_json(row.credits),
        "usd": None if row.credits is None else usd_text(row.credits * usd_per_credit),
        "cannot": [{"shot": obstacle.shot, "why": obstacle.why} for obstacle in row.cannot],
    }
