"""Polls one task (recordInfo) and records its answer: still running, failed, lost, or succeeded."""

from runner.attempts.attempt import LOST_AFTER, Attempt, AttemptState
from runner.attempts.events import Failed, Lost, Running, Succeeded
from runner.engine import messages
from runner.engine.backoff import backoff, spread
from runner.engine.bills import schedule_reading
from runner.engine.eligibility import can_retry
from runner.engine.poll_timing import learn_from_end, reschedule
from runner.engine.run_context import RunContext
from runner.engine.run_state import DownloadState, PollState
from runner.engine.throttle import on_task_ended
from runner.planning.plan import Step

_NOT_FOUND_WARN_AFTER = 600.0
"""Seconds of 404s after which this run stops polling a task, and warns."""
_LOST_POLLS = 3
"""A task is lost when its record is missing a day after creation, in this many polls: one 404 proves nothing."""
_NO_CLIP_WAIT = 300.0
"""Seconds for which a success without a link is polled again."""
_FIRST_PAUSE = 4.0
"""Seconds before another poll after a single failed one."""


async def poll(run: RunContext, attempt_id: str) -> None:
    """Carries out a `Poll` order."""
    attempt = run.history.attempts[attempt_id]
    if not attempt.from_manifest or await _import_attempt(run, attempt):
        await _poll(run, run.history.attempts[attempt_id])
    run.state.polling.discard(attempt_id)
    run.wake(attempt.intent.fingerprint)


async def _poll(run: RunContext, attempt: Attempt) -> None:
    now = run.now()
    if attempt.id not in run.state.polls:
        age = run.age(attempt.accepted_at or attempt.intended_at).total_seconds()
        run.state.polls[attempt.id] = PollState(created_at=now - max(age, 0.0), waiting_since=now, next_at=now)
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
    """Imports an attempt from a manifest into this ledger; returns whether the ledger accepted it."""
    conflict = await run.import_attempt(attempt)
    if conflict is None:
        return True
    run.state.claimed_elsewhere[attempt.intent.fingerprint] = conflict.message
    run.emit("warning", run.step_of(attempt), attempt.id, conflict.message)
    return False


async def _still_running(run: RunContext, step: Step, attempt: Attempt, answer: Running) -> None:
    poll_state = run.state.polls[attempt.id]
    if answer.key_refused:
        run.state.polling_stopped = True
        run.stop_creating(messages.key_refused_by_poll(answer))
        return
    if answer.not_found:
        await _record_not_found(run, step, attempt, poll_state)
    elif not answer.answered:
        poll_state.failed_polls += 1
        pause = spread(backoff(poll_state.failed_polls, _FIRST_PAUSE), run.clock.jitter())
        poll_state.next_at = run.now() + max(answer.retry_after or 0.0, pause)
        run.emit("waiting", step, attempt.id, wait=run.wait("poll", poll_state.next_at, messages.POLL_WAIT))
    else:
        poll_state.failed_polls, poll_state.missing_since = 0, None
        reschedule(run, attempt)
        if answer.status != attempt.status and attempt.state is AttemptState.RUNNING:
            await run.append(attempt.id, answer)
            run.emit("running", step, attempt.id, answer.message)


async def _record_not_found(run: RunContext, step: Step, attempt: Attempt, poll_state: PollState) -> None:
    """Handles a 404: at first a replica that lags behind, after a day a record that is gone for good."""
    now = run.now()
    poll_state.missing_since = poll_state.missing_since if poll_state.missing_since is not None else now
    poll_state.failed_polls += 1
    poll_state.next_at = now + backoff(poll_state.failed_polls, _FIRST_PAUSE)
    if now - poll_state.created_at > LOST_AFTER.total_seconds() and poll_state.failed_polls >= _LOST_POLLS:
        await run.append(attempt.id, Lost(messages.RECORD_GONE))
        run.emit("failed", step, attempt.id, messages.RECORD_GONE)
        run.replan_if_needed(attempt.intent.fingerprint)
    elif now - poll_state.missing_since > _NOT_FOUND_WARN_AFTER:
        poll_state.waiting_since = -LOST_AFTER.total_seconds()  # no more polls by this run: the wait counts as over
        run.emit("warning", step, attempt.id, messages.record_missing(attempt))


async def _succeeded(run: RunContext, step: Step, attempt: Attempt, answer: Succeeded) -> None:
    first = attempt.state is AttemptState.RUNNING
    if first or answer.outputs != attempt.outputs:
        await run.append(attempt.id, answer)
    poll_state = run.state.polls[attempt.id]
    if answer.outputs:
        run.state.fresh_links.add(attempt.id)
    else:
        _success_without_clip(run, step, attempt, poll_state)
    if first:
        run.state.succeeded_tasks += 1
        on_task_ended(run.state.throttle)
        learn_from_end(run)
        run.emit("succeeded", step, attempt.id)
        schedule_reading(run, run.history.attempts[attempt.id])
        _check_bill(run, step, attempt.id)


def _success_without_clip(run: RunContext, step: Step, attempt: Attempt, poll_state: PollState) -> None:
    """Polls a success without a link again for five minutes, then leaves it to the next run; it is paid anyway."""
    now = run.now()
    poll_state.missing_since = poll_state.missing_since if poll_state.missing_since is not None else now
    poll_state.failed_polls += 1
    poll_state.next_at = now + backoff(poll_state.failed_polls, _FIRST_PAUSE)
    if now - poll_state.missing_since > _NO_CLIP_WAIT:
        for shared_step in run.queue.by_fingerprint[attempt.intent.fingerprint].steps:
            run.state.downloads[attempt.id, shared_step.key] = DownloadState(given_up=True)
        run.emit("warning", step, attempt.id, messages.no_clip(attempt))


def _check_bill(run: RunContext, step: Step, attempt_id: str) -> None:
    """Stops creating when the bill is above the quote; a lower bill, or one that cannot be read, is a note."""
    attempt = run.history.attempts[attempt_id]
    if run.plan.account.free:
        return
    if (stop_reason := messages.bill_above_quote(attempt, step.price.row)) is not None:
        run.stop_creating(stop_reason)
    elif attempt_id not in run.state.open_bills and (note := messages.bill_note(attempt)) is not None:
        run.emit("warning", step, attempt_id, note)


async def _failed(run: RunContext, step: Step, attempt: Attempt, answer: Failed) -> None:
    await run.append(attempt.id, answer)
    after = run.history.attempts[attempt.id]
    if after.state is attempt.state:
        return  # a success was recorded before: it wins
    on_task_ended(run.state.throttle)
    refused = after.state is AttemptState.REFUSED
    run.emit("refused" if refused else "failed", step, attempt.id, answer.message)
    if run.limits.fail_fast and not can_retry(run.history.counting_attempts_of(attempt.intent.fingerprint), run.limits):
        run.stop_creating(messages.failed_fast(step))
    run.replan_if_needed(attempt.intent.fingerprint)
