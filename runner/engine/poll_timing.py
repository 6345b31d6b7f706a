"""When each task of a run is looked at next: what it has learned, and what a look costs it at this moment."""

import math

from runner.attempts.history import Attempt, AttemptState, duration_class
from runner.engine import schedule
from runner.engine.duration_model import MIN_SAMPLE, DurationEstimate, next_poll_delay
from runner.engine.run_context import RunContext
from runner.engine.run_state import PollState
from runner.engine.throttle import current_concurrency

_POLLS_PER_TASK, _REQUEST_SHARE = 10, 1.15
"""Looks that a task gets when nothing is short, and the share of the limit of requests that is planned with."""
_MAX_SCARCITY_FACTOR = 40.0
"""However short requests are, no more is lost than this makes of the bound: a look a task is needed anyway."""
_FEW_SLOTS, _MIN_SLOTS_FACTOR = 10, 0.45
"""Below so many slots a task gets more looks: they are few for the provider. Down to this part of the bound."""
_TAIL_FACTOR = 3.0
"""Of the last tasks only one holds up the end: they are looked at so much more seldom, and less so as they get few."""
_WEBHOOK_FACTOR = 2.0
"""Who is told of ends by webhook need not ask: so much more may be lost before a look."""
_RELEARN_UNTIL = 10
"""While fewer have ended, each look says something about all that run."""


def schedule_first_poll(run: RunContext, attempt_id: str) -> None:
    """A task was created just now: when to look at it first."""
    now = run.now()
    run.state.polls[attempt_id] = PollState(created_at=now, waiting_since=now, next_at=now)
    _schedule(run, [run.history.attempts[attempt_id]])


def reschedule(run: RunContext, attempt: Attempt) -> None:
    """A look just now found a task running: when to look next."""
    poll_state, now = run.state.polls[attempt.id], run.now()
    poll_state.age_when_seen = now - poll_state.created_at
    poll_state.next_at = now
    if not poll_state.hinted:
        _schedule(run, [attempt])
    if _sample_size(run) < _RELEARN_UNTIL:
        reschedule_all(run)


def reschedule_all(run: RunContext) -> None:
    """Something was learned of how long tasks take: the looks at all that run are planned anew."""
    polls = run.state.polls
    running = [
        attempt for attempt in run.history.open() if attempt.state is AttemptState.RUNNING and attempt.id in polls
    ]
    _schedule(
        run, [attempt for attempt in running if not polls[attempt.id].hinted and not polls[attempt.id].failed_polls]
    )


def _schedule(run: RunContext, attempts: list[Attempt]) -> None:
    """The next looks at these; what is the same for all of a class is worked out once."""
    probes = _probes(run)
    unreported_share = _unreported_share(run)
    by_class: dict[str, tuple[DurationEstimate, float]] = {}
    for attempt in attempts:
        work_class = duration_class(attempt.intent.request)
        if work_class not in by_class:
            estimate = run.duration_estimate(attempt)
            by_class[work_class] = (estimate, poll_cost_factor(run, estimate))
        poll_state, (duration, cost_factor) = run.state.polls[attempt.id], by_class[work_class]
        delay = next_poll_delay(
            duration,
            poll_state.age_when_seen,
            cost_factor,
            unreported_share=unreported_share,
            is_probe=attempt.id in probes,
        )
        poll_state.next_at = poll_state.created_at + poll_state.age_when_seen + delay


def _sample_size(run: RunContext) -> int:
    return sum(map(len, run.history.durations.values()))


def _probes(run: RunContext) -> list[str]:
    """The two tasks that began first, while nothing is learned."""
    if _sample_size(run) >= MIN_SAMPLE:
        return []
    return [attempt.id for attempt in run.history.open() if attempt.state is AttemptState.RUNNING][:2]


def _unreported_share(run: RunContext) -> float:
    """The share of ends that no webhook tells, as far as known: half, before any has ended."""
    if not run.state.webhooks_active:
        return 1.0
    ended = run.state.succeeded_tasks
    return (ended - min(len(run.state.webhook_hinted), ended) + 1) / (ended + 2)


def poll_cost_factor(run: RunContext, duration: DurationEstimate) -> float:
    """How much more than usual may be lost before a look: what a slot is worth and a request costs at this moment."""
    tasks = max(schedule.in_progress(run.queue, run.history, run.state), 1)
    slots = max(min(current_concurrency(run.state.throttle, run.now()), run.limits.concurrency), 1)
    factor = min(max(slots / _FEW_SLOTS, _MIN_SLOTS_FACTOR), 1.0)
    if not run.credit_totals().to_go:
        factor *= _TAIL_FACTOR * min(tasks / slots, 1.0)
    elif tasks + 1 < slots:  # takes wait for these to end, and slots for the takes
        factor *= tasks / slots
    factor *= 1 + _WEBHOOK_FACTOR * (1 - _unreported_share(run))
    needed_rate = tasks * _POLLS_PER_TASK / math.sqrt(factor) / max(duration.median, 1.0)
    free_rate = max(_REQUEST_SHARE * run.limits.requests_per_second - tasks / max(duration.median, 1.0), 0.05)
    return factor * min(max(needed_rate / free_rate, 1.0) ** 2, _MAX_SCARCITY_FACTOR)
