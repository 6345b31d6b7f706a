"""Webhooks as the loop hears them: a hint wakes a look, a receipt brings back a task whose answer was lost."""

from collections.abc import Awaitable, Callable

from runner.attempts.events import LookAnswer, Settled
from runner.attempts.history import Attempt, State
from runner.attempts.task_facts import Callback, Facts
from runner.engine import messages
from runner.engine.poll_timing import expect
from runner.engine.run_context import Run
from runner.engine.run_state import Told
from runner.lazy_dataclass import dataclass, field
from runner.planning import settlement

Confirm = Callable[[str], Awaitable[tuple[LookAnswer, Facts | None]]]
"""One recordInfo with what the record says of itself: the answer, and the facts if it could be read."""
_TRIES = 5


@dataclass(slots=True)
class Hints:
    """Between the receiver of webhooks and a run; make one, give it to both. Mutable: the run, once it works."""

    confirm: Confirm
    _run: Run | None = None
    _attempts: dict[str, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def attend(self, run: Run) -> None:
        """From now on the hints are for this run."""
        self._run = run

    def knows(self, receipt: str) -> bool:
        """Whether a path is an attempt's own."""
        return self._attempt(receipt) is not None

    def heard(self, receipt: str, said: Callback) -> None:
        """Somebody who knows an attempt's path says something about a task: believed only after a look."""
        run, attempt_id = self._run, self._attempt(receipt)
        if run is None or attempt_id is None:
            return
        attempt = run.history.attempts[attempt_id]
        look = run.running.looks.get(attempt_id)
        if attempt.state is State.RUNNING and attempt.task_id == said.task_id and look is not None:
            look.next_at = min(look.next_at, run.now())
            look.hinted = True  # a look on its way may have asked too early, and plans the next one
            run.running.hinted.add(attempt_id)
        elif attempt.state is State.RUNNING and attempt.task_id != said.task_id:
            self._doubted(run, attempt, said.task_id)
        elif attempt.state in (State.INTENDED, State.UNSETTLED) and attempt_id not in run.running.told:
            run.running.told[attempt_id] = Told(said.task_id, run.now())
        run.again()

    def _doubted(self, run: Run, attempt: Attempt, task_id: str) -> None:
        """Another task than the answer named: told once, since there may be two; nothing is done about it."""
        if attempt.id not in self._told:
            self._told.add(attempt.id)
            wanted = attempt.intended.fingerprint in run.agenda.by_fingerprint  # it may be of words that changed since
            step = run.step_of(attempt) if wanted else None
            run.tell("warning", step, attempt.id, messages.another_task(attempt, task_id))

    def _attempt(self, receipt: str) -> str | None:
        """The attempt with that receipt, among those that have not ended."""
        if self._run is not None and receipt not in self._attempts:
            self._attempts = {
                attempt.intended.receipt: attempt.id
                for attempt in self._run.history.open()
                if attempt.intended.receipt and not attempt.elsewhere
            }
        return self._attempts.get(receipt)


async def adopt(run: Run, attempt_id: str, confirm: Confirm) -> None:
    """Carries out a `Confirm` order: binds the task that a receipt named, if the provider says that it fits."""
    told = run.running.told[attempt_id]
    seen, facts = await confirm(told.task_id)
    attempt = run.history.attempts[attempt_id]
    told.tries += 1
    told.next_at = run.now() + 2.0**told.tries
    others = {name: other for name, other in run.running.told.items() if name != attempt_id}
    bound = {other.task_id for other in run.history.attempts.values()} | {other.task_id for other in others.values()}
    why = settlement.objection(attempt, told.task_id, seen, facts, bound)
    if attempt.state is not State.UNSETTLED:
        del run.running.told[attempt_id]
    elif why is None:
        del run.running.told[attempt_id]
        await _bind(run, attempt_id, told.task_id)
    elif facts is not None or told.tries >= _TRIES:
        told.next_at = float("inf")
        run.tell("warning", run.step_of(attempt), attempt_id, messages.not_adopted(why))
    run.running.looking.discard(attempt_id)
    run.again()


async def _bind(run: Run, attempt_id: str, task_id: str) -> None:
    if await run.append(attempt_id, Settled("adopted", task_id, "by its webhook")) is None:
        run.running.doubts.pop(attempt_id, None)
        expect(run, attempt_id)
        run.tell("created", run.step_of(run.history.attempts[attempt_id]), attempt_id, messages.ADOPTED)
