"""The result of a run, take by take. Pure."""

from collections.abc import Iterator, Mapping

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import names_files
from runner.attempts.film import TakeKey
from runner.attempts.history import History
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import ExitCode
from runner.engine import messages
from runner.engine.eligibility import required_materials
from runner.engine.limits import RunLimits
from runner.engine.run_events import CreditTotals, RunResult, TakeResult
from runner.engine.run_state import RunState
from runner.planning.plan import Action, Plan, Step
from runner.planning.reason import ReasonCode

_BY_STATE = {
    AttemptState.REFUSED: "refused",
    AttemptState.FAILED: "failed",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.DOUBTFUL: "doubtful",
    AttemptState.GONE: "gone",
    AttemptState.RUNNING: "waiting",
    AttemptState.SUCCEEDED: "waiting",
    AttemptState.INTENDED: "waiting",
}


def summarize_run(plan: Plan, history: History, state: RunState, limits: RunLimits, money: CreditTotals) -> RunResult:
    """Sort every take that was not kept into the groups of a `RunResult`; `plan` is the run's latest plan."""
    results: dict[str, list[TakeResult]] = {}
    blocked = _blocked(plan, history)
    for step in plan.steps:
        for group, result in _result_of(step, history, state, blocked):
            results.setdefault(group, []).append(result)
    maybe_charged = [
        TakeResult(step, attempt)
        for step in plan.steps
        for attempt in history.attempts_of(step.fingerprint or "")
        if attempt.state is AttemptState.MAYBE_CHARGED and attempt.intent.run == limits.run
    ]
    orphans = [history.attempts[orphan.attempt] for orphan in plan.orphans]
    groups = {group: tuple(members) for group, members in results.items()}
    return RunResult(
        plan,
        **groups,
        maybe_charged=tuple(maybe_charged),
        orphans=tuple(attempt for attempt in orphans if attempt.state.awaits_clip and names_files(attempt.intent.shot)),
        unsettled_orphans=tuple(attempt for attempt in orphans if attempt.state is AttemptState.UNSETTLED),
        open_bills=(),
        stop_reason=state.stop.reason,
        interrupted=state.stop.is_interrupted,
        slots_held_until=None,
        money=money,
        sums=CreditSums(),
        code_of_command=ExitCode.OK,
    )


def _blocked(plan: Plan, history: History) -> dict[TakeKey, str]:
    """Takes made, directly or not, from a take that ended without a clip; with the shot directly upstream of each."""
    made_from: dict[str, list[tuple[Step, str]]] = {}
    for step in plan.steps:
        for up in step.upstream:
            made_from.setdefault(up.fingerprint, []).append((step, up.shot))
    lost = [fingerprint for fingerprint in made_from if _ended_without_clip(history.current_attempt(fingerprint))]
    blocked: dict[TakeKey, str] = {}
    while lost:
        for step, above in made_from.get(lost.pop(), ()):
            if step.key not in blocked:
                blocked[step.key] = above
                lost.append(step.fingerprint or "")
    return blocked


def _ended_without_clip(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.state.leaves_no_clip


def _result_of(
    step: Step, history: History, state: RunState, blocked: Mapping[TakeKey, str]
) -> Iterator[tuple[str, TakeResult]]:
    attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
    if attempt is not None and state.downloads.is_stored((attempt.id, step.key)):
        yield "finished", TakeResult(step, attempt)
    elif step.action is Action.KEEP:
        return
    elif step.action is Action.BLOCKED:
        yield "blocked", TakeResult(step, None, step.reason.text)
    elif attempt is not None and (group := _BY_STATE.get(attempt.state)) is not None:
        yield group, TakeResult(step, attempt, _message_of(step, attempt, state))
    elif attempt is not None and attempt.state is AttemptState.STORED:
        message = "its clip is still to be fetched"
        if attempt.needs_other_key(state.key_id):
            message += f": {messages.other_key(attempt)}"
        yield "waiting", TakeResult(step, attempt, message)
    else:
        yield _not_made(step, attempt, history, state, blocked)


def _message_of(step: Step, attempt: Attempt, state: RunState) -> str:
    if attempt.held_elsewhere:
        return step.reason.text
    if attempt.task_id is not None and attempt.state.is_open and attempt.needs_other_key(state.key_id):
        return messages.other_key(attempt)
    match attempt.state:
        case AttemptState.RUNNING:
            return ""
        case AttemptState.SUCCEEDED:
            return _fetch_pending(attempt)
        case AttemptState.REFUSED if note := state.rechecks.note_of(attempt.id):
            return f"{attempt.message}; {note}"
        case AttemptState.DOUBTFUL:
            return f"its clip {attempt.clip_fault}"
        case _:
            return attempt.message


def _fetch_pending(attempt: Attempt) -> str:
    """The message for a succeeded task whose clip is still to be downloaded: nothing is ordered any more."""
    status = "paid" if attempt.billed else "made"
    return f"{status}; its clip is still to be fetched" + (f": {attempt.message}" if attempt.message else "")


def _not_made(
    step: Step, attempt: Attempt | None, history: History, state: RunState, blocked: Mapping[TakeKey, str]
) -> tuple[str, TakeResult]:
    """The group and result of a take without a deciding attempt: blocked, not started, or waiting."""
    if (message := state.creates.claim_on(step.fingerprint or "")) is not None:
        return "waiting", TakeResult(step, attempt, message)
    if step.key in blocked:
        return "blocked", TakeResult(step, attempt, f"{blocked[step.key]} has no clip")
    for need in required_materials(step, history) if step.upstream or not step.shot.needs else ():
        if (message := state.addresses.refusal_of(need)) is not None:
            message = messages.unpublished(need.material, message)
            return "failed", TakeResult(step, attempt, message, ReasonCode.MATERIAL_UNREACHABLE, need.material)
    if (message := state.creates.refusal_of(step.shot.request.model)) is not None:
        return "not_started", TakeResult(step, attempt, message)
    if state.stop.reason is not None or state.stop.is_interrupted:
        return "not_started", TakeResult(
            step, attempt, state.stop.reason.message if state.stop.reason is not None else "interrupted"
        )
    return "waiting", TakeResult(step, attempt, step.reason.text)
