"""How a run ended, take by take. Pure."""

from collections.abc import Iterator, Mapping

from runner.attempts.history import Attempt, AttemptState, History
from runner.engine.limits import RunLimits
from runner.engine.run_events import CreditTotals, RunResult, TakeResult
from runner.engine.run_state import Key, RunState
from runner.engine.schedule import required_materials
from runner.planning.plan import Action, Plan, Step

_BY_STATE = {
    AttemptState.REFUSED: "refused",
    AttemptState.FAILED: "failed",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.GONE: "gone",
    AttemptState.RUNNING: "waiting",
    AttemptState.SUCCEEDED: "waiting",
    AttemptState.INTENDED: "waiting",
}


_LOST = frozenset({AttemptState.REFUSED, AttemptState.FAILED, AttemptState.UNSETTLED, AttemptState.GONE})


def summarize_run(plan: Plan, history: History, running: RunState, limits: RunLimits, money: CreditTotals) -> RunResult:
    """The fate of every take that was not kept; `plan` is the last one, whose steps know what was decided meanwhile."""
    bins: dict[str, list[TakeResult]] = {}
    blocked = _blocked(plan, history)
    for step in plan.steps:
        for name, result in _result_of(step, history, running, blocked):
            bins.setdefault(name, []).append(result)
    perhaps = [
        TakeResult(step, attempt)
        for step in plan.steps
        for attempt in history.attempts_of(step.fingerprint or "")
        if attempt.state is AttemptState.MAYBE_CHARGED and attempt.intent.run == limits.run
    ]
    found = {name: tuple(fates) for name, fates in bins.items()}
    return RunResult(
        plan,
        **found,
        maybe_charged=tuple(perhaps),
        orphans=(),
        unsettled_orphans=(),
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
    lost = [mark for mark in made_from if _is_lost(history.current_attempt(mark))]
    blocked: dict[Key, str] = {}
    while lost:
        for step, above in made_from.get(lost.pop(), ()):
            if step.key not in blocked:
                blocked[step.key] = above
                lost.append(step.fingerprint or "")
    return blocked


def _is_lost(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.state in _LOST


def _result_of(
    step: Step, history: History, running: RunState, blocked: Mapping[Key, str]
) -> Iterator[tuple[str, TakeResult]]:
    attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
    if attempt is not None and (attempt.id, step.key) in running.stored:
        yield "finished", TakeResult(step, attempt)
    elif step.action is Action.KEEP:
        return
    elif step.action is Action.BLOCKED:
        yield "blocked", TakeResult(step, None, step.reason)
    elif attempt is not None and (name := _BY_STATE.get(attempt.state)) is not None:
        yield (
            name,
            TakeResult(
                step, attempt, _fetchable(attempt) if attempt.state is AttemptState.SUCCEEDED else attempt.message
            ),
        )
    elif attempt is not None and attempt.state is AttemptState.STORED:
        yield "waiting", TakeResult(step, attempt, "its clip is still to be fetched")
    else:
        yield _not_made(step, attempt, history, running, blocked)


def _fetchable(attempt: Attempt) -> str:
    """Of a task that succeeded and whose clip is not here: nothing is ordered any more."""
    made = "paid" if attempt.billed else "made"
    return f"{made}; its clip is still to be fetched" + (f": {attempt.message}" if attempt.message else "")


def _not_made(
    step: Step, attempt: Attempt | None, history: History, running: RunState, blocked: Mapping[Key, str]
) -> tuple[str, TakeResult]:
    """A take without an attempt that counts: blocked from above, left, or waiting."""
    if (words := running.claimed_elsewhere.get(step.fingerprint or "")) is not None:
        return "waiting", TakeResult(step, attempt, words)
    if step.key in blocked:
        return "blocked", TakeResult(step, attempt, f"{blocked[step.key]} has no clip")
    for need in required_materials(step, history) if step.upstream or not step.shot.needs else ():
        if need in running.unpublishable:
            return "failed", TakeResult(step, attempt, running.unpublishable[need])
    if (words := running.forbidden_models.get(step.shot.request.model)) is not None:
        return "not_started", TakeResult(step, attempt, words)
    if running.halt is not None or running.stopping:
        return "not_started", TakeResult(
            step, attempt, running.halt.message if running.halt is not None else "interrupted"
        )
    return "waiting", TakeResult(step, attempt, step.reason)
