"""The document of `status --json`."""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.sums import CreditSums
from runner.clock import format_utc
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import replace
from runner.planning.plan import Step
from runner.requests.request import credits_json
from runner.show.json.gone_repositories import gone_json
from runner.show.json.plan import (
    OutputOf,
    Prices,
    header,
    price_forms,
    shot_header,
    storyboard_header,
    take_header,
)
from runner.show.json.shapes import counts_json, sums_json, sums_usd
from runner.show.screens.missing_clips import as_made, find_missing_clips
from runner.show.screens.status import StatusReport
from runner.show.text.labels import own_clip
from runner.store.manifest.entry import clip_json

VERSION = 1
STATUS = {
    AttemptState.INTENDED: "running",
    AttemptState.NOT_CREATED: None,
    AttemptState.REFUSED: "refused",
    AttemptState.MAYBE_CHARGED: "failed",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.RUNNING: "running",
    AttemptState.SUCCEEDED: "succeeded",
    AttemptState.STORED: "succeeded",
    AttemptState.DOUBTFUL: "doubtful",
    AttemptState.FAILED: "failed",
    AttemptState.GONE: "gone",
    AttemptState.ABANDONED: None,
}
"""The words of the manifest for the state of an attempt; None where the take stands as if it were never ordered."""


def status_json(report: StatusReport, output_of: OutputOf) -> dict[str, object]:
    """The document `{"status": 1, …}`: the plan without requests, each take with its attempt, and the sums.

    To be written by `json_document`: the shots of a storyboard are an iterator.
    """
    # A take that is made and not at hand is `keep`, as on the screen: `resume` would read as a task that still runs.
    plan = as_made(report.plan, find_missing_clips(report.plan.steps, report.history), reason=None)
    report = replace(report, plan=plan)
    prices = price_forms(plan)
    storyboards = plan.batch.storyboards
    sums = reduce(CreditSums.plus, report.sums.values(), CreditSums())
    return {
        "status": VERSION,
        **header(plan),
        "storyboards": [_storyboard(report, storyboard, output_of, prices) for storyboard in storyboards],
        "earlier_versions": [_earlier_version(attempt) for attempt in report.orphans],
        **({"left_behind": gone_json(report.left_behind)} if report.left_behind else {}),
        "totals": {
            **counts_json(plan.totals),
            "film_seconds": credits_json(
                sum((plan.film_length(storyboard, plan.selected) for storyboard in storyboards), Decimal(0))
            ),
            "credits": sums_json(sums),
            "usd": sums_usd(sums, plan),
        },
    }


def _storyboard(report: StatusReport, storyboard: Storyboard, output_of: OutputOf, prices: Prices) -> dict[str, object]:
    plan = report.plan
    shots = (shot for shot in plan.shots if shot.film == storyboard.film)
    return {
        **storyboard_header(storyboard, output_of),
        "shots": (_shot(report, shot, plan.steps_of(shot.key), prices) for shot in shots),
    }


def _shot(report: StatusReport, shot: Shot, steps: Sequence[Step], prices: Prices) -> dict[str, object]:
    pick = report.plan.picks.get(shot.key)
    return {**shot_header(shot, pick), "takes": [_take(report, step, prices) for step in steps]}


def _take(report: StatusReport, step: Step, prices: Prices) -> dict[str, object]:
    attempt = report.attempt(step)
    if attempt is None:
        facts = dict[str, object].fromkeys(
            ("status", "clip", "expires_at", "attempt", "task_id", "billed", "created_at", "completed_at")
        )
    else:
        expires, clip = report.expires(attempt), own_clip(attempt, step)
        facts = {
            "status": STATUS[attempt.state],
            "clip": None if clip is None else clip_json(clip),
            "expires_at": None if expires is None else format_utc(expires),
            "attempt": attempt.id,
            "task_id": attempt.task_id,
            "billed": credits_json(attempt.credits_used),
            "created_at": format_utc(attempt.intended_at),
            "completed_at": None if attempt.ended_at is None else format_utc(attempt.ended_at),
        }
    return {**take_header(step, prices), "retake": step.is_retake, **facts}


def _earlier_version(attempt: Attempt) -> dict[str, object]:
    """An attempt that no take needs now, and that runs, is unsettled, or is paid and not fetched yet."""
    intent = attempt.intent
    return {
        "storyboard": intent.storyboard,
        "shot": intent.shot,
        "take": intent.take,
        "fingerprint": intent.fingerprint,
        "status": STATUS[attempt.state],
        "attempt": attempt.id,
        "task_id": attempt.task_id,
        "credits": credits_json(attempt.credits),
        "created_at": format_utc(attempt.intended_at),
    }
