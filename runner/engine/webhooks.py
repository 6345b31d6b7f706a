"""Webhooks of a run: a callback brings the next poll forward, or names the task of an unsettled attempt."""

from collections.abc import Awaitable, Callable

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import PollResult, Settled
from runner.attempts.task_facts import Callback, TaskFacts
from runner.engine import messages
from runner.engine.poll_timing import schedule_first_poll
from runner.engine.run_context import RunContext
from runner.lazy_dataclass import dataclass, field
from runner.planning import settlement

FetchRecord = Callable[[str], Awaitable[tuple[PollResult, TaskFacts | None]]]
"""Fetches one recordInfo: the poll's result, and the record's facts if the record could be read."""
# Requests for the record of a task that a webhook named, before the claim is dropped: it may be made up.
_MAX_CONFIRM_TRIES = 5


@dataclass(slots=True)
class WebhookInbox:
    """Joins the webhook server with a run: the server calls `on_callback`, the run attaches itself."""

    fetch_record: FetchRecord
    _run: RunContext | None = None
    _attempts: dict[str, str] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)

    def attach(self, run: RunContext) -> None:
        """Deliver callbacks to this run from now on."""
        self._run = run

    def is_known_token(self, webhook_token: str) -> bool:
        """Whether a webhook path's token belongs to an open attempt."""
        return self._attempt_of(webhook_token) is not None

    def on_callback(self, webhook_token: str, callback: Callback) -> None:
        """Handle an unsigned callback on an attempt's own path: a hint, believed only after a poll."""
        run, attempt_id = self._run, self._attempt_of(webhook_token)
        if run is None or attempt_id is None:
            return
        attempt = run.history.attempts[attempt_id]
        poll_state = run.state.polls.of(attempt_id)
        # The callback is not signed: it moves a poll, and never a state.
        if attempt.state is AttemptState.RUNNING and attempt.task_id == callback.task_id and poll_state is not None:
            poll_state.hurry(run.now())
            run.state.webhooks.report_end(attempt_id)
        elif attempt.state is AttemptState.RUNNING and attempt.task_id != callback.task_id:
            self._warn_second_task(run, attempt, callback.task_id)
        elif attempt.state.lacks_task:
            run.state.webhooks.claim(attempt_id, callback.task_id, run.now())
        run.wake(attempt.intent.fingerprint)

    def _warn_second_task(self, run: RunContext, attempt: Attempt, task_id: str) -> None:
        """Warn once that a callback names another task than createTask's answer: one order may have made two."""
        if attempt.id not in self._warned:
            self._warned.add(attempt.id)
            in_plan = attempt.intent.fingerprint in run.queue.by_fingerprint
            target = run.target_of(attempt) if in_plan else None
            run.emit("warning", target, attempt.id, messages.another_task(attempt, task_id))

    def _attempt_of(self, webhook_token: str) -> str | None:
        """The id of the open attempt with a webhook token."""
        if self._run is not None and webhook_token not in self._attempts:
            # Read from the history again for each unknown token: attempts are added while the run goes on.
            self._attempts = {
                attempt.intent.webhook_token: attempt.id
                for attempt in self._run.history.open()
                if attempt.intent.webhook_token and not attempt.from_manifest
            }
        return self._attempts.get(webhook_token)


async def confirm_claim(run: RunContext, attempt_id: str, task_id: str, fetch_record: FetchRecord) -> None:
    """Carry out a `Confirm` order: bind the task that a webhook named, if the provider's record matches."""
    answer, facts = await fetch_record(task_id)
    attempt = run.history.attempts[attempt_id]
    claim = run.state.webhooks.claim_of(attempt_id, task_id, run.now())
    claim.try_again(run.now())
    mismatch = settlement.mismatch(attempt, task_id, answer, facts, _bound_tasks(run, attempt_id))
    # Settled by another claim while the record was asked for.
    if attempt.state is not AttemptState.UNSETTLED:
        run.state.webhooks.drop_claims(attempt_id)
    elif mismatch is None:
        run.state.webhooks.drop_claims(attempt_id)
        await _bind(run, attempt_id, task_id)
    # The record could be read and is another's, or nobody knows the task: the claim is false or made up.
    elif facts is not None or claim.tries >= _MAX_CONFIRM_TRIES:
        claim.reject()
        run.emit("warning", run.target_of(attempt), attempt_id, messages.not_adopted(mismatch))
    run.state.polls.end(attempt_id)
    run.wake(attempt.intent.fingerprint)


def _bound_tasks(run: RunContext, attempt_id: str) -> set[str | None]:
    """Tasks that cannot be an attempt's: those of other attempts, and those that webhooks named for other attempts."""
    return run.state.webhooks.tasks_of_others(attempt_id) | {other.task_id for other in run.history.attempts.values()}


async def _bind(run: RunContext, attempt_id: str, task_id: str) -> None:
    if await run.append(attempt_id, Settled("adopted", task_id, "by its webhook")) is None:
        run.state.unsettled.release(attempt_id)
        schedule_first_poll(run, attempt_id)
        run.emit("created", run.target_of(run.history.attempts[attempt_id]), attempt_id, messages.ADOPTED)
