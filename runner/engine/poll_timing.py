"""Schedules the next poll of each task, by the learned durations and the price of a poll at the moment."""

import math

from runner.attempts.attempt import Attempt
from runner.attempts.history import duration_class
from runner.engine.duration_model import MIN_SAMPLE, DurationEstimate, next_poll_delay
from runner.engine.run_context import RunContext
from runner.engine.throttle import current_concurrency

# Polls of a task when requests are not scarce; the share of the rate limit that the schedule plans with.
_POLLS_PER_TASK, _REQUEST_SHARE = 10, 1.15
# Upper bound of the factor by which request scarcity may stretch polling: a task needs one poll anyway.
_MAX_SCARCITY_FACTOR = 40.0
# Below this many slots tasks get more polls, as the total is small for the provider; lower bound of that factor.
_FEW_SLOTS, _MIN_SLOTS_FACTOR = 10, 0.45
# When nothing is left to create, only the slowest task delays the run: poll 3× less often, less so as fewer run.
_TAIL_FACTOR = 3.0
# When webhooks report all ends, the bound grows by this factor on top of 1: polls are only a safety net.
_WEBHOOK_FACTOR = 2.0
# While fewer tasks than this have ended, every poll changes the estimate for all running tasks.
_RELEARN_UNTIL = 10


def schedule_first_poll(run: RunContext, attempt_id: str) -> None:
    """Schedule the first poll of a task created just now."""
    run.state.polls.restart(attempt_id, run.now())
    _schedule(run, [run.history.attempts[attempt_id]])


def reschedule(run: RunContext, attempt: Attempt) -> None:
    """Schedule the next poll of a task that a poll just found running."""
    now = run.now()
    poll_state = run.state.polls.follow(attempt.id, now, now)
    poll_state.found_running(now)
    if run.estimate_renewal.is_due(run.work.in_progress()):
        run.estimates.renew()
    # A webhook has brought the next poll forward meanwhile; the model must not postpone it.
    if not poll_state.hinted:
        _schedule(run, [attempt])
    if _sample_size(run) < _RELEARN_UNTIL and run.poll_renewal.is_due(run.work.in_progress()):
        reschedule_all(run)


def learn_from_end(run: RunContext) -> None:
    """Learn from a task that ended, and schedule the polls of the others again: at once while few tasks ended."""
    is_due = run.poll_renewal.is_due(run.work.in_progress())
    if is_due or _sample_size(run) < _RELEARN_UNTIL:
        run.estimates.renew()
        reschedule_all(run)


def reschedule_all(run: RunContext) -> None:
    """Schedule the next poll of every running task again, after the estimate of durations changed."""
    running = [(attempt, run.state.polls.of(attempt.id)) for attempt in run.work.running()]
    _schedule(
        run, [attempt for attempt, poll in running if poll is not None and not (poll.hinted or poll.failed_polls)]
    )


def _schedule(run: RunContext, attempts: list[Attempt]) -> None:
    """Schedule the next poll of each attempt; estimates are computed once for each class of work."""
    probes = _probes(run)
    unreported_share = run.state.webhooks.unreported_share()
    cost_factors: dict[str, float] = {}
    delays: dict[tuple[str, float, bool], float] = {}
    for attempt in attempts:
        poll_state, work_class = run.state.polls.of(attempt.id), duration_class(attempt.intent.request)
        if poll_state is None:
            continue
        duration, age, is_probe = run.estimates.of(work_class), poll_state.age_when_seen, attempt.id in probes
        if work_class not in cost_factors:
            cost_factors[work_class] = poll_cost_factor(run, duration)
        if (key := (work_class, age, is_probe)) not in delays:  # tasks that no poll has seen yet share one delay
            delays[key] = next_poll_delay(
                duration, age, cost_factors[work_class], unreported_share=unreported_share, is_probe=is_probe
            )
        poll_state.schedule(delays[key])
        run.work.touch(attempt.intent.fingerprint)


def _sample_size(run: RunContext) -> int:
    return sum(map(len, run.history.durations.values()))


def _probes(run: RunContext) -> list[str]:
    """The two oldest running tasks while nothing is learned: polled early to learn from."""
    if _sample_size(run) >= MIN_SAMPLE:
        return []
    return [attempt.id for attempt in run.work.running()[:2]]


def poll_cost_factor(run: RunContext, duration: DurationEstimate) -> float:
    """The factor on the loss bound: below 1 where slots are precious, above 1 where requests are scarce."""
    tasks = max(run.work.in_progress(), 1)
    slots = max(min(current_concurrency(run.state.throttle, run.now()), run.limits.concurrency), 1)
    # Ten slots and more are the scale of `_LOSS_BOUND`: with few of them, polls are cheap in total.
    factor = min(max(slots / _FEW_SLOTS, _MIN_SLOTS_FACTOR), 1.0)
    if not run.credit_totals().to_go:
        factor *= _TAIL_FACTOR * min(tasks / slots, 1.0)
    elif tasks + 1 < slots:  # idle slots: the remaining takes wait for these tasks to end
        factor *= tasks / slots
    factor *= 1 + _WEBHOOK_FACTOR * (1 - run.state.webhooks.unreported_share())
    # The number of polls of a task falls with the root of the bound: a loss grows with the square of the delay.
    needed_rate = tasks * _POLLS_PER_TASK / math.sqrt(factor) / max(duration.median, 1.0)
    free_rate = max(_REQUEST_SHARE * run.limits.requests_per_second - tasks / max(duration.median, 1.0), 0.05)
    return factor * min(max(needed_rate / free_rate, 1.0) ** 2, _MAX_SCARCITY_FACTOR)
