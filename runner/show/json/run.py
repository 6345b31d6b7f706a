"""The news of a run as JSON lines, one event each."""

from collections.abc import Iterable

from runner.attempts.events import Clip
from runner.attempts.history import Attempt
from runner.clock import format_utc
from runner.engine.run_events import CreditTotals, RunEvent, RunResult, TakeResult
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import one_line
from runner.show.text.labels import own_clip

VERSION = 1


def event_json(event: RunEvent) -> dict[str, object]:
    """`{"run": 1, "event": …, "at": …, "storyboard", "shot", "take", …}`; what an event has not is left out."""
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
    found: dict[str, object] = {
        "attempt": attempt.id,
        "fingerprint": intent.fingerprint,
        "task_id": attempt.task_id,
        "credits": {"quoted": credits_json(intent.quoted), "used": credits_json(attempt.credits_used)},
    }
    if attempt.status:
        found["status"] = attempt.status
    if attempt.failure is not None:
        found["class"] = attempt.failure
    if attempt.message:
        found["words"] = attempt.message
    clip = own_clip(attempt, step) if step is not None else attempt.clip
    if clip is not None:
        found["clip"] = clip_json(clip)
    return found


def clip_json(clip: Clip) -> dict[str, object]:
    """A clip as manifest, events and status show it."""
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
    found: dict[str, object] = {"exit_code": int(outcome.exit_code), "interrupted": outcome.interrupted}
    if outcome.stop_reason is not None:
        found["halt"] = one_line(outcome.stop_reason.message)
    fates: dict[str, Iterable[TakeResult]] = {
        "made": outcome.finished,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "unsettled": outcome.unsettled,
        "gone": outcome.gone,
        "blocked": outcome.blocked,
        "waits": outcome.waiting,
        "left": outcome.not_started,
        "perhaps": outcome.maybe_charged,
    }
    return found | {name: [_fate(fate) for fate in those] for name, those in fates.items()}


def _fate(fate: TakeResult) -> dict[str, object]:
    shot = fate.step.shot
    found: dict[str, object] = {"storyboard": shot.storyboard, "shot": shot.id, "take": fate.step.take}
    if fate.message:
        found["words"] = fate.message
    if fate.attempt is not None and (clip := own_clip(fate.attempt, fate.step)) is not None:
        found["clip"] = clip.path
    return found
