"""The document of `settle --json`."""

from runner.attempts.attempt import Attempt, AttemptState
from runner.clock import format_utc
from runner.requests.request import credits_json, usd_text
from runner.show.json.gone_repositories import gone_json
from runner.show.screens.settle import UnsettledList, sent_at

VERSION = 1
# Words of this document: the states' own values are stored in ledgers, and say `perhaps charged`.
_STATES = {AttemptState.UNSETTLED: "unsettled", AttemptState.MAYBE_CHARGED: "maybe-charged"}


def settle_json(unsettled: UnsettledList) -> dict[str, object]:
    """The document `{"settle": 1, "unsettled": […]}`, oldest first; the other lists only if they hold anything."""
    document: dict[str, object] = {
        "settle": VERSION,
        "unsettled": [_attempt(attempt, unsettled) for attempt in unsettled.attempts],
    }
    if unsettled.receipts:
        document["receipts"] = [{"task_id": receipt.task, "at": receipt.at} for receipt in unsettled.receipts]
    if unsettled.left_behind:
        document["left_behind"] = gone_json(unsettled.left_behind)
    return document


def _attempt(attempt: Attempt, unsettled: UnsettledList) -> dict[str, object]:
    intent = attempt.intent
    return {
        "storyboard": intent.storyboard,
        "shot": intent.shot,
        "take": intent.take,
        "attempt": attempt.id,
        "fingerprint": intent.fingerprint,
        "state": _STATES[attempt.state],
        "sent_at": format_utc(sent_at(attempt)),
        "credits": credits_json(attempt.credits),
        "usd": usd_text(attempt.credits * unsettled.usd_per_credit),
        "message": attempt.message,
        "webhook_token": intent.webhook_token,
        "request": dict(intent.request),
    }
