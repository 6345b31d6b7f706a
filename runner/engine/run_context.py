"""The state of one run: its plan and history, what is in flight, the sums, and how each change reaches the others."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

import anyio
from anyio import CancelScope

from runner.attempts.events import Created, Event, Intended, What
from runner.attempts.history import Attempt, History, State, work
from runner.clock import Clock
from runner.engine import schedule
from runner.engine.duration_model import Belief, belief
from runner.engine.limits import Limits
from runner.engine.ports import Ledger, Provider, Taken
from runner.engine.queue import Group, agenda
from runner.engine.run_events import Halt, Kind, Money, News, Outcome
from runner.engine.run_state import Running
from runner.engine.throttle import Pace
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step

T = TypeVar("T")
_PRIOR, _PRIOR_FREE = 150.0, 2.0
_PERHAPS = frozenset({State.UNSETTLED, State.PERHAPS, State.INTENDED})


class Aside(Protocol):
    """How a call that blocks is run beside the loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class Run:
    """One run: the doors and limits that it was given, and the state that it works on.

    Mutable: `history`, `running`, `shields`; `plan`, `agenda` and `money` follow from the history and are kept up to
    date by `append`, `feed`, `count` and `ended`. Whoever changes the history otherwise calls `count` or `recount`.
    """

    def __init__(
        self,
        plan: Plan,
        history: History,
        provider: Provider,
        ledger: Ledger,
        clock: Clock,
        limits: Limits,
        tell: Callable[[News], None],
        replan: Callable[[History], Plan],
        aside: Aside,
    ) -> None:
        self.plan = plan
        self.history = history
        self.provider = provider
        self.ledger = ledger
        self.clock = clock
        self.limits = limits
        self.replan = replan
        self.aside = aside
        self._tell = tell
        self._prior = limits.expected or (_PRIOR_FREE if plan.account.free else _PRIOR)
        self.agenda = agenda(plan, history, self._prior)
        self._began = (clock.now(), clock.monotonic())
        self.running = Running(Pace(limits.concurrency), consented=schedule.consented(plan))
        self.changed = anyio.Event()
        self.shields: set[CancelScope] = set()
        self._money = Money()
        self._shares: dict[str, Money] = {}
        self._to_go: Decimal | None = None

    # -- what is true, and who hears of it ----------------------------------------------------------------

    async def append(self, attempt: str, what: What) -> Taken | None:
        """Durable first, then true."""
        event = Event(self.clock.now(), attempt, what)
        if isinstance(what, Created):
            self.ledger.receive(event)  # not behind another attempt's commit
        taken = await self.aside(lambda: self.ledger.append(event))
        if taken is None:
            self.feed(event)
        return taken

    def feed(self, event: Event) -> None:
        """One more event is true, and durable."""
        group = self._group(event)
        before = self._order(group)
        self.history.feed(event)
        if self._to_go is not None:
            self._to_go += self._order(group) - before
        self.count(event.attempt)

    def _group(self, event: Event) -> Group | None:
        known = self.history.attempts.get(event.attempt)
        made = event.what if isinstance(event.what, Intended) else known.intended if known is not None else None
        return self.agenda.by_fingerprint.get(made.fingerprint) if made is not None else None

    def _order(self, group: Group | None) -> Decimal:
        """What is still to be ordered for a group, by quote."""
        return Decimal(0) if group is None else schedule.to_order(group, self.history, self.running, self.limits)

    def tell(self, kind: Kind, step: Step | None = None, attempt: str | None = None, words: str = "") -> None:
        """News of one take, or of the run."""
        found = self.history.attempts.get(attempt or "")
        again = step is not None and kind in ("failed", "refused") and self._again(step)
        expected = self.belief(found).median if found is not None and kind in ("created", "running") else None
        self._tell(News(kind, self.clock.now(), step, found, words, again=again, expected=expected, money=self.money()))

    def tell_plan(self) -> None:
        self._tell(News("plan", self.clock.now(), plan=self.plan, money=self.money()))

    def tell_done(self, outcome: Outcome) -> None:
        self._tell(News("done", self.clock.now(), outcome=outcome, money=outcome.money))

    def _again(self, step: Step) -> bool:
        attempts = self.history.of(step.fingerprint or "")
        return (
            self.running.halt is None and step.key in self.running.consented and schedule.may_try(attempts, self.limits)
        )

    def halt(self, halt: Halt) -> None:
        """No further task; the first reason stays."""
        if self.running.halt is None:
            self.running.halt = halt
            self.tell("warning", words=halt.words)

    # -- what follows from it -----------------------------------------------------------------------------

    def again(self) -> None:
        """Something changed: the loop decides anew."""
        self.changed.set()

    def ended(self) -> None:
        """A take came to its end: what was undecided may be decided now."""
        if not self.agenda.waiting:
            return
        plan = self.replan(self.history)
        if plan.steps != self.plan.steps:
            self.plan = plan
            self.agenda = agenda(plan, self.history, self._prior)
            self._to_go = None
            self.tell_plan()

    def step_of(self, attempt: Attempt) -> Step:
        """The step that an attempt of this plan was made for."""
        made = attempt.intended
        steps = self.agenda.by_fingerprint[made.fingerprint].steps
        named = (made.storyboard, made.shot, made.take)
        return next((step for step in steps if step.key == named), steps[0])

    def belief(self, attempt: Attempt) -> Belief:
        """How long tasks of the attempt's class take, as far as known."""
        name = work(attempt.intended.request)
        return belief(self.history.durations, name, self._prior, self._ages(name))

    def _ages(self, name: str) -> list[float]:
        """For how long the tasks of a class that still run have lasted, when last looked at."""
        looks = self.running.looks
        return [
            looks[attempt.id].alive
            for attempt in self.history.open()
            if attempt.state is State.RUNNING
            and attempt.id in looks
            and looks[attempt.id].alive
            and work(attempt.intended.request) == name
        ]

    def now(self) -> float:
        return self.clock.monotonic()

    def age(self, since: datetime) -> timedelta:
        """How long ago that was, by the wall clock; what it jumps ahead while this run works makes nothing older."""
        wall, steady = self._began
        return min(self.clock.now(), wall + timedelta(seconds=self.now() - steady)) - since

    def money(self) -> Money:
        """Credits of this run so far."""
        if self._to_go is None:
            self._to_go = schedule.to_go(self.agenda, self.history, self.running, self.limits)
        return replace(self._money, to_go=self._to_go)

    def recount(self) -> None:
        """The history was changed by somebody else: what is still to be ordered is summed anew."""
        self._to_go = None

    def count(self, attempt: str) -> None:
        """One attempt changed: its share of the sums is taken anew."""
        now = _share(self.history.attempts[attempt], self.limits.run)
        before = self._shares.get(attempt, Money())
        self._shares[attempt] = now
        money = self._money
        self._money = Money(
            money.billed + now.billed - before.billed,
            money.running + now.running - before.running,
            money.perhaps + now.perhaps - before.perhaps,
        )


def _share(attempt: Attempt, run: str) -> Money:
    """What one attempt adds to the sums of a run."""
    if attempt.intended.run != run:
        return Money()
    if attempt.state in _PERHAPS:
        return Money(perhaps=attempt.credits)
    if attempt.state is State.RUNNING:
        return Money(running=attempt.credits)
    return Money(billed=attempt.billed)
