"""The poller (recordInfo), and what a take does with an answer: still running, failed, lost, or succeeded."""

from runner.attempts.attempt import LOST_AFTER, Attempt, AttemptState
from runner.attempts.events import Failed, Lost, PollResult, Running, Succeeded
from runner.engine import messages
from runner.engine.backoff import spread
from runner.engine.bills import schedule_reading
from runner.engine.in_flight import PollState
from runner.engine.poll_timing import learn_from_end, reschedule
from runner.engine.queue import Target
from runner.engine.recheck import recheck_materials
from runner.engine.run_context import RunContext
from runner.engine.throttle import on_task_ended
from runner.planning.orphans import Orphan

# Seconds of 404s after which this run stops polling a task, and warns.
_NOT_FOUND_WARN_AFTER = 600.0
# Seconds of 404s after which the log says so: a replica that lags behind has the record by then.
_NOT_FOUND_TOLD_AFTER = 10.0
# Polls in a row without an answer after which the log says so.
_FAILED_TOLD_AFTER = 3
# A task is lost when its record is missing a day after creation, in this many polls: one 404 proves nothing.
_LOST_POLLS = 3
# Seconds for which a success without a link is polled again.
_NO_CLIP_WAIT = 300.0


async def poll(run: RunContext, attempt_id: str) -> None:
    """Carry out a `Poll` order: the answer goes to the coroutine of the take."""
    attempt = run.history.attempts[attempt_id]
    if attempt.from_manifest and not await _import_attempt(run, attempt):
        _end_poll(run, attempt)
        return
    now = run.now()
    # Of a task of an earlier run only the wall clock tells the age; never below zero, should that clock be set back.
    age = run.age(attempt.accepted_at or attempt.intended_at).total_seconds()
    run.state.polls.follow(attempt.id, now - max(age, 0.0), now).begin()
    run.news.send(attempt_id, await run.provider.poll(attempt))


def _end_poll(run: RunContext, attempt: Attempt) -> None:
    run.state.polls.end(attempt.id)
    run.wake(attempt.intent.fingerprint)


async def record_answer(run: RunContext, attempt_id: str, answer: PollResult) -> None:
    """Make an answer durable, and react to it; only then may the task be polled again."""
    attempt = run.history.attempts[attempt_id]
    target, poll_state = run.target_of(attempt), run.state.polls.follow(attempt_id, run.now(), run.now())
    match answer:
        case Running():
            await _still_running(run, target, attempt, poll_state, answer)
        case Succeeded():
            await _succeeded(run, target, attempt, poll_state, answer)
        case Failed():
            await _failed(run, target, attempt, answer)
    # Only now: where the task is an orphan's, this lets tasks be created, and its bill may forbid them.
    poll_state.answer()
    _end_poll(run, attempt)


async def _import_attempt(run: RunContext, attempt: Attempt) -> bool:
    """Import an attempt from a manifest into this ledger; return whether the ledger accepted it."""
    conflict = await run.import_attempt(attempt)
    if conflict is None:
        return True
    run.state.creates.claim(attempt.intent.fingerprint, conflict.message)
    run.emit("warning", run.target_of(attempt), attempt.id, conflict.message)
    return False


async def _still_running(
    run: RunContext, target: Target, attempt: Attempt, poll_state: PollState, answer: Running
) -> None:
    # The same key would get the same answer for every task; none of them is lost by that.
    if answer.key_refused:
        run.state.polls.stop()
        run.stop_creating(messages.key_refused_by_poll(answer))
        return
    if answer.not_found:
        await _record_not_found(run, target, attempt, poll_state, answer)
    elif not answer.answered:
        pause = spread(poll_state.failed(), run.clock.jitter())
        poll_state.wait_until(run.now() + max(answer.retry_after or 0.0, pause))
        message = messages.polls_fail(answer) if poll_state.failed_polls >= _FAILED_TOLD_AFTER else ""
        _announce_wait(run, target, attempt, poll_state, answer, message)
    else:
        reschedule(run, attempt)
        if isinstance(target, Orphan) and not poll_state.answered:
            run.emit("warning", target, attempt.id, messages.ORPHAN_RUNS)
        # A ledger row for each change of status, not for each of the ten polls of a task.
        if answer.status != attempt.status and attempt.state is AttemptState.RUNNING:
            await run.append(attempt.id, answer)
            run.emit("running", target, attempt.id, answer.message)


def _announce_wait(
    run: RunContext, target: Target, attempt: Attempt, poll_state: PollState, answer: Running, message: str
) -> None:
    """Report that a poll is repeated; the log gets the first `message` of all tasks, since they have one cause."""
    is_news = bool(message) and run.state.polls.report_failure()
    wait = run.wait("poll", poll_state.next_at, messages.poll_wait(answer))
    run.emit("warning" if is_news else "waiting", target, attempt.id, message if is_news else "", wait)


async def _record_not_found(
    run: RunContext, target: Target, attempt: Attempt, poll_state: PollState, answer: Running
) -> None:
    """Handle a 404: at first a replica that lags behind, after a day a record that is gone for good."""
    now = run.now()
    missing_for = poll_state.found_nothing(now)
    # Lost means that the take may be bought again, so one 404 of a lagging replica must never be enough.
    if now - poll_state.created_at > LOST_AFTER.total_seconds() and poll_state.failed_polls >= _LOST_POLLS:
        await run.append(attempt.id, Lost(messages.RECORD_GONE))
        run.emit("failed", target, attempt.id, messages.RECORD_GONE)
        run.replan_if_needed(attempt.intent.fingerprint)
    elif missing_for > _NOT_FOUND_WARN_AFTER:
        # Left to the next run: the task is paid, and stays open in the ledger.
        poll_state.give_up()
        run.emit("warning", target, attempt.id, messages.record_missing(attempt))
    else:
        is_long = missing_for >= _NOT_FOUND_TOLD_AFTER
        message = messages.record_missing_so_far(attempt, _NOT_FOUND_WARN_AFTER) if is_long else ""
        _announce_wait(run, target, attempt, poll_state, answer, message)


async def _succeeded(
    run: RunContext, target: Target, attempt: Attempt, poll_state: PollState, answer: Succeeded
) -> None:
    first = attempt.state is AttemptState.RUNNING
    # Links expire: a later poll of the same success brings new ones, which is news for the ledger.
    if first or answer.outputs != attempt.outputs:
        await run.append(attempt.id, answer)
    if answer.outputs:
        run.state.downloads.renew_link(attempt.id)
    else:
        _success_without_clip(run, target, attempt, poll_state)
    if first:
        run.state.webhooks.count_end()
        on_task_ended(run.state.throttle)
        learn_from_end(run)
        run.emit("succeeded", target, attempt.id)
        schedule_reading(run, run.history.attempts[attempt.id])
        _check_bill(run, target, attempt.id)


def _success_without_clip(run: RunContext, target: Target, attempt: Attempt, poll_state: PollState) -> None:
    """Poll a success without a link again for five minutes, then leave it to the next run; it is paid anyway."""
    if poll_state.found_nothing(run.now()) > _NO_CLIP_WAIT:
        # All takes that share the task: none of them may keep the run waiting.
        for other in run.queue.by_fingerprint[attempt.intent.fingerprint].targets_of(attempt):
            run.state.downloads.give_up((attempt.id, other.key))
        run.emit("warning", target, attempt.id, messages.no_clip(attempt))


def _check_bill(run: RunContext, target: Target, attempt_id: str) -> None:
    """Stop creating when the bill is above the quote; a lower bill, or one that cannot be read, is a note."""
    attempt = run.history.attempts[attempt_id]
    # Nothing is paid at a free account: its quotes are the prices of the paid provider.
    if run.plan.account.free:
        return
    row = run.plan.edition.price_row(attempt.intent.request)
    if (stop_reason := messages.bill_above_quote(attempt, row)) is not None:
        run.stop_creating(stop_reason)
    elif attempt_id not in run.state.bills and (note := messages.bill_note(attempt)) is not None:
        run.emit("warning", target, attempt_id, note)


async def _failed(run: RunContext, target: Target, attempt: Attempt, answer: Failed) -> None:
    await run.append(attempt.id, answer)
    after = run.history.attempts[attempt.id]
    if after.state is attempt.state:
        return  # a success was recorded before: it wins
    # After a 429 the end of an own task is the best moment to try again, also when it failed.
    on_task_ended(run.state.throttle)
    refused = after.state is AttemptState.REFUSED
    if isinstance(target, Orphan):
        run.emit("refused" if refused else "failed", target, attempt.id, answer.message)
        return
    note = await recheck_materials(run, target, attempt, answer) if refused else ""
    run.emit("refused" if refused else "failed", target, attempt.id, "; ".join(filter(None, (answer.message, note))))
    may_repeat = run.may_retry(attempt.intent.fingerprint)
    if run.limits.fail_fast and not may_repeat:
        run.stop_creating(messages.failed_fast(target))
    if not run.state.rechecks.may_repeat(attempt.intent.fingerprint) or not may_repeat:
        run.replan_if_needed(attempt.intent.fingerprint)
