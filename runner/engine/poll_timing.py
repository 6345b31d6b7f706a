"""When each task of a run is looked at next: what it has learned, and what a look costs it at this moment."""

import math

from runner.attempts.history import Attempt, State, work
from runner.engine import schedule
from runner.engine.duration_model import LEARNED, Belief, next_look
from runner.engine.run_context import Run
from runner.engine.run_state import Look
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


def expect(run: Run, attempt: str) -> None:
    """A task was created just now: when to look at it first."""
    now = run.now()
    run.running.looks[attempt] = Look(born=now, since=now, next_at=now)
    _plan(run, [run.history.attempts[attempt]])


def found_running(run: Run, attempt: Attempt) -> None:
    """A look just now found a task running: when to look next."""
    look, now = run.running.looks[attempt.id], run.now()
    look.alive = now - look.born
    look.next_at = now
    if not look.hinted:
        _plan(run, [attempt])
    if _seen(run) < _YOUNG:
        learned(run)


def learned(run: Run) -> None:
    """Something was learned of how long tasks take: the looks at all that run are planned anew."""
    looks = run.running.looks
    running = [each for each in run.history.open() if each.state is State.RUNNING and each.id in looks]
    _plan(run, [each for each in running if not looks[each.id].hinted and not looks[each.id].silent])


def _plan(run: Run, attempts: list[Attempt]) -> None:
    """The next looks at these; what is the same for all of a class is worked out once."""
    scouts = _scouts(run)
    unheard = _unheard(run)
    known: dict[str, tuple[Belief, float]] = {}
    for attempt in attempts:
        name = work(attempt.intended.request)
        if name not in known:
            found = run.belief(attempt)
            known[name] = (found, patience(run, found))
        look, (of_class, pause) = run.running.looks[attempt.id], known[name]
        delay = next_look(of_class, look.alive, pause, unheard=unheard, scout=attempt.id in scouts)
        look.next_at = look.born + look.alive + delay


def _seen(run: Run) -> int:
    return sum(map(len, run.history.durations.values()))


def _scouts(run: Run) -> list[str]:
    """The two tasks that began first, while nothing is learned."""
    if _seen(run) >= LEARNED:
        return []
    return [attempt.id for attempt in run.history.open() if attempt.state is State.RUNNING][:2]


def _unheard(run: Run) -> float:
    """The share of ends that no webhook tells, as far as known: half, before any has ended."""
    if not run.running.listening:
        return 1.0
    ended = run.running.ended_looks
    return (ended - min(len(run.running.hinted), ended) + 1) / (ended + 2)


def patience(run: Run, known: Belief) -> float:
    """How much more than usual may be lost before a look: what a slot is worth and a request costs at this moment."""
    tasks = max(schedule.in_progress(run.agenda, run.history, run.running), 1)
    slots = max(min(allowed(run.running.pace, run.now()), run.limits.concurrency), 1)
    size = min(max(slots / _FEW, _SMALL), 1.0)
    if not run.money().to_go:
        size *= _LATE * min(tasks / slots, 1.0)
    elif tasks + 1 < slots:  # takes wait for these to end, and slots for the takes
        size *= tasks / slots
    size *= 1 + _TOLD * (1 - _unheard(run))
    wanted = tasks * _LOOKS / math.sqrt(size) / max(known.median, 1.0)
    free = max(_SHARE * run.limits.requests_per_second - tasks / max(known.median, 1.0), 0.05)
    return size * min(max(wanted / free, 1.0) ** 2, _SHORT)
