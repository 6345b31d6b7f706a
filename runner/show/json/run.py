"""The events of a run as JSON lines."""

from collections.abc import Iterable

from runner.attempts.attempt import Attempt
from runner.attempts.events import Clip
from runner.clock import format_utc
from runner.engine.run_events import CreditTotals, RunEvent, RunResult, TakeResult
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import one_line
from runner.show.text.labels import own_clip

VERSION = 1


def event_json(event: RunEvent) -> dict[str, object]:
    """The line `{"run": 1, "event": …, "at": …, "storyboard", "shot", "take", …}`, without keys that do not apply."""
    line: dict[str, object] = {"run": VERSION, "event": event.event, "at": format_utc(event.at)}
    if event.step is not None:
        line |= {"storyboard": event.step.shot.storyboard, "shot": event.step.shot.id, "take": event.step.take}
    if event.attempt is not None:
        line |= _attempt(event.attempt, event.step)
    if event.event in ("failed", "refused", "unsettled"):
        line["again"] = event.will_retry
    if event.message:
        line["words"] = event.message
    if event.plan is not None:
        line |= _plan(event.plan)
    if event.expected is not None and event.event in ("created", "running"):
        line["expected_seconds"] = round(event.expected, 1)
    if event.outcome is not None:
        line |= _outcome(event.outcome)
    return line | {"money": _money(event.money)}


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
        fields["class"] = attempt.failure
    if attempt.message:
        fields["words"] = attempt.message
    clip = own_clip(attempt, step) if step is not None else attempt.clip
    if clip is not None:
        fields["clip"] = clip_json(clip)
    return fields


def clip_json(clip: Clip) -> dict[str, object]:
    """A clip in the form that manifest, events and status share."""
    return {
        "path": clip.path,
        "sha256": clip.sha256,
        "bytes": clip.bytes,
        "width": clip.width,
        "height": clip.height,
        "seconds": clip.seconds,
    }


def _plan(plan: Plan) -> dict[str, object]:
    sums = plan.totals
    totals: dict[str, object] = {
        "shots": sums.shots,
        "takes": sums.takes,
        **{action.value: sums.actions[action] for action in Action},
        "seconds": sums.seconds,
        "credits": credits_json(sums.credits),
        "usd": usd_text(plan.usd(sums.credits)),
    }
    return {"provider": plan.account.provider, "edition": plan.edition.name, "play": plan.is_free, "totals": totals}


def _money(money: CreditTotals) -> dict[str, object]:
    return {
        "billed": credits_json(money.billed),
        "running": credits_json(money.running),
        "perhaps": credits_json(money.maybe_charged),
        "to_go": credits_json(money.to_go),
    }


def _outcome(outcome: RunResult) -> dict[str, object]:
    fields: dict[str, object] = {"exit_code": int(outcome.exit_code), "interrupted": outcome.interrupted}
    if outcome.stop_reason is not None:
        fields["halt"] = one_line(outcome.stop_reason.message)
    results_by_key: dict[str, Iterable[TakeResult]] = {
        "made": outcome.finished,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "unsettled": outcome.unsettled,
        "doubtful": outcome.doubtful,
        "gone": outcome.gone,
        "blocked": outcome.blocked,
        "waits": outcome.waiting,
        "left": outcome.not_started,
        "perhaps": outcome.maybe_charged,
    }
    return fields | {name: [_take_result(result) for result in results] for name, results in results_by_key.items()}


def _take_result(result: TakeResult) -> dict[str, object]:
    shot = result.step.shot
    fields: dict[str, object] = {"storyboard": shot.storyboard, "shot": shot.id, "take": result.step.take}
    if result.message:
        fields["words"] = result.message
    if result.attempt is not None and (clip := own_clip(result.attempt, result.step)) is not None:
        fields["clip"] = clip.path
    return fields
