"""One recordInfo, and what it says of a task: still running, failed, or a clip to fetch."""

from runner.attempts.events import Failed, Lost, Running, Succeeded
from runner.attempts.history import Attempt, AttemptState
from runner.engine import messages, schedule
from runner.engine.poll_timing import reschedule, reschedule_all
from runner.engine.run_context import RunContext
from runner.engine.run_state import DownloadState, PollState
from runner.engine.throttle import slot_freed
from runner.planning.plan import Step

_MISSING_PATIENCE = 600.0
_VANISHED_AFTER = 24 * 3600.0
_VANISHED_LOOKS = 3
_NO_CLIP_PATIENCE = 300.0
_SILENCE, _LONGEST = 2.0, 60.0


async def poll(run: RunContext, attempt_id: str) -> None:
    """Carries out a `Poll` order."""
    attempt = run.history.attempts[attempt_id]
    if not attempt.from_manifest or await _import_attempt(run, attempt):
        await _poll(run, run.history.attempts[attempt_id])
    run.state.polling.discard(attempt_id)
    run.wake()


async def _poll(run: RunContext, attempt: Attempt) -> None:
    now = run.now()
    if attempt.id not in run.state.polls:
        age = run.age(attempt.accepted_at or attempt.intended_at).total_seconds()
        run.state.polls[attempt.id] = PollState(created_at=now - max(age, 0.0), since=now, next_at=now)
    run.state.polls[attempt.id].hinted = False
    model = attempt.intent.request.get("model")
    answer = await run.provider.poll(attempt.task_id or "", model if isinstance(model, str) else None)
    step = run.step_of(attempt)
    match answer:
        case Running():
            await _still_running(run, step, attempt, answer)
        case Succeeded():
            await _succeeded(run, step, attempt, answer)
        case Failed():
            await _failed(run, step, attempt, answer)


async def _import_attempt(run: RunContext, attempt: Attempt) -> bool:
    """Whether an attempt that only a manifest knew is in this ledger now."""
    taken = await run.import_attempt(attempt)
    if taken is None:
        return True
    run.state.claimed_elsewhere[attempt.intent.fingerprint] = taken.message
    run.emit("warning", run.step_of(attempt), attempt.id, taken.message)
    return False


async def _still_running(run: RunContext, step: Step, attempt: Attempt, answer: Running) -> None:
    seen = run.state.polls[attempt.id]
    if answer.key_refused:
        run.state.polling_stopped = True
        run.halt(messages.key_refused_by_look(answer))
        return
    if answer.not_found:
        await _missing(run, step, attempt, seen)
    elif not answer.answered:
        seen.failed_polls += 1
        pause = min(_SILENCE * 2 ** min(seen.failed_polls, 10), _LONGEST)
        seen.next_at = run.now() + max(answer.retry_after or 0.0, pause * (0.75 + 0.5 * run.clock.jitter()))
    else:
        seen.failed_polls, seen.missing_since = 0, None
        reschedule(run, attempt)
        if answer.status != attempt.status and attempt.state is AttemptState.RUNNING:
            await run.append(attempt.id, answer)
            run.emit("running", step, attempt.id, answer.message)


async def _missing(run: RunContext, step: Step, attempt: Attempt, seen: PollState) -> None:
    """404: a copy that lags behind, for a while; after a day the record is gone for good."""
    now = run.now()
    seen.missing_since = seen.missing_since if seen.missing_since is not None else now
    seen.failed_polls += 1
    seen.next_at = now + min(_SILENCE * 2 ** min(seen.failed_polls, 10), _LONGEST)
    if now - seen.created_at > _VANISHED_AFTER and seen.failed_polls >= _VANISHED_LOOKS:
        await run.append(attempt.id, Lost(messages.RECORD_GONE))
        run.emit("failed", step, attempt.id, messages.RECORD_GONE)
        run.replan_if_needed()
    elif now - seen.missing_since > _MISSING_PATIENCE:
        seen.since = -_VANISHED_AFTER  # no more looks by this run
        run.emit("warning", step, attempt.id, messages.record_missing(attempt))


async def _succeeded(run: RunContext, step: Step, attempt: Attempt, answer: Succeeded) -> None:
    first = attempt.state is AttemptState.RUNNING
    if first or answer.outputs != attempt.outputs:
        await run.append(attempt.id, answer)
    seen = run.state.polls[attempt.id]
    if answer.outputs:
        run.state.fresh_links.add(attempt.id)
    else:
        _success_without_clip(run, step, attempt, seen)
    if first:
        run.state.ended_polls += 1
        slot_freed(run.state.throttle)
        reschedule_all(run)
        run.emit("succeeded", step, attempt.id)
        _check_bill(run, step, attempt.id)


def _success_without_clip(run: RunContext, step: Step, attempt: Attempt, seen: PollState) -> None:
    """Success without a link: asked again for five minutes, then left for the next run; paid all the same."""
    now = run.now()
    seen.missing_since = seen.missing_since if seen.missing_since is not None else now
    seen.failed_polls += 1
    seen.next_at = now + min(_SILENCE * 2 ** min(seen.failed_polls, 5), _LONGEST)
    if now - seen.missing_since > _NO_CLIP_PATIENCE:
        for sharer in run.queue.by_fingerprint[attempt.intent.fingerprint].steps:
            run.state.fetches[attempt.id, sharer.key] = DownloadState(given_up=True)
        run.emit("warning", step, attempt.id, messages.no_clip(attempt))


def _check_bill(run: RunContext, step: Step, attempt_id: str) -> None:
    """A bill that differs from the quote stops new tasks."""
    halt = messages.drift(run.history.attempts[attempt_id], step.price.row)
    if halt is not None and not run.plan.account.free:
        run.halt(halt)


async def _failed(run: RunContext, step: Step, attempt: Attempt, answer: Failed) -> None:
    await run.append(attempt.id, answer)
    after = run.history.attempts[attempt.id]
    if after.state is attempt.state:
        return  # success was recorded before, and wins
    slot_freed(run.state.throttle)
    refused = after.state is AttemptState.REFUSED
    run.emit("refused" if refused else "failed", step, attempt.id, answer.message)
    if run.limits.fail_fast and not schedule.can_retry(run.history.attempts_of(attempt.intent.fingerprint), run.limits):
        run.halt(messages.failed_fast(step))
    run.replan_if_needed()
