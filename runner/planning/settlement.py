"""Settlement of unsettled attempts: by matching a task of the provider, or by the user's decision. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta

from runner.attempts.attempt import Attempt, AttemptState, price_deviation
from runner.attempts.events import PollResult, Running, Settled, Succeeded
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.failures import SettlementError
from runner.planning.intent import intent_of
from runner.planning.plan import Plan, Step
from runner.requests.request import JsonValue

# A task of an attempt is created at most this long after the send mark.
_CREATED_WITHIN = timedelta(minutes=10)
# The provider's clock may be this far behind the local one.
_MAX_CLOCK_SKEW = timedelta(seconds=60)


def unsettled_attempts(history: History) -> list[Attempt]:
    """Attempts that may have been charged and are not settled, in the order of their intents."""
    attempts = [attempt for attempt in history.attempts.values() if attempt.state.is_settleable]
    return [
        attempt
        for attempt in attempts
        if attempt.repository is None or history.current_attempt(attempt.intent.fingerprint) is attempt
    ]


def mismatch(
    attempt: Attempt, task_id: str, answer: PollResult, facts: TaskFacts | None, bound_tasks: Collection[str | None]
) -> str | None:
    """The reason why a task cannot be an attempt's, by the provider's record; None when it may be.

    `bound_tasks` are the task ids that attempts have already. A record does not contain the prompt, so that a match
    can only be denied, never proved.
    """
    if task_id in bound_tasks:
        return f"{task_id} belongs to another attempt already"
    if isinstance(answer, Running) and (answer.not_found or facts is None):
        return (
            f"the provider has no record of {task_id}"
            if answer.not_found
            else f"{task_id} cannot be read: {answer.message}"
        )
    if facts is None:
        return f"{task_id} cannot be read"
    if facts.model is not None and facts.model != attempt.model:
        return f"{task_id} was made with {facts.model}, the attempt asked for {attempt.model}"
    return _time_mismatch(attempt, task_id, facts) or _price_mismatch(attempt, task_id, answer)


def _time_mismatch(attempt: Attempt, task_id: str, facts: TaskFacts) -> str | None:
    if facts.created_ms is None:
        return f"{task_id} does not say when it was created"
    sent_at = attempt.sent_at or attempt.intended_at
    created_at = datetime.fromtimestamp(facts.created_ms / 1000, tz=sent_at.tzinfo)
    # Two clocks are compared here, and a request may have waited in the provider's line.
    if sent_at - _MAX_CLOCK_SKEW <= created_at <= sent_at + _CREATED_WITHIN:
        return None
    return (
        f"{task_id} was created at {created_at:%Y-%m-%d %H:%M:%S} UTC, the request left at {sent_at:%Y-%m-%d %H:%M:%S}"
    )


def _price_mismatch(attempt: Attempt, task_id: str, answer: PollResult) -> str | None:
    if isinstance(answer, Succeeded) and price_deviation(answer.credits_used, attempt.intent.quoted) is not None:
        return f"{task_id} was billed {answer.credits_used} credits, the attempt was quoted {attempt.intent.quoted}"
    return None


def best_match(attempts: Collection[Attempt], facts: TaskFacts | None) -> Attempt | None:
    """The attempt, of several of one take, that was sent last before the task was created; None for several takes."""
    if facts is None or facts.created_ms is None or len({attempt.intent.fingerprint for attempt in attempts}) != 1:
        return None
    created_at = facts.created_ms / 1000 + _MAX_CLOCK_SKEW.total_seconds()
    # A request can only have made a task that was created after it; clocks apart, as above.
    before = [attempt for attempt in attempts if (attempt.sent_at or attempt.intended_at).timestamp() <= created_at]
    before_exactly = [
        attempt for attempt in before if (attempt.sent_at or attempt.intended_at).timestamp() <= facts.created_ms / 1000
    ]
    return max(before_exactly or before, key=lambda attempt: attempt.sent_at or attempt.intended_at, default=None)


def adopt_task(
    attempt: Attempt, task_id: str, answer: PollResult, facts: TaskFacts | None, history: History
) -> Settled:
    """The event that binds a task to an unsettled attempt; raises `SettlementError` when the task cannot be its own."""
    _require(attempt, attempt.state.is_settleable)
    # A second attempt with the same task would count as paid, and have no clip of its own.
    bound_tasks = {other.task_id for other in history.attempts.values() if not _may_be_same_task(other, attempt)}
    if (reason := mismatch(attempt, task_id, answer, facts, bound_tasks)) is not None:
        raise SettlementError(f"{reason}: nothing was changed")
    return Settled("adopted", task_id)


def _may_be_same_task(other: Attempt, attempt: Attempt) -> bool:
    """Whether an attempt from a manifest may be this very attempt, with the task that another machine matched."""
    return other.id == attempt.id or (other.from_manifest and other.intent.fingerprint == attempt.intent.fingerprint)


def settle_by_user(attempt: Attempt, charged: bool) -> Settled:
    """The event of the user's decision: charged or not charged; the take may be made again after either."""
    _require(attempt, attempt.state.accepts_verdict)
    return Settled("charged" if charged else "not-charged")


def undo_settlement(attempt: Attempt, history: History) -> Settled:
    """The event that reverts a settlement; raises `SettlementError` without one, or if the take was ordered again."""
    if attempt.state_before_settlement is None:
        raise SettlementError(f"{_label(attempt)} was not settled: there is nothing to undo")
    later = [other for other in history.attempts_of(attempt.intent.fingerprint) if other.id != attempt.id]
    # Undone, two attempts of the take would be open, which the ledger forbids: both may run, and both be paid.
    if any(other.state.is_open for other in later):
        raise SettlementError(
            f"{_label(attempt)} was ordered again since: settle the first attempt with --charged or --not-charged",
        )
    if attempt.state not in (AttemptState.ABANDONED, AttemptState.RUNNING):
        raise SettlementError(
            f"{_label(attempt)} is {attempt.state} by now: a settlement cannot be undone after the task has ended",
        )
    return Settled("undone")


def _require(attempt: Attempt, may_be_settled: bool) -> None:
    if not may_be_settled:
        message = f"{_label(attempt)} is {attempt.state}: only an unsettled attempt can be settled"
        raise SettlementError(message)


def _label(attempt: Attempt) -> str:
    return f"{attempt.intent.shot} take {attempt.intent.take}"


def attempt_for_unknown_task(
    plan: Plan, step: Step, task_id: str, body: dict[str, JsonValue], facts: TaskFacts, now: datetime
) -> Attempt:
    """An attempt for a task that is in no ledger, which the user assigns to this take.

    Raises `SettlementError` when the record's model is another.
    """
    model = step.shot.request.model
    if facts.model is not None and facts.model != model:
        raise SettlementError(f"{task_id} was made with {facts.model}, {step.shot.id} asks for {model}")
    created_at = now
    if facts.created_ms is not None:
        created_at = datetime.fromtimestamp(facts.created_ms / 1000, tz=now.tzinfo)
    intent = intent_of(plan, step, body)
    return Attempt(
        f"settled-{task_id}",
        intent,
        AttemptState.RUNNING,
        created_at,
        sent_at=created_at,
        task_id=task_id,
        status="waiting",
        accepted_at=created_at,
    )
