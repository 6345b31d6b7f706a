"""The fields that a saved plan has beside those of `plan --json`, and what differs since."""

from collections.abc import Mapping

from runner.clock import format_utc
from runner.planning.plan_differences import Comparison
from runner.planning.saved_plan import SavedPlan
from runner.requests.request import credits_json
from runner.show.json.shapes import film_json


def saved_plan_json(saved: SavedPlan, plan: Mapping[str, object]) -> dict[str, object]:
    """The document of a saved plan: that of the plan, with what makes it a contract in front."""
    version, *rest = plan.items()
    fields: dict[str, object] = {
        "id": saved.id,
        "created_at": format_utc(saved.created_at),
        "expires_at": format_utc(saved.expires_at),
        "digest": saved.digest,
        "ceiling": credits_json(saved.ceiling),
        "command": {
            "select": list(saved.select),
            "exclude": list(saved.exclude),
            "retake": list(saved.retake),
            "again": list(saved.again),
            "first_take": saved.first_take,
        },
    }
    return {**dict([version]), **fields, **dict(rest)}


def since_json(comparison: Comparison, expired: bool) -> dict[str, object]:
    """The differences since a plan was saved."""
    return {
        "expired": expired,
        "differences": [{"code": code, "text": text} for code, text in comparison.differences],
        "left_out": [
            {
                **film_json(entry.order.film),
                "shot": entry.order.shot,
                "take": entry.order.take,
                "reason": entry.reason,
            }
            for entry in comparison.left_out
        ],
    }
