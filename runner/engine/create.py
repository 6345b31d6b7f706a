"""One createTask: the intent, the request, and what its answer means for the take and for all that come after."""

from contextlib import suppress
from decimal import Decimal

from anyio import CancelScope

from runner.attempts.events import (
    Busy,
    CreateAnswer,
    Created,
    Event,
    Intended,
    KeyRefused,
    NoCredits,
    NotSent,
    Refused,
    Sending,
    TryLater,
    Unknown,
)
from runner.attempts.history import Attempt, State
from runner.diagnostics.problem import Stop
from runner.engine import messages, schedule
from runner.engine import throttle as tempo
from runner.engine.poll_timing import expect
from runner.engine.ports import Full, Over, Taken
from runner.engine.run_context import Run
from runner.planning.plan import Step
from runner.requests.request import Material, Plain, canonical_json

_NO_ACCESS = 403
"""The account may not use the model: its other takes would be refused as well."""


async def create(run: Run, step: Step) -> None:
    """Carries out a `Create` order."""
    attempt = run.clock.token()[:22]
    body = run.provider.encode(step.shot.request, run.plan.edition, lambda material: _address(run, step, material))
    intended = Intended(
        storyboard=step.shot.storyboard,
        shot=step.shot.id,
        take=step.take,
        fingerprint=step.fingerprint or "",
        request=step.form(),
        body=canonical_json(body),
        quoted=step.price.credits or Decimal(0),
        edition=run.plan.edition.name,
        key_id=run.provider.key_id,
        receipt=run.clock.token(),
        run=run.limits.run,
        profile=run.plan.profile,
        scene=step.shot.scene,
        tags=step.shot.tags,
    )
    if await _intend(run, step, Event(run.clock.now(), attempt, intended)):
        await _send(run, step, attempt, body, intended.receipt)
    run.running.creating.discard(intended.fingerprint)
    run.again()


def _address(run: Run, step: Step, material: Material) -> str | None:
    for need in schedule.needs_of(step, run.history):
        if need.material == material:
            return run.running.addresses[need]
    return None


async def _intend(run: Run, step: Step, event: Event) -> bool:
    """Whether the intent is durable, and the request may leave."""
    fingerprint = step.fingerprint or ""
    attempts = run.history.of(fingerprint)
    known = sum(not attempt.elsewhere for attempt in attempts)
    match await run.aside(lambda: run.ledger.intend(event, known)):
        case None:
            run.feed(event)
            return True
        case Over() as over:
            await _over(run, step, attempts, over)
        case Taken(said):
            run.running.taken[fingerprint] = said
            run.tell("warning", step, words=said)
        case Full():
            tempo.wait_for_others(run.running.pace, run.now(), run.clock.jitter())
    return False


async def _over(run: Run, step: Step, attempts: list[Attempt], over: Over) -> None:
    """A ceiling is reached: nothing more is created, and a 500 that cannot be repeated is in doubt."""
    run.halt(messages.over(over))
    last = attempts[-1] if attempts else None
    if last is not None and last.state is State.PERHAPS and last.intended.run == run.limits.run:
        await run.append(last.id, Unknown(last.words, status=500))
        _in_doubt(run, step, last.id)


async def _send(run: Run, step: Step, attempt: str, body: dict[str, Plain], receipt: str) -> None:
    """The request, shielded from cancellation until its answer is durable."""

    async def sending() -> None:
        await run.aside(run.ledger.check)
        await run.append(attempt, Sending())

    with CancelScope(shield=True) as shield:
        run.shields.add(shield)
        try:
            answer = await run.provider.create(body, receipt, sending)
        except Stop:  # only the mark raises it, and without the mark nothing is sent
            with suppress(Stop):
                await run.append(attempt, NotSent(messages.NO_MARK))
            raise
        else:
            await _answered(run, step, attempt, answer)
        finally:
            run.shields.discard(shield)


async def _answered(run: Run, step: Step, attempt: str, answer: CreateAnswer) -> None:
    if isinstance(answer, TryLater):
        answer = _judged(run, step, answer)
    if isinstance(answer, Created) and await run.append(attempt, answer) is not None:
        answer = Unknown(messages.same_task(answer.task_id), status=200, raw=answer.task_id.encode())
    if not isinstance(answer, Created):
        await run.append(attempt, answer)
    _follow(run, step, attempt, answer)


def _judged(run: Run, step: Step, answer: TryLater) -> TryLater | Unknown:
    """A documented 500 is repeated within limits; the one that may not be repeated is in doubt."""
    if schedule.repeats_left(run.history.of(step.fingerprint or ""), run.limits):
        return answer
    if run.limits.server_error == "retry":
        run.halt(messages.too_many_500())
    return Unknown(answer.words, status=500)


def _follow(run: Run, step: Step, attempt: str, answer: CreateAnswer) -> None:
    """What an answer, durable by now, means for the next requests."""
    pace, now = run.running.pace, run.now()
    match answer:
        case Created():
            tempo.sped_by_created(pace, now, run.limits)
            expect(run, attempt)
            run.tell("created", step, attempt)
        case NotSent():
            _not_sent(run, step, answer)
        case Busy():
            own = schedule.in_progress(run.agenda, run.history, run.running) - 1
            tempo.slowed_by_busy(pace, now, own, answer.limit, answer.retry_after, run.clock.jitter())
            run.tell("warning", step, attempt, messages.busy(answer))
        case Refused():
            _refused(run, step, attempt, answer)
        case KeyRefused():
            run.halt(messages.key_refused(answer))
        case NoCredits():
            run.halt(messages.no_credits(answer, step))
        case TryLater():
            _try_later(run, step, attempt, answer)
        case Unknown():
            _in_doubt(run, step, attempt)
            if answer.stop:
                run.halt(messages.redirected(answer))


def _not_sent(run: Run, step: Step, answer: NotSent) -> None:
    pace = run.running.pace
    tempo.slowed_by_silence(pace, run.now(), run.clock.jitter())
    if answer.final or pace.not_sent_in_row >= schedule.NOT_SENT_TRIES:
        run.halt(messages.unreachable(answer))
    elif pace.not_sent_in_row == 1:
        run.tell("warning", step, words=messages.not_sent(answer))


def _refused(run: Run, step: Step, attempt: str, answer: Refused) -> None:
    if answer.stop:
        run.halt(messages.stopped_by(answer, step))
    elif run.limits.fail_fast:
        run.halt(messages.failed_fast(step))
    else:
        run.running.pace.first_answered = True
    if answer.status == _NO_ACCESS and not answer.stop:
        run.running.closed.setdefault(step.shot.request.model, answer.words)
    run.tell("refused", step, attempt, answer.words)
    run.ended()


def _try_later(run: Run, step: Step, attempt: str, answer: TryLater) -> None:
    fingerprint = step.fingerprint or ""
    count = sum(other.state is State.PERHAPS for other in run.history.of(fingerprint))
    pause = 5.0 * 3 ** (count - 1) * (0.75 + 0.5 * run.clock.jitter())
    run.running.pauses[fingerprint] = run.now() + pause
    run.tell("warning", step, attempt, messages.repeated(answer, count, pause))


def _in_doubt(run: Run, step: Step, attempt: str) -> None:
    run.running.doubts[attempt] = run.now() + run.limits.task_life
    run.tell("unsettled", step, attempt, run.history.attempts[attempt].words)
    run.ended()
