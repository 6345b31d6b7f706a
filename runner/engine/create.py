"""Creates one task: writes the intent, sends the request, and reacts to the answer."""

from contextlib import suppress

from anyio import CancelScope

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import (
    ConcurrencyLimited,
    Created,
    CreateResult,
    Event,
    KeyRefused,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Refused,
    SendStarted,
    ServerError,
)
from runner.diagnostics.failures import Failure
from runner.engine import messages, other_runs
from runner.engine.backoff import spread
from runner.engine.eligibility import repeats_left, required_materials
from runner.engine.poll_timing import schedule_first_poll
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.engine.run_context import RunContext
from runner.engine.throttle import on_cap_shared, on_concurrency_limited, on_created, on_not_sent, on_refused
from runner.planning.intent import intent_of
from runner.planning.plan import Step
from runner.planning.shot_text import shot_text
from runner.requests.request import JsonValue, Material

# Requests in a row that did not leave, after half a minute of pauses: the network is down, and the run says so.
_NOT_SENT_TRIES = 5
# HTTP status of a model that the account may not use: other takes of the model would be refused as well.
_NO_ACCESS = 403


async def create(run: RunContext, step: Step) -> str | None:
    """Order one task; the attempt's id if the provider accepted it, else None: the schedule decides what follows."""
    # 22 characters of 64 possible ones have 132 bits: enough that two machines never make the same id.
    attempt_id = run.clock.token()[:22]
    body = run.provider.encode(
        step.shot.request, run.plan.edition, lambda material: _public_address(run, step, material)
    )
    saved_plan = run.limits.saved_plan
    intent = intent_of(
        run.plan,
        step,
        body,
        key_id=run.provider.key_id,
        webhook_token=run.clock.token(),
        run=run.limits.run,
        saved_plan=None if saved_plan is None else saved_plan.id,
    )
    # The intent is durable before the first byte leaves: a crash in between is read back as unsettled, never as
    # untried.
    if await _intend(run, step, Event(run.clock.now(), attempt_id, intent)):
        await _send(run, step, attempt_id, body, intent.webhook_token)
    run.state.creates.end(intent.fingerprint)
    run.wake(intent.fingerprint)
    attempt = run.history.attempts.get(attempt_id)
    return attempt_id if attempt is not None and attempt.state is AttemptState.RUNNING else None


def _public_address(run: RunContext, step: Step, material: Material) -> str | None:
    for need in required_materials(step, run.history):
        if need.material == material:
            return run.state.addresses.of(need)
    return None


async def _intend(run: RunContext, step: Step, event: Event) -> bool:
    """Write the intent; return whether it is durable, so that the request may be sent."""
    fingerprint = step.fingerprint or ""
    attempts = run.history.attempts_of(fingerprint)
    # The ledger refuses the intent where it has more attempts than these: another run has tried the take since.
    local_attempts = sum(not attempt.from_manifest for attempt in attempts)
    match await run.run_blocking(lambda: run.ledger.intend(event, local_attempts)):
        case None:
            run.apply(event)
            return True
        case LimitExceeded() as exceeded:
            await _limit_reached(run, step, attempts, exceeded)
        case AlreadyAttempted(message):
            if not await other_runs.follow(run, fingerprint):
                run.state.creates.claim(fingerprint, message)
                run.emit("warning", step, message=message)
        case ConcurrencyFull():
            on_cap_shared(run.state.throttle, run.now(), run.clock.jitter())
            run.emit("waiting", wait=run.wait("slots", run.state.throttle.not_before, messages.SHARED_WAIT))
    return False


async def _limit_reached(run: RunContext, step: Step, attempts: list[Attempt], exceeded: LimitExceeded) -> None:
    """Stop creating at a spending limit; a 500 of this run that cannot be repeated any more becomes unsettled."""
    run.stop_creating(messages.limit_exceeded(exceeded))
    last = attempts[-1] if attempts else None
    # Its repeat is what the limit forbids, so the 500 is the last word on this take.
    if last is not None and last.state is AttemptState.MAYBE_CHARGED and last.intent.run == run.limits.run:
        await run.append(last.id, OutcomeUnknown(last.message, status=500))
        _mark_unsettled(run, step, last.id)


async def _send(run: RunContext, step: Step, attempt_id: str, body: dict[str, JsonValue], webhook_token: str) -> None:
    """Send the request, shielded from cancellation until its answer is durable."""

    async def before_send() -> None:
        # A ledger file that was moved or deleted meanwhile would swallow the mark, and the paid task with it.
        await run.run_blocking(run.ledger.check_not_moved)
        # After the handshake and before the first byte: without this mark an attempt was provably never sent.
        await run.append(attempt_id, SendStarted())

    with CancelScope(shield=True) as shield:
        run.shields.add(shield)
        try:
            answer = await run.provider.create(body, webhook_token, before_send, shot_text(run.plan, step.shot))
        except Failure:  # only `before_send` raises it, and then nothing is sent
            # The ledger may be what failed; then the missing mark says the same at the next start.
            with suppress(Failure):
                await run.append(attempt_id, NotSent(messages.SEND_MARK_FAILED))
            raise
        else:
            await _record_answer(run, step, attempt_id, answer)
        finally:
            run.shields.discard(shield)


async def _record_answer(run: RunContext, step: Step, attempt_id: str, answer: CreateResult) -> None:
    # The 500 alone is judged before it is written: as unsettled it holds its slot, as repeatable it does not.
    if isinstance(answer, ServerError):
        answer = _retry_or_unsettle(run, step, answer)
    # A task id that another attempt has already: a cache or a proxy repeated an answer. Nobody knows what this order
    # bought.
    if isinstance(answer, Created) and await run.append(attempt_id, answer) is not None:
        answer = OutcomeUnknown(messages.same_task(answer.task_id), status=200, raw=answer.task_id.encode())
    if not isinstance(answer, Created):
        await run.append(attempt_id, answer)
    _react(run, step, attempt_id, answer)


def _retry_or_unsettle(run: RunContext, step: Step, answer: ServerError) -> ServerError | OutcomeUnknown:
    """The answer to a documented 500: itself while repeats are left, else an unknown outcome."""
    if repeats_left(run.history.attempts_of(step.fingerprint or ""), run.limits):
        return answer
    if run.limits.server_error == "retry":
        run.stop_creating(messages.too_many_server_errors())
    return OutcomeUnknown(answer.message, status=500)


def _react(run: RunContext, step: Step, attempt_id: str, answer: CreateResult) -> None:
    """Adjust throttle, polling and stop reason to an answer that is durable already."""
    throttle, now = run.state.throttle, run.now()
    match answer:
        case Created():
            # Requests in flight are no proof of room: their answers may still be 429.
            on_created(throttle, now, run.limits, _own_slots(run) - len(run.state.creates))
            schedule_first_poll(run, attempt_id)
            run.emit("created", step, attempt_id)
        case NotSent():
            _not_sent(run, step, answer)
        case ConcurrencyLimited():
            # This request is among the own slots, and it got none.
            own_tasks = _own_slots(run) - 1
            on_concurrency_limited(throttle, now, own_tasks, answer.limit, answer.retry_after, run.clock.jitter())
            wait = run.wait("slots", throttle.not_before, messages.slots_wait(answer, _unsettled_slots(run)))
            run.emit("warning", step, attempt_id, messages.concurrency_limited(answer, throttle.not_before - now), wait)
        case Refused():
            _refused(run, step, attempt_id, answer)
        case KeyRefused():
            run.stop_creating(messages.key_refused(answer))
        case NoCredits():
            run.stop_creating(messages.no_credits(answer, step))
        case ServerError():
            _repeat_later(run, step, attempt_id, answer)
        case OutcomeUnknown():
            _mark_unsettled(run, step, attempt_id)
            if answer.stop:
                run.stop_creating(messages.redirected(answer))


def announce_unsettled_slots(run: RunContext) -> None:
    """Report until when no task can be created, if unsettled attempts hold all slots."""
    slots = run.limits.concurrency
    if (free_at := run.state.unsettled.next_free(run.now(), slots)) is not None:
        run.emit("waiting", wait=run.wait("unsettled", free_at, messages.unsettled_wait(slots)))


def _own_slots(run: RunContext) -> int:
    """Slots that this run holds: requests in flight, running tasks, and unsettled attempts, which may be running."""
    return run.work.in_progress() + _unsettled_slots(run)


def _unsettled_slots(run: RunContext) -> int:
    return run.state.unsettled.held(run.now())


def _not_sent(run: RunContext, step: Step, answer: NotSent) -> None:
    throttle = run.state.throttle
    on_not_sent(throttle, run.now(), run.clock.jitter())
    if answer.final or throttle.not_sent_in_row >= _NOT_SENT_TRIES:
        run.stop_creating(messages.unreachable(answer))
    else:
        wait = run.wait("network", throttle.not_before, messages.network_wait(answer))
        # One line for a network that is down, not one for each try.
        message = messages.not_sent(answer) if throttle.not_sent_in_row == 1 else ""
        run.emit("warning" if message else "waiting", step, message=message, wait=wait)


def _refused(run: RunContext, step: Step, attempt_id: str, answer: Refused) -> None:
    if answer.stop:
        run.stop_creating(messages.stopped_by(answer, step))
    elif run.limits.fail_fast:
        run.stop_creating(messages.failed_fast(step))
    else:
        on_refused(run.state.throttle)
    if answer.status == _NO_ACCESS and not answer.stop:
        run.state.creates.forbid_model(step.shot.request.model, answer.message)
        run.work.touch_all()
    run.emit("refused", step, attempt_id, answer.message)
    run.replan_if_needed(step.fingerprint or "")


def _repeat_later(run: RunContext, step: Step, attempt_id: str, answer: ServerError) -> None:
    fingerprint = step.fingerprint or ""
    count = sum(other.state is AttemptState.MAYBE_CHARGED for other in run.history.attempts_of(fingerprint))
    # 5, 15 and 45 seconds: each repeat may be charged again, so the provider gets time to recover.
    pause = spread(5.0 * 3 ** (count - 1), run.clock.jitter())
    run.state.creates.repeat_at(fingerprint, run.now() + pause)
    wait = run.wait("server", run.now() + pause, messages.server_wait(count))
    run.emit("warning", step, attempt_id, messages.server_error_repeat(count, pause), wait)


def _mark_unsettled(run: RunContext, step: Step, attempt_id: str) -> None:
    # The task may exist and run; until its longest life is over the slot counts as taken.
    until = run.now() + run.task_life(run.history.attempts[attempt_id])
    run.state.unsettled.hold(attempt_id, until)
    run.emit("unsettled", step, attempt_id, run.history.attempts[attempt_id].message)
    if run.state.webhooks.is_active:
        run.emit("waiting", step, attempt_id, wait=run.wait("webhook", until, messages.WEBHOOK_WAIT))
    announce_unsettled_slots(run)
    run.replan_if_needed(step.fingerprint or "")
