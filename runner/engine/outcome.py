"""How a run ended, take by take. Pure."""

from collections.abc import Iterator

from runner.engine.limits import Limits
from runner.engine.news import Fate, Money, Outcome
from runner.engine.schedule import Running, needs_of
from runner.history import Attempt, History, State
from runner.plan import Action, Plan, Step

_BY_STATE = {
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.UNSETTLED: "unsettled",
    State.GONE: "gone",
    State.RUNNING: "waits",
    State.SUCCEEDED: "waits",
    State.INTENDED: "waits",
}


def outcome(plan: Plan, history: History, running: Running, limits: Limits, money: Money) -> Outcome:
    """The fate of every take that was not kept; `plan` is the last one, whose steps know what was decided meanwhile."""
    bins: dict[str, list[Fate]] = {}
    for step in plan.steps:
        for name, fate in _fate(step, history, running):
            bins.setdefault(name, []).append(fate)
    perhaps = [
        Fate(step, attempt)
        for step in plan.steps
        for attempt in history.of(step.fingerprint or "")
        if attempt.state is State.PERHAPS and attempt.intended.run == limits.run
    ]
    found = {name: tuple(fates) for name, fates in bins.items()}
    return Outcome(plan, **found, perhaps=tuple(perhaps), halt=running.halt, interrupted=running.stopping, money=money)


def _fate(step: Step, history: History, running: Running) -> Iterator[tuple[str, Fate]]:
    attempt = history.standing(step.fingerprint) if step.fingerprint is not None else None
    if attempt is not None and (attempt.id, step.key) in running.stored:
        yield "made", Fate(step, attempt)
    elif step.action is Action.KEEP:
        return
    elif step.action is Action.BLOCKED:
        yield "blocked", Fate(step, None, step.reason)
    elif attempt is not None and (name := _BY_STATE.get(attempt.state)) is not None:
        yield name, Fate(step, attempt, attempt.words)
    elif attempt is not None and attempt.state is State.STORED:
        yield "waits", Fate(step, attempt, "its clip is still to be fetched")
    else:
        yield _unmade(step, attempt, history, running)


def _unmade(step: Step, attempt: Attempt | None, history: History, running: Running) -> tuple[str, Fate]:
    """A take without an attempt that counts: blocked from above, left, or waiting."""
    if (words := running.taken.get(step.fingerprint or "")) is not None:
        return "waits", Fate(step, attempt, words)
    if lost := _lost_above(step, history):
        return "blocked", Fate(step, attempt, f"{lost} has no clip")
    for need in needs_of(step, history) if step.upstream or not step.shot.needs else ():
        if need in running.lost:
            return "failed", Fate(step, attempt, running.lost[need])
    if running.halt is not None or running.stopping:
        return "left", Fate(step, attempt, running.halt.words if running.halt is not None else "interrupted")
    return "waits", Fate(step, attempt, step.reason)


def _lost_above(step: Step, history: History) -> str | None:
    """The first shot above whose take ended without a clip."""
    for up in step.upstream:
        above = history.standing(up.fingerprint)
        if above is not None and above.state in (State.REFUSED, State.FAILED, State.UNSETTLED, State.GONE):
            return up.shot
    return None
