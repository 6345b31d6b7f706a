"""The events of a run as JSON lines."""

from collections.abc import Iterable

from runner.attempts.attempt import Attempt
from runner.clock import format_utc
from runner.engine.run_events import CreditTotals, RunEvent, RunResult, TakeResult
from runner.planning.plan import Plan, Step
from runner.requests.request import credits_json
from runner.show.json.plan import header
from runner.show.json.shapes import film_json, plan_totals_json, sums_json
from runner.show.text.escape import one_line
from runner.show.text.labels import own_clip
from runner.store.manifest.entry import clip_json

VERSION = 1


def event_json(event: RunEvent) -> dict[str, object]:
    """The line `{"run": 1, "event": …, "at": …, "storyboard", "shot", "take", …}`, without keys that do not apply."""
    line: dict[str, object] = {"run": VERSION, "event": event.event, "at": format_utc(event.at)}
    if event.step is not None:
        line |= {**film_json(event.step.shot.film), "shot": event.step.shot.id, "take": event.step.take}
    if event.attempt is not None:
        line |= _attempt(event.attempt, event.step)
    # A program that counts failures must not count one that this run tries again.
    if event.event in ("failed", "refused", "unsettled"):
        line["will_retry"] = event.will_retry
    if event.message:
        line["message"] = event.message
    if event.plan is not None:
        line |= _plan(event.plan)
    # Later events have the real times.
    if event.expected is not None and event.event in ("created", "running"):
        line["expected_seconds"] = round(event.expected, 1)
    if event.outcome is not None:
        line |= _outcome(event.outcome)
    return line | {"run_credits": _run_credits(event.money)}


def _attempt(attempt: Attempt, step: Step | None) -> dict[str, object]:
    intent = attempt.intent
    fields: dict[str, object] = {
        "attempt": attempt.id,
        "fingerprint": intent.fingerprint,
        "task_id": attempt.task_id,
        "credits": {"quoted": credits_json(intent.quoted), "used": credits_json(attempt.credits_used)},
    }
    if attempt.status:
        fields["status"] = attempt.status
    if attempt.failure is not None:
        fields["failure"] = attempt.failure
    if attempt.message:
        fields["message"] = attempt.message
    # Takes with equal requests share an attempt; each has a copy of the clip under its own name.
    clip = own_clip(attempt, step) if step is not None else attempt.clip
    if clip is not None:
        fields["clip"] = clip_json(clip)
    return fields


def _plan(plan: Plan) -> dict[str, object]:
    return {**header(plan), "totals": plan_totals_json(plan, plan.totals)}


def _run_credits(money: CreditTotals) -> dict[str, object]:
    """The credits that this run ordered so far, and those that it has still to order."""
    return {**sums_json(money.ordered), "to_go": credits_json(money.to_go)}


def _outcome(outcome: RunResult) -> dict[str, object]:
    fields: dict[str, object] = {"exit_code": int(outcome.exit_code), "interrupted": outcome.interrupted}
    if outcome.stop_reason is not None:
        fields["stop_reason"] = one_line(outcome.stop_reason.message)
    # Spelled out, since programs read these keys: renaming an attribute must change none of them.
    results_by_key: dict[str, Iterable[TakeResult]] = {
        "made": outcome.finished,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "unsettled": outcome.unsettled,
        "doubtful": outcome.doubtful,
        "gone": outcome.gone,
        "blocked": outcome.blocked,
        "waiting": outcome.waiting,
        "not_started": outcome.not_started,
        "maybe_charged": outcome.maybe_charged,
    }
    takes = {name: [_take_result(result) for result in results] for name, results in results_by_key.items()}
    return fields | takes | {"all_credits": sums_json(outcome.sums)}


def _take_result(result: TakeResult) -> dict[str, object]:
    shot = result.step.shot
    fields: dict[str, object] = {**film_json(shot.film), "shot": shot.id, "take": result.step.take}
    if result.code is not None:
        fields["code"] = result.code.value
    if result.message:
        fields["message"] = result.message
    if result.attempt is not None and (clip := own_clip(result.attempt, result.step)) is not None:
        fields["clip"] = clip.path
    return fields
