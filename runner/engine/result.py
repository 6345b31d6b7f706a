"""How a run ended, take by take. Pure."""

from collections.abc import Iterator, Mapping

from runner.attempts.history import Attempt, History, State
from runner.engine.limits import Limits
from runner.engine.run_events import Fate, Money, Outcome
from runner.engine.run_state import Key, Running
from runner.engine.schedule import needs_of
from runner.planning.plan import Action, Plan, Step

_BY_STATE = {
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.UNSETTLED: "unsettled",
    State.GONE: "gone",
    State.RUNNING: "waits",
    State.SUCCEEDED: "waits",
    State.INTENDED: "waits",
}


_LOST = frozenset({State.REFUSED, State.FAILED, State.UNSETTLED, State.GONE})


def outcome(plan: Plan, history: History, running: Running, limits: Limits, money: Money) -> Outcome:
    """The fate of every take that was not kept; `plan` is the last one, whose steps know what was decided meanwhile."""
    bins: dict[str, list[Fate]] = {}
    blocked = _blocked(plan, history)
    for step in plan.steps:
        for name, fate in _fate(step, history, running, blocked):
            bins.setdefault(name, []).append(fate)
    perhaps = [
        Fate(step, attempt)
        for step in plan.steps
        for attempt in history.of(step.fingerprint or "")
        if attempt.state is State.PERHAPS and attempt.intended.run == limits.run
    ]
    found = {name: tuple(fates) for name, fates in bins.items()}
    return Outcome(
        plan,
        **found,
        perhaps=tuple(perhaps),
        strays=(),
        doubts=(),
        halt=running.halt,
        interrupted=running.stopping,
        money=money,
    )


def _blocked(plan: Plan, history: History) -> dict[Key, str]:
    """Takes that are made from one that ended without a clip, also over several others: the shot right above each."""
    made_from: dict[str, list[tuple[Step, str]]] = {}
    for step in plan.steps:
        for up in step.upstream:
            made_from.setdefault(up.fingerprint, []).append((step, up.shot))
    lost = [mark for mark in made_from if _is_lost(history.standing(mark))]
    blocked: dict[Key, str] = {}
    while lost:
        for step, above in made_from.get(lost.pop(), ()):
            if step.key not in blocked:
                blocked[step.key] = above
                lost.append(step.fingerprint or "")
    return blocked


def _is_lost(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.state in _LOST


def _fate(step: Step, history: History, running: Running, blocked: Mapping[Key, str]) -> Iterator[tuple[str, Fate]]:
    attempt = history.standing(step.fingerprint) if step.fingerprint is not None else None
    if attempt is not None and (attempt.id, step.key) in running.stored:
        yield "made", Fate(step, attempt)
    elif step.action is Action.KEEP:
        return
    elif step.action is Action.BLOCKED:
        yield "blocked", Fate(step, None, step.reason)
    elif attempt is not None and (name := _BY_STATE.get(attempt.state)) is not None:
        yield name, Fate(step, attempt, _fetchable(attempt) if attempt.state is State.SUCCEEDED else attempt.words)
    elif attempt is not None and attempt.state is State.STORED:
        yield "waits", Fate(step, attempt, "its clip is still to be fetched")
    else:
        yield _unmade(step, attempt, history, running, blocked)


def _fetchable(attempt: Attempt) -> str:
    """Of a task that succeeded and whose clip is not here: nothing is ordered any more."""
    made = "paid" if attempt.billed else "made"
    return f"{made}; its clip is still to be fetched" + (f": {attempt.words}" if attempt.words else "")


def _unmade(
    step: Step, attempt: Attempt | None, history: History, running: Running, blocked: Mapping[Key, str]
) -> tuple[str, Fate]:
    """A take without an attempt that counts: blocked from above, left, or waiting."""
    if (words := running.taken.get(step.fingerprint or "")) is not None:
        return "waits", Fate(step, attempt, words)
    if step.key in blocked:
        return "blocked", Fate(step, attempt, f"{blocked[step.key]} has no clip")
    for need in needs_of(step, history) if step.upstream or not step.shot.needs else ():
        if need in running.lost:
            return "failed", Fate(step, attempt, running.lost[need])
    if (words := running.closed.get(step.shot.request.model)) is not None:
        return "left", Fate(step, attempt, words)
    if running.halt is not None or running.stopping:
        return "left", Fate(step, attempt, running.halt.words if running.halt is not None else "interrupted")
    return "waits", Fate(step, attempt, step.reason)
