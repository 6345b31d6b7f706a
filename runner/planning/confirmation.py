"""Tasks that a manifest names without their request: each counts once the provider's record agrees. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState, price_deviation
from runner.attempts.events import PollResult, Running, Succeeded
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step

# A clip of 5 seconds has 4.96 or 5.04: it ends with a whole frame.
_SECONDS_TOLERANCE = Decimal("0.5")


def to_confirm(plan: Plan, history: History) -> Iterator[tuple[Step, Attempt]]:
    """The takes of a plan that wait for the confirmation of a task, each task once."""
    seen: set[str] = set()
    for step in plan.steps:
        attempt = history.attempts.get(step.attempt or "")
        if attempt is not None and attempt.needs_confirmation and attempt.id not in seen:
            seen.add(attempt.id)
            yield step, attempt


def objection(
    step: Step, attempt: Attempt, answer: PollResult, facts: TaskFacts | None, history: History
) -> str | None:
    """The reason why the task is not known to be this take's; None when model, seconds and credits agree.

    A record holds neither prompt nor seconds: the seconds are in the bill, which must be this request's price.
    """
    task, request = attempt.task_id, step.shot.request
    # A manifest may be edited: two takes of one task would count as paid, and one would never be made.
    if any(other.task_id == task and other.id != attempt.id for other in history.attempts.values()):
        return f"{task} is another take's"
    if isinstance(answer, Running) and answer.not_found:
        return f"the provider has no record of {task}"
    if not isinstance(answer, Succeeded) or facts is None:
        return f"{task} has not succeeded"
    if facts.model != request.model:
        return f"{task} was made with {facts.model or 'an unknown model'}, not with {request.model}"
    price = step.price.credits
    if price is None or answer.credits_used is None or price_deviation(answer.credits_used, price) is not None:
        return f"{task} took {answer.credits_used} credits, and this take's price is {price}"
    if attempt.clip is not None and abs(Decimal(str(attempt.clip.seconds)) - request.seconds) > _SECONDS_TOLERANCE:
        return f"the clip of {task} lasts {attempt.clip.seconds} s, not {request.seconds} s"
    return None


def confirmed(step: Step, attempt: Attempt, answer: Succeeded) -> Attempt:
    """The attempt with the request that the provider's record agrees with."""
    intent = replace(
        attempt.intent,
        shot=step.shot.id,
        take=step.take,
        request=step.neutral_request(),
        quoted=step.price.credits or attempt.intent.quoted,
    )
    # Where the manifest has its clip the state stands, and nothing is downloaded again.
    state = AttemptState.SUCCEEDED if attempt.clip is None else attempt.state
    return replace(attempt, intent=intent, state=state, outputs=answer.outputs, credits_used=answer.credits_used)
