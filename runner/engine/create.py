"""One createTask: the intent, the request, and what its answer means for the take and for all that come after."""

from contextlib import suppress
from decimal import Decimal

from anyio import CancelScope

from runner.attempts.events import (
    ConcurrencyLimited,
    Created,
    CreateResult,
    Event,
    Intent,
    KeyRefused,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Refused,
    SendStarted,
    ServerError,
)
from runner.attempts.history import Attempt, AttemptState
from runner.diagnostics.problem import CommandError
from runner.engine import messages, schedule
from runner.engine import throttle as tempo
from runner.engine.poll_timing import schedule_first_poll
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.engine.run_context import RunContext
from runner.planning.plan import Step
from runner.requests.request import JsonValue, Material, canonical_json

_NO_ACCESS = 403
"""The account may not use the model: its other takes would be refused as well."""


async def create(run: RunContext, step: Step) -> None:
    """Carries out a `Create` order."""
    attempt = run.clock.token()[:22]
    body = run.provider.encode(step.shot.request, run.plan.edition, lambda material: _address(run, step, material))
    intended = Intent(
        storyboard=step.shot.storyboard,
        shot=step.shot.id,
        take=step.take,
        fingerprint=step.fingerprint or "",
        request=step.neutral_request(),
        body=canonical_json(body),
        quoted=step.price.credits or Decimal(0),
        edition=run.plan.edition.name,
        key_id=run.provider.key_id,
        webhook_token=run.clock.token(),
        run=run.limits.run,
        profile=run.plan.profile,
        scene=step.shot.scene,
        tags=step.shot.tags,
    )
    if await _intend(run, step, Event(run.clock.now(), attempt, intended)):
        await _send(run, step, attempt, body, intended.webhook_token)
    run.state.creating.discard(intended.fingerprint)
    run.wake()


def _address(run: RunContext, step: Step, material: Material) -> str | None:
    for need in schedule.required_materials(step, run.history):
        if need.material == material:
            return run.state.addresses[need]
    return None


async def _intend(run: RunContext, step: Step, event: Event) -> bool:
    """Whether the intent is durable, and the request may leave."""
    fingerprint = step.fingerprint or ""
    attempts = run.history.attempts_of(fingerprint)
    known = sum(not attempt.from_manifest for attempt in attempts)
    match await run.run_blocking(lambda: run.ledger.intend(event, known)):
        case None:
            run.apply(event)
            return True
        case LimitExceeded() as over:
            await _limit_reached(run, step, attempts, over)
        case AlreadyAttempted(said):
            run.state.claimed_elsewhere[fingerprint] = said
            run.emit("warning", step, words=said)
        case ConcurrencyFull():
            tempo.wait_for_others(run.state.throttle, run.now(), run.clock.jitter())
    return False


async def _limit_reached(run: RunContext, step: Step, attempts: list[Attempt], over: LimitExceeded) -> None:
    """A ceiling is reached: nothing more is created, and a 500 that cannot be repeated is in doubt."""
    run.halt(messages.over(over))
    last = attempts[-1] if attempts else None
    if last is not None and last.state is AttemptState.MAYBE_CHARGED and last.intent.run == run.limits.run:
        await run.append(last.id, OutcomeUnknown(last.message, status=500))
        _mark_unsettled(run, step, last.id)


async def _send(run: RunContext, step: Step, attempt: str, body: dict[str, JsonValue], receipt: str) -> None:
    """The request, shielded from cancellation until its answer is durable."""

    async def sending() -> None:
        await run.run_blocking(run.ledger.check_not_moved)
        await run.append(attempt, SendStarted())

    with CancelScope(shield=True) as shield:
        run.shields.add(shield)
        try:
            answer = await run.provider.create(body, receipt, sending)
        except CommandError:  # only the mark raises it, and without the mark nothing is sent
            with suppress(CommandError):
                await run.append(attempt, NotSent(messages.NO_MARK))
            raise
        else:
            await _answered(run, step, attempt, answer)
        finally:
            run.shields.discard(shield)


async def _answered(run: RunContext, step: Step, attempt: str, answer: CreateResult) -> None:
    if isinstance(answer, ServerError):
        answer = _retry_or_unsettle(run, step, answer)
    if isinstance(answer, Created) and await run.append(attempt, answer) is not None:
        answer = OutcomeUnknown(messages.same_task(answer.task_id), status=200, raw=answer.task_id.encode())
    if not isinstance(answer, Created):
        await run.append(attempt, answer)
    _react(run, step, attempt, answer)


def _retry_or_unsettle(run: RunContext, step: Step, answer: ServerError) -> ServerError | OutcomeUnknown:
    """A documented 500 is repeated within limits; the one that may not be repeated is in doubt."""
    if schedule.repeats_left(run.history.attempts_of(step.fingerprint or ""), run.limits):
        return answer
    if run.limits.server_error == "retry":
        run.halt(messages.too_many_500())
    return OutcomeUnknown(answer.message, status=500)


def _react(run: RunContext, step: Step, attempt: str, answer: CreateResult) -> None:
    """What an answer, durable by now, means for the next requests."""
    pace, now = run.state.throttle, run.now()
    match answer:
        case Created():
            tempo.sped_by_created(pace, now, run.limits)
            schedule_first_poll(run, attempt)
            run.emit("created", step, attempt)
        case NotSent():
            _not_sent(run, step, answer)
        case ConcurrencyLimited():
            own = schedule.in_progress(run.queue, run.history, run.state) - 1
            tempo.slowed_by_busy(pace, now, own, answer.limit, answer.retry_after, run.clock.jitter())
            run.emit("warning", step, attempt, messages.busy(answer))
        case Refused():
            _refused(run, step, attempt, answer)
        case KeyRefused():
            run.halt(messages.key_refused(answer))
        case NoCredits():
            run.halt(messages.no_credits(answer, step))
        case ServerError():
            _try_later(run, step, attempt, answer)
        case OutcomeUnknown():
            _mark_unsettled(run, step, attempt)
            if answer.stop:
                run.halt(messages.redirected(answer))


def _not_sent(run: RunContext, step: Step, answer: NotSent) -> None:
    pace = run.state.throttle
    tempo.slowed_by_silence(pace, run.now(), run.clock.jitter())
    if answer.final or pace.not_sent_in_row >= schedule.NOT_SENT_TRIES:
        run.halt(messages.unreachable(answer))
    elif pace.not_sent_in_row == 1:
        run.emit("warning", step, words=messages.not_sent(answer))


def _refused(run: RunContext, step: Step, attempt: str, answer: Refused) -> None:
    if answer.stop:
        run.halt(messages.stopped_by(answer, step))
    elif run.limits.fail_fast:
        run.halt(messages.failed_fast(step))
    else:
        run.state.throttle.first_answered = True
    if answer.status == _NO_ACCESS and not answer.stop:
        run.state.forbidden_models.setdefault(step.shot.request.model, answer.message)
    run.emit("refused", step, attempt, answer.message)
    run.replan_if_needed()


def _try_later(run: RunContext, step: Step, attempt: str, answer: ServerError) -> None:
    fingerprint = step.fingerprint or ""
    count = sum(other.state is AttemptState.MAYBE_CHARGED for other in run.history.attempts_of(fingerprint))
    pause = 5.0 * 3 ** (count - 1) * (0.75 + 0.5 * run.clock.jitter())
    run.state.retry_at[fingerprint] = run.now() + pause
    run.emit("warning", step, attempt, messages.repeated(answer, count, pause))


def _mark_unsettled(run: RunContext, step: Step, attempt: str) -> None:
    run.state.unsettled_until[attempt] = run.now() + run.limits.task_life
    run.emit("unsettled", step, attempt, run.history.attempts[attempt].message)
    run.replan_if_needed()
