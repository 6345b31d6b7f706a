"""When each task of a run is looked at next: what it has learned, and what a look costs it at this moment."""

import math

from runner.attempts.history import Attempt, AttemptState, duration_class
from runner.engine import schedule
from runner.engine.duration_model import LEARNED, DurationEstimate, next_poll_delay
from runner.engine.run_context import RunContext
from runner.engine.run_state import PollState
from runner.engine.throttle import allowed

_LOOKS, _SHARE = 10, 1.15
"""Looks that a task gets when nothing is short, and the share of the limit of requests that is planned with."""
_SHORT = 40.0
"""However short requests are, no more is lost than this makes of the bound: a look a task is needed anyway."""
_FEW, _SMALL = 10, 0.45
"""Below so many slots a task gets more looks: they are few for the provider. Down to this part of the bound."""
_LATE = 3.0
"""Of the last tasks only one holds up the end: they are looked at so much more seldom, and less so as they get few."""
_TOLD = 2.0
"""Who is told of ends by webhook need not ask: so much more may be lost before a look."""
_YOUNG = 10
"""While fewer have ended, each look says something about all that run."""


def schedule_first_poll(run: RunContext, attempt: str) -> None:
    """A task was created just now: when to look at it first."""
    now = run.now()
    run.state.polls[attempt] = PollState(created_at=now, since=now, next_at=now)
    _schedule(run, [run.history.attempts[attempt]])


def reschedule(run: RunContext, attempt: Attempt) -> None:
    """A look just now found a task running: when to look next."""
    look, now = run.state.polls[attempt.id], run.now()
    look.age_when_seen = now - look.created_at
    look.next_at = now
    if not look.hinted:
        _schedule(run, [attempt])
    if _seen(run) < _YOUNG:
        reschedule_all(run)


def reschedule_all(run: RunContext) -> None:
    """Something was learned of how long tasks take: the looks at all that run are planned anew."""
    looks = run.state.polls
    running = [each for each in run.history.open() if each.state is AttemptState.RUNNING and each.id in looks]
    _schedule(run, [each for each in running if not looks[each.id].hinted and not looks[each.id].failed_polls])


def _schedule(run: RunContext, attempts: list[Attempt]) -> None:
    """The next looks at these; what is the same for all of a class is worked out once."""
    scouts = _probes(run)
    unheard = _unreported_share(run)
    known: dict[str, tuple[DurationEstimate, float]] = {}
    for attempt in attempts:
        name = duration_class(attempt.intent.request)
        if name not in known:
            found = run.belief(attempt)
            known[name] = (found, poll_cost_factor(run, found))
        look, (of_class, pause) = run.state.polls[attempt.id], known[name]
        delay = next_poll_delay(of_class, look.age_when_seen, pause, unheard=unheard, scout=attempt.id in scouts)
        look.next_at = look.created_at + look.age_when_seen + delay


def _seen(run: RunContext) -> int:
    return sum(map(len, run.history.durations.values()))


def _probes(run: RunContext) -> list[str]:
    """The two tasks that began first, while nothing is learned."""
    if _seen(run) >= LEARNED:
        return []
    return [attempt.id for attempt in run.history.open() if attempt.state is AttemptState.RUNNING][:2]


def _unreported_share(run: RunContext) -> float:
    """The share of ends that no webhook tells, as far as known: half, before any has ended."""
    if not run.state.webhooks_active:
        return 1.0
    ended = run.state.ended_polls
    return (ended - min(len(run.state.webhook_hinted), ended) + 1) / (ended + 2)


def poll_cost_factor(run: RunContext, known: DurationEstimate) -> float:
    """How much more than usual may be lost before a look: what a slot is worth and a request costs at this moment."""
    tasks = max(schedule.in_progress(run.queue, run.history, run.state), 1)
    slots = max(min(allowed(run.state.throttle, run.now()), run.limits.concurrency), 1)
    size = min(max(slots / _FEW, _SMALL), 1.0)
    if not run.money().to_go:
        size *= _LATE * min(tasks / slots, 1.0)
    elif tasks + 1 < slots:  # takes wait for these to end, and slots for the takes
        size *= tasks / slots
    size *= 1 + _TOLD * (1 - _unreported_share(run))
    wanted = tasks * _LOOKS / math.sqrt(size) / max(known.median, 1.0)
    free = max(_SHARE * run.limits.requests_per_second - tasks / max(known.median, 1.0), 0.05)
    return size * min(max(wanted / free, 1.0) ** 2, _SHORT)
