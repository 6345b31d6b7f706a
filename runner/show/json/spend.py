"""The document of `spend --json`."""

from runner.requests.request import credits_json, usd_text
from runner.show.json.shapes import sums_json
from runner.show.screens.spend import Bill, BillLine

VERSION = 1


def spend_json(bill: Bill) -> dict[str, object]:
    """The document `{"spend": 1, "by", "period", "storyboards", "lines": […], "total": {…}}`."""
    return {
        "spend": VERSION,
        "by": bill.by,
        "period": bill.period,
        "storyboards": None if bill.storyboards is None else list(bill.storyboards),
        "lines": [{"name": line.name, **_line(line, bill)} for line in bill.lines],
        "total": _line(bill.total, bill),
    }


def _line(line: BillLine, bill: Bill) -> dict[str, object]:
    return {
        "clips": line.clips,
        "quoted": credits_json(line.quoted),
        **sums_json(line.sums),
        "usd": usd_text(line.sums.billed * bill.usd_per_credit),
        "known_from": sorted(line.sources),
    }
