"""Ending doubt: what is unsettled, whether a task is the one that an attempt created, and the user's word. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from runner.attempts.events import Event, Intent, PollResult, Running, Settled, Succeeded
from runner.attempts.history import Attempt, AttemptState, History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Plan, Step
from runner.requests.request import canonical_json

_WINDOW = timedelta(minutes=10)
"""How long after the sending mark a task of the attempt can have been created."""
_SKEW = timedelta(seconds=60)
"""How far the provider's clock may be before ours."""
SETTLEABLE = (AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED)


def unsettled_attempts(history: History) -> list[Attempt]:
    """Attempts of which nobody knows whether they were charged, in the order of their intents."""
    doubts = [attempt for attempt in history.attempts.values() if attempt.state in SETTLEABLE]
    return [
        attempt
        for attempt in doubts
        if attempt.repository is None or history.current_attempt(attempt.intent.fingerprint) is attempt
    ]


def mismatch(
    attempt: Attempt, task_id: str, seen: PollResult, facts: TaskFacts | None, bound: Collection[str | None]
) -> str | None:
    """Why a task is not the one that an attempt created, by what the provider says of it; None when it may be.

    `bound` are the task ids that attempts have already. The prompt is not in a record, so that this can only deny.
    """
    if task_id in bound:
        return f"{task_id} belongs to another attempt already"
    if isinstance(seen, Running) and (seen.not_found or facts is None):
        return (
            f"the provider has no record of {task_id}"
            if seen.not_found
            else f"{task_id} cannot be read: {seen.message}"
        )
    if facts is None:
        return f"{task_id} cannot be read"
    model = attempt.intent.request.get("model")
    if facts.model is not None and facts.model != model:
        return f"{task_id} was made with {facts.model}, the attempt asked for {model}"
    return _time_mismatch(attempt, task_id, facts) or _price_mismatch(attempt, task_id, seen)


def _time_mismatch(attempt: Attempt, task_id: str, facts: TaskFacts) -> str | None:
    if facts.created_ms is None:
        return f"{task_id} does not say when it was created"
    sent = attempt.sent_at or attempt.intended_at
    created = datetime.fromtimestamp(facts.created_ms / 1000, tz=sent.tzinfo)
    if sent - _SKEW <= created <= sent + _WINDOW:
        return None
    return f"{task_id} was created at {created:%Y-%m-%d %H:%M:%S} UTC, the request left at {sent:%Y-%m-%d %H:%M:%S}"


def _price_mismatch(attempt: Attempt, task_id: str, seen: PollResult) -> str | None:
    if isinstance(seen, Succeeded) and seen.credits_used not in (None, attempt.intent.quoted):
        return f"{task_id} was billed {seen.credits_used} credits, the attempt was quoted {attempt.intent.quoted}"
    return None


def best_match(attempts: Collection[Attempt], facts: TaskFacts | None) -> Attempt | None:
    """Of several attempts of one take the last that left before the task was created; None for those of several."""
    if facts is None or facts.created_ms is None or len({each.intent.fingerprint for each in attempts}) != 1:
        return None
    created = facts.created_ms / 1000 + _SKEW.total_seconds()
    before = [each for each in attempts if (each.sent_at or each.intended_at).timestamp() <= created]
    exact = [each for each in before if (each.sent_at or each.intended_at).timestamp() <= facts.created_ms / 1000]
    return max(exact or before, key=lambda each: each.sent_at or each.intended_at, default=None)


def adopt_task(
    attempt: Attempt, task_id: str, seen: PollResult, facts: TaskFacts | None, history: History, now: datetime
) -> Event:
    """The event that binds a task to an attempt in doubt; Stop (usage) with the reason when it cannot be its task."""
    _must_be(attempt, SETTLEABLE)
    bound = {other.task_id for other in history.attempts.values() if not _may_be_the_same(other, attempt)}
    if (why := mismatch(attempt, task_id, seen, facts, bound)) is not None:
        raise CommandError(ExitCode.USAGE, f"{why}: nothing was changed")
    return Event(now, attempt.id, Settled("adopted", task_id))


def _may_be_the_same(other: Attempt, attempt: Attempt) -> bool:
    """Whether a manifest from elsewhere may tell of this very attempt, whose task another machine found."""
    return other.id == attempt.id or (other.from_manifest and other.intent.fingerprint == attempt.intent.fingerprint)


def settle_by_user(attempt: Attempt, charged: bool, now: datetime) -> Event:
    """The user's word that an attempt was charged, or was not; the take may be made again after either."""
    _must_be(attempt, (*SETTLEABLE, AttemptState.ABANDONED))
    return Event(now, attempt.id, Settled("charged" if charged else "not-charged"))


def undo_settlement(attempt: Attempt, history: History, now: datetime) -> Event:
    """The last word taken back; Stop (usage) when there is none, or the take was ordered again since."""
    if attempt.state_before_settlement is None:
        raise CommandError(ExitCode.USAGE, f"{_name(attempt)} was not settled: there is nothing to take back")
    later = [other for other in history.attempts_of(attempt.intent.fingerprint) if other.id != attempt.id]
    if any(
        other.state in (AttemptState.INTENDED, AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.UNSETTLED)
        for other in later
    ):
        raise CommandError(
            ExitCode.USAGE,
            f"{_name(attempt)} was ordered again since: say --charged or --not-charged for what the first one cost",
        )
    if attempt.state not in (AttemptState.ABANDONED, AttemptState.RUNNING):
        raise CommandError(ExitCode.USAGE, f"{_name(attempt)} is {attempt.state} by now: its task has ended")
    return Event(now, attempt.id, Settled("undone"))


def _must_be(attempt: Attempt, states: Collection[AttemptState]) -> None:
    if attempt.state not in states:
        raise CommandError(ExitCode.USAGE, f"{_name(attempt)} is {attempt.state}: there is no doubt to end")


def _name(attempt: Attempt) -> str:
    return f"{attempt.intent.shot} take {attempt.intent.take}"


def attempt_for_unknown_task(
    plan: Plan, step: Step, task_id: str, body: dict[str, object], facts: TaskFacts, now: datetime
) -> Attempt:
    """An attempt for a task that no ledger knows, on the user's word that it was made for this take.

    Stop (usage) when the record's model is another.
    """
    model = step.shot.request.model
    if facts.model is not None and facts.model != model:
        raise CommandError(ExitCode.USAGE, f"{task_id} was made with {facts.model}, {step.shot.id} asks for {model}")
    created = now
    if facts.created_ms is not None:
        created = datetime.fromtimestamp(facts.created_ms / 1000, tz=now.tzinfo)
    intended = Intent(
        storyboard=step.shot.storyboard,
        shot=step.shot.id,
        take=step.take,
        fingerprint=step.fingerprint or "",
        request=step.neutral_request(),
        body=canonical_json(body),
        quoted=step.price.credits or Decimal(0),
        edition=plan.edition.name,
        key_id="",
        webhook_token="",
        run="",
        profile=plan.profile,
        scene=step.shot.scene,
        tags=step.shot.tags,
    )
    return Attempt(
        f"settled-{task_id}",
        intended,
        AttemptState.RUNNING,
        created,
        sent_at=created,
        task_id=task_id,
        status="waiting",
        accepted_at=created,
    )
