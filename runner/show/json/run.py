"""The news of a run as JSON lines, one event each."""

from collections.abc import Iterable

from runner.attempts.events import Clip
from runner.attempts.history import Attempt
from runner.clock import stamp
from runner.engine.run_events import Fate, Money, News, Outcome
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import words
from runner.show.text.labels import own_clip

VERSION = 1


def event_json(news: News) -> dict[str, object]:
    """`{"run": 1, "event": …, "at": …, "storyboard", "shot", "take", …}`; what an event has not is left out."""
    line: dict[str, object] = {"run": VERSION, "event": news.event, "at": stamp(news.at)}
    if news.step is not None:
        line |= {"storyboard": news.step.shot.storyboard, "shot": news.step.shot.id, "take": news.step.take}
    if news.attempt is not None:
        line |= _attempt(news.attempt, news.step)
    if news.event in ("failed", "refused", "unsettled"):
        line["again"] = news.again
    if news.words:
        line["words"] = news.words
    if news.plan is not None:
        line |= _plan(news.plan)
    if news.expected is not None and news.event in ("created", "running"):
        line["expected_seconds"] = round(news.expected, 1)
    if news.outcome is not None:
        line |= _outcome(news.outcome)
    return line | {"money": _money(news.money)}


def _attempt(attempt: Attempt, step: Step | None) -> dict[str, object]:
    made = attempt.intended
    found: dict[str, object] = {
        "attempt": attempt.id,
        "fingerprint": made.fingerprint,
        "task_id": attempt.task_id,
        "credits": {"quoted": credits_json(made.quoted), "used": credits_json(attempt.credits_used)},
    }
    if attempt.status:
        found["status"] = attempt.status
    if attempt.failure is not None:
        found["class"] = attempt.failure
    if attempt.words:
        found["words"] = attempt.words
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
    return {"provider": plan.account.provider, "edition": plan.edition.name, "play": plan.play, "totals": totals}


def _money(money: Money) -> dict[str, object]:
    return {
        "billed": credits_json(money.billed),
        "running": credits_json(money.running),
        "perhaps": credits_json(money.perhaps),
        "to_go": credits_json(money.to_go),
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    found: dict[str, object] = {"exit_code": int(outcome.exit_code), "interrupted": outcome.interrupted}
    if outcome.halt is not None:
        found["halt"] = words(outcome.halt.words)
    fates: dict[str, Iterable[Fate]] = {
        "made": outcome.made,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "unsettled": outcome.unsettled,
        "gone": outcome.gone,
        "blocked": outcome.blocked,
        "waits": outcome.waits,
        "left": outcome.left,
        "perhaps": outcome.perhaps,
    }
    return found | {name: [_fate(fate) for fate in those] for name, those in fates.items()}


def _fate(fate: Fate) -> dict[str, object]:
    shot = fate.step.shot
    found: dict[str, object] = {"storyboard": shot.storyboard, "shot": shot.id, "take": fate.step.take}
    if fate.words:
        found["words"] = fate.words
    if fate.attempt is not None and (clip := own_clip(fate.attempt, fate.step)) is not None:
        found["clip"] = clip.path
    return found
