"""Eligibility of a request's next steps by its attempts and state; time, slots and rate aside. Pure."""

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.engine.in_flight import MaterialNeed
from runner.engine.limits import RunLimits
from runner.engine.queue import SharedRequest, Target, WorkQueue
from runner.engine.run_state import RunState
from runner.planning.plan import Step
from runner.requests.request import TakeReference

SERVER_ERROR_REPEATS = 3
"""Documented server errors after which a request is not sent again by itself: each may have been charged."""
# A moment of the monotonic clock that is always past.
_AT_ONCE = 0.0


def creatable_step(
    group: SharedRequest, queue: WorkQueue, history: History, state: RunState, limits: RunLimits
) -> Step | None:
    """The step to create a group's task for; None while the task may not be created."""
    step = group.paying_step
    if step is None or step.key not in state.creates.approved or group.fingerprint in state.creates:
        return None
    fingerprint = group.fingerprint
    if state.downloads.is_finished(fingerprint) or state.creates.claim_on(fingerprint) is not None:
        return None
    if state.creates.refusal_of(step.shot.request.model) is not None:
        return None
    if not can_retry(history.counting_attempts_of(group.fingerprint), limits, state.rechecks.may_repeat(fingerprint)):
        return None
    # A take that is made from another's clip needs its bytes: a task that only succeeded may still be lost.
    if not all(has_clip(up.fingerprint, queue, history, state) for up in step.upstream):
        return None
    # The cheap question first: this runs for every take that changes, and refusals are rare.
    if state.addresses.has_refusals and state.addresses.refuses_any(required_materials(step, history)):
        return None
    return step


def has_clip(fingerprint: str, queue: WorkQueue, history: History, state: RunState) -> bool:
    """Whether the clip of a request is at hand, so that other takes can be made from it."""
    attempt = history.current_attempt(fingerprint)
    if attempt is None or attempt.state is not AttemptState.STORED:
        return False
    group = queue.by_fingerprint.get(fingerprint)
    if group is None or not group.steps:
        return True
    return any(state.downloads.is_stored((attempt.id, step.key)) for step in group.steps)


def can_retry(attempts: list[Attempt], limits: RunLimits, is_published_again: bool = False) -> bool:
    """Whether this run may make one more attempt of a take, by all attempts so far.

    No after an open attempt, a clip, a refusal or an unsettled attempt. Yes after an attempt that was proved not
    created, or that failed at the provider's fault, within the retries; and once after a refusal for a material that
    could not be fetched and `is_published_again`. Outcomes of earlier runs are in the plan's action already.
    """
    if any(attempt.state.is_open or attempt.state.has_clip for attempt in attempts):
        return False
    own = [attempt for attempt in attempts if attempt.intent.run == limits.run and not attempt.from_manifest]
    if not own:
        return True
    match own[-1].state:
        case AttemptState.NOT_CREATED:
            return True
        case AttemptState.FAILED:
            return _may_repeat(own, limits)
        case AttemptState.MAYBE_CHARGED:
            # How often is not decided here: `repeats_left` made it unsettled once the last repeat was used.
            return limits.server_error == "retry"
        case AttemptState.REFUSED:
            # Once only: a second refusal with a fresh address is about the content, not about the address.
            return is_published_again and sum(attempt.state is AttemptState.REFUSED for attempt in own) == 1
        case _:
            return False


def _may_repeat(own: list[Attempt], limits: RunLimits) -> bool:
    failure = own[-1].failure
    allowed_repeats = {"provider": limits.retries_provider, "review": limits.retries_review}.get(failure or "other", 0)
    return (
        sum(attempt.state is AttemptState.FAILED and attempt.failure == failure for attempt in own) <= allowed_repeats
    )


def repeats_left(attempts: list[Attempt], limits: RunLimits) -> bool:
    """Whether a documented 500 may be repeated: at most three times, over all runs, until the user settles it."""
    server_errors = sum(attempt.state is AttemptState.MAYBE_CHARGED for attempt in attempts)
    return limits.server_error == "retry" and server_errors < SERVER_ERROR_REPEATS


def poll_due_at(
    attempt: Attempt, group: SharedRequest, queue: WorkQueue, history: History, state: RunState, limits: RunLimits
) -> float | None:
    """The moment to poll an attempt; None when a poll cannot help, or the run has waited long enough."""
    if (
        attempt.task_id is None
        or attempt.id in state.polls
        or attempt.held_elsewhere
        # Another account's key gets 404 for it, which would look like a lost task.
        or attempt.needs_other_key(state.key_id)
        or not _may_be_polled(attempt, group, queue, history, state)
    ):
        return None
    if attempt.from_manifest and _is_blocked_by_local_attempt(attempt, history, state):
        return None
    poll_state = state.polls.of(attempt.id)
    if attempt.state is not AttemptState.RUNNING and not _needs_link(attempt, group, state):
        return None
    if poll_state is None:
        return _AT_ONCE
    if attempt.state is AttemptState.RUNNING and poll_state.is_over(limits.wait):
        return None
    return poll_state.next_at


def _may_be_polled(attempt: Attempt, group: SharedRequest, queue: WorkQueue, history: History, state: RunState) -> bool:
    if attempt.state.awaits_clip:
        return history.is_of_film(attempt)
    if attempt.state is not AttemptState.STORED or group.fingerprint not in queue.multi_clip:
        return False
    # stored once, and missing now: a new link is needed once a download has failed
    is_current = history.current_attempt(group.fingerprint) is attempt
    return is_current and any(state.downloads.tries_of((attempt.id, step.key)) is not None for step in group.steps)


def _is_blocked_by_local_attempt(attempt: Attempt, history: History, state: RunState) -> bool:
    """Whether a task from a manifest has to wait, because this ledger has an open attempt of the same take."""
    fingerprint = attempt.intent.fingerprint
    return state.creates.claim_on(fingerprint) is not None or history.current_attempt(fingerprint) is not attempt


def _needs_link(attempt: Attempt, group: SharedRequest, state: RunState) -> bool:
    if state.downloads.has_fresh_link(attempt.id) and attempt.outputs:
        return False
    return any(state.downloads.is_open((attempt.id, target.key)) for target in group.targets_of(attempt))


def download_due_at(
    attempt: Attempt, target: Target, group: SharedRequest, queue: WorkQueue, history: History, state: RunState
) -> float | None:
    """The moment to download an attempt's clip for a target; None without a clip to download, or without a link."""
    key = (attempt.id, target.key)
    if not state.downloads.is_open(key) or key in state.downloads or attempt.id in state.polls:
        return None
    if not _has_clip_for(attempt, group, queue, history):
        return None
    tries = state.downloads.tries_of(key)
    # The clip lies on this disk under another name: the first try copies it, and needs no link.
    is_first_copy = attempt.state is AttemptState.STORED and tries is None
    if not is_first_copy and not (attempt.outputs and state.downloads.has_fresh_link(attempt.id)):
        return None
    return tries.next_at if tries is not None else _AT_ONCE


def _has_clip_for(attempt: Attempt, group: SharedRequest, queue: WorkQueue, history: History) -> bool:
    """Whether the attempt's task has a clip that its targets may lack."""
    if attempt.state is AttemptState.SUCCEEDED:
        return history.is_of_film(attempt) and not attempt.held_elsewhere
    if group.orphan_of(attempt) is not None:
        return False
    if attempt.state is not AttemptState.STORED or group.fingerprint not in queue.multi_clip:
        return False
    attempts = [other for other in history.attempts_of(group.fingerprint) if group.orphan_of(other) is None]
    if any(other.state is AttemptState.SUCCEEDED and history.is_of_film(other) for other in attempts):
        return False
    return history.current_attempt(group.fingerprint) is attempt


def awaits_news(attempt: Attempt, queue: WorkQueue, state: RunState) -> bool:
    """Whether a poll or a download of an attempt is on its way, or may still be ordered by this run."""
    if attempt.id in state.polls or state.downloads.is_fetching(attempt.id):
        return True
    group = queue.by_fingerprint.get(attempt.intent.fingerprint)
    if group is None or not (attempt.state.awaits_clip or attempt.state is AttemptState.STORED):
        return False
    return any(state.downloads.is_open((attempt.id, target.key)) for target in group.targets_of(attempt))


def required_materials(step: Step, history: History) -> list[MaterialNeed]:
    """The materials that need a public, checked address before the step's task can be created."""
    needs: list[MaterialNeed] = []
    for material in step.shot.request.materials:
        if isinstance(material, TakeReference):
            source = history.current_attempt(step.resolve(material).fingerprint)
            needs.append(MaterialNeed(material, source.id if source is not None else None))
        else:
            needs.append(MaterialNeed(material, None))
    return list(dict.fromkeys(needs))
