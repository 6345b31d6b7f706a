"""One recordInfo, and what it says of a task: still running, failed, or a clip to fetch."""

from runner.attempts.events import Failed, Running, Succeeded, Vanished
from runner.attempts.history import Attempt, State
from runner.engine import messages, schedule
from runner.engine.poll_timing import found_running, learned
from runner.engine.run_context import Run
from runner.engine.run_state import Fetch, Look
from runner.engine.throttle import slot_freed
from runner.lazy_dataclass import replace
from runner.planning.plan import Step

_MISSING_PATIENCE = 600.0
_VANISHED_AFTER = 24 * 3600.0
_VANISHED_LOOKS = 3
_NO_CLIP_PATIENCE = 300.0
_SILENCE, _LONGEST = 2.0, 60.0


async def look(run: Run, attempt_id: str) -> None:
    """Carries out a `Poll` order."""
    attempt = run.history.attempts[attempt_id]
    if not attempt.elsewhere or await _taken_in(run, attempt):
        await _ask(run, run.history.attempts[attempt_id])
    run.running.looking.discard(attempt_id)
    run.again()


async def _ask(run: Run, attempt: Attempt) -> None:
    now = run.now()
    if attempt.id not in run.running.looks:
        age = run.age(attempt.accepted_at or attempt.intended_at).total_seconds()
        run.running.looks[attempt.id] = Look(born=now - max(age, 0.0), since=now, next_at=now)
    run.running.looks[attempt.id].hinted = False
    model = attempt.intended.request.get("model")
    answer = await run.provider.look(attempt.task_id or "", model if isinstance(model, str) else None)
    step = run.step_of(attempt)
    match answer:
        case Running():
            await _still_running(run, step, attempt, answer)
        case Succeeded():
            await _succeeded(run, step, attempt, answer)
        case Failed():
            await _failed(run, step, attempt, answer)


async def _taken_in(run: Run, attempt: Attempt) -> bool:
    """Whether an attempt that only a manifest knew is in this ledger now."""
    taken = await run.aside(lambda: run.ledger.take_in(attempt))
    if taken is None:
        run.history.attempts[attempt.id] = replace(attempt, elsewhere=False)
        return True
    run.running.taken[attempt.intended.fingerprint] = taken.words
    run.tell("warning", run.step_of(attempt), attempt.id, taken.words)
    return False


async def _still_running(run: Run, step: Step, attempt: Attempt, answer: Running) -> None:
    seen = run.running.looks[attempt.id]
    if answer.key_refused:
        run.running.deaf = True
        run.halt(messages.key_refused_by_look(answer))
        return
    if answer.missing:
        await _missing(run, step, attempt, seen)
    elif not answer.heard:
        seen.silent += 1
        pause = min(_SILENCE * 2 ** min(seen.silent, 10), _LONGEST)
        seen.next_at = run.now() + max(answer.retry_after or 0.0, pause * (0.75 + 0.5 * run.clock.jitter()))
    else:
        seen.silent, seen.missing_since = 0, None
        found_running(run, attempt)
        if answer.status != attempt.status and attempt.state is State.RUNNING:
            await run.append(attempt.id, answer)
            run.tell("running", step, attempt.id, answer.words)


async def _missing(run: Run, step: Step, attempt: Attempt, seen: Look) -> None:
    """404: a copy that lags behind, for a while; after a day the record is gone for good."""
    now = run.now()
    seen.missing_since = seen.missing_since if seen.missing_since is not None else now
    seen.silent += 1
    seen.next_at = now + min(_SILENCE * 2 ** min(seen.silent, 10), _LONGEST)
    if now - seen.born > _VANISHED_AFTER and seen.silent >= _VANISHED_LOOKS:
        await run.append(attempt.id, Vanished(messages.RECORD_GONE))
        run.tell("failed", step, attempt.id, messages.RECORD_GONE)
        run.ended()
    elif now - seen.missing_since > _MISSING_PATIENCE:
        seen.since = -_VANISHED_AFTER  # no more looks by this run
        run.tell("warning", step, attempt.id, messages.record_missing(attempt))


async def _succeeded(run: Run, step: Step, attempt: Attempt, answer: Succeeded) -> None:
    first = attempt.state is State.RUNNING
    if first or answer.outputs != attempt.outputs:
        await run.append(attempt.id, answer)
    seen = run.running.looks[attempt.id]
    if answer.outputs:
        run.running.fresh.add(attempt.id)
    else:
        _no_clip(run, step, attempt, seen)
    if first:
        run.running.ended_looks += 1
        slot_freed(run.running.pace)
        learned(run)
        run.tell("succeeded", step, attempt.id)
        _brake(run, step, attempt.id)


def _no_clip(run: Run, step: Step, attempt: Attempt, seen: Look) -> None:
    """Success without a link: asked again for five minutes, then left for the next run; paid all the same."""
    now = run.now()
    seen.missing_since = seen.missing_since if seen.missing_since is not None else now
    seen.silent += 1
    seen.next_at = now + min(_SILENCE * 2 ** min(seen.silent, 5), _LONGEST)
    if now - seen.missing_since > _NO_CLIP_PATIENCE:
        for sharer in run.agenda.by_fingerprint[attempt.intended.fingerprint].steps:
            run.running.fetches[attempt.id, sharer.key] = Fetch(given_up=True)
        run.tell("warning", step, attempt.id, messages.no_clip(attempt))


def _brake(run: Run, step: Step, attempt_id: str) -> None:
    """A bill that differs from the quote stops new tasks."""
    halt = messages.drift(run.history.attempts[attempt_id], step.price.row)
    if halt is not None and not run.plan.account.free:
        run.halt(halt)


async def _failed(run: Run, step: Step, attempt: Attempt, answer: Failed) -> None:
    await run.append(attempt.id, answer)
    after = run.history.attempts[attempt.id]
    if after.state is attempt.state:
        return  # success was recorded before, and wins
    slot_freed(run.running.pace)
    refused = after.state is State.REFUSED
    run.tell("refused" if refused else "failed", step, attempt.id, answer.words)
    if run.limits.fail_fast and not schedule.may_try(run.history.of(attempt.intended.fingerprint), run.limits):
        run.halt(messages.failed_fast(step))
    run.ended()
