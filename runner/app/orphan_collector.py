"""Tasks that were paid for words that changed since, or for a retake: their clips are brought home all the same."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import anyio

from runner.app.orphaned_attempts import retake, with_a_task
from runner.app.provider_gateway import Hands
from runner.app.run_store import Records
from runner.app.session import Opened
from runner.attempts.events import Event, Failed, Running, Stored, Succeeded, Vanished, What
from runner.attempts.history import Attempt, History, State
from runner.diagnostics.problem import Stop
from runner.engine import messages
from runner.engine.run_events import Halt, News
from runner.planning.plan import Plan
from runner.store import locks

_LOST_AFTER = timedelta(days=1)
_LOOKS, _PAUSE = 3, 2.0
"""How often a record that is not there is asked for before it counts as gone, and seconds between."""


async def collect(
    desk: Opened,
    history: History,
    plan: Plan,
    records: Records,
    hands: Hands,
    tell: Callable[[News], None],
    brake: Callable[[Halt], None],
) -> None:
    """Looks at each once, and brings the clips of those that succeeded.

    A provider that does not answer, or refuses the key, is not asked for the rest: unless they hold every slot, when
    it is asked again. `brake` hears of a bill that differs from its quote, and of that key.
    """
    began = records.clock.monotonic()
    found = with_a_task(desk, history, plan)
    for at, attempt in enumerate(found, 1):
        with _alone(desk, attempt) as mine:
            if not mine:
                continue
            one = _Stray(desk, history, records, hands, attempt.id, brake)
            said = await one.brought()
            while one.silent and _hold_every_slot(found, history, records) and not _is_late(began, records):
                tell(News("warning", records.clock.now(), words=f"{_name(attempt)}: {said}"))
                await anyio.sleep(one.pause)
                said = await one.brought()
        deaf = one.silent or one.key_refused
        if deaf and at < len(found):
            said += f"; so with {len(found) - at} more of earlier words"
        tell(News("warning", records.clock.now(), words=f"{_name(attempt)}: {said}"))
        if deaf:
            return


def _hold_every_slot(found: list[Attempt], history: History, records: Records) -> bool:
    """Whether nothing could be ordered before one of them is known to have ended."""
    return sum(history.attempts[each.id].state is State.RUNNING for each in found) >= records.limits.concurrency


def _is_late(began: float, records: Records) -> bool:
    return records.clock.monotonic() - began > records.limits.wait


@contextmanager
def _alone(desk: Opened, attempt: Attempt) -> Iterator[bool]:
    """Whether no other run works where its clip goes: a storyboard that is gone is not among those locked already."""
    ours = {os.path.realpath(desk.output(board.path)) for board in desk.batch.storyboards}
    output = desk.output(attempt.intended.storyboard)
    with ExitStack() as stack:
        try:
            if os.path.realpath(output) not in ours:
                stack.enter_context(locks.hold(desk.settings.state, [output]))
        except Stop:
            yield False
        else:
            yield True


def _name(attempt: Attempt) -> str:
    made = attempt.intended
    when = f"{attempt.intended_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{made.shot} take {made.take} of {when}, which the storyboard does not ask for now"


class _Stray:
    """One of them while it is brought home."""

    def __init__(
        self,
        desk: Opened,
        history: History,
        records: Records,
        hands: Hands,
        attempt: str,
        brake: Callable[[Halt], None],
    ) -> None:
        self._desk = desk
        self._history = history
        self._records = records
        self._hands = hands
        self._id = attempt
        self._brake = brake
        self.key_refused = False
        self.silent = 0
        """Looks in a row that were not heard."""
        self.pause = 0.0
        """Seconds until the next look, after one that was not heard."""

    @property
    def _attempt(self) -> Attempt:
        return self._history.attempts[self._id]

    async def brought(self) -> str:
        """What became of it, in words; every answer is in the ledger and the history."""
        model = self._attempt.intended.request.get("model")
        answer = await self._hands.look(self._attempt.task_id or "", model if isinstance(model, str) else None)
        if not isinstance(answer, Running) or answer.heard:
            self.silent = 0
        match answer:
            case Succeeded():
                self._bill(answer)
                return await self._clip()
            case Failed():
                self._note(answer)
                return f"failed, not charged: {answer.words}"
            case Running(missing=True):
                return await self._missing()
            case Running(key_refused=True):
                self.key_refused = True
                self._brake(messages.key_refused_by_look(answer))
                return "the key was refused; the next run asks again"
            case Running(heard=False):
                self.silent += 1
                self.pause = max(answer.retry_after or 0.0, min(2.0**self.silent, 60.0))
                return f"{answer.words or 'the provider did not answer'}; the next run asks again"
            case _:
                return "still runs at the provider; the next run brings its clip, no new charge"

    def _bill(self, answer: Succeeded) -> None:
        """What it cost, which is heard once."""
        first = self._attempt.state is State.RUNNING
        self._note(answer)
        halt = messages.drift(self._attempt, self._desk.edition.row_of(self._attempt.intended.request))
        if first and halt is not None:
            self._brake(halt)

    async def _clip(self) -> str:
        """The clip, under its own name for a retake, else among the earlier ones."""
        stored = await self._hands.bring_home(self._attempt, retake(self._desk.plan(self._history), self._attempt))
        if isinstance(stored, Stored):
            self._note(stored)
            return f"paid before, its clip is here now: {stored.clip.path}"
        if stored.dead and self._is_too_old():
            self._note(Vanished("the provider deleted its media before they were fetched"))
            return "paid, and the provider no longer has its clip"
        return f"paid; its clip could not be fetched: {stored.words}; the next run tries again"

    async def _missing(self) -> str:
        since = self._records.clock.now() - (self._attempt.accepted_at or self._attempt.intended_at)
        if since < _LOST_AFTER:
            return "the provider does not know it (yet); the next run asks again"
        for _ in range(_LOOKS - 1):
            await anyio.sleep(_PAUSE)
            answer = await self._hands.look(self._attempt.task_id or "")
            if not (isinstance(answer, Running) and answer.missing):
                return "the provider does not know it at every look; the next run asks again"
        self._note(Vanished("the provider has no record of this task any more"))
        return "paid perhaps, and the provider no longer has its record"

    def _is_too_old(self) -> bool:
        ended = self._attempt.ended_at
        return ended is not None and self._records.clock.now() - ended > timedelta(days=self._desk.edition.media_days)

    def _note(self, what: What) -> None:
        event = Event(self._records.clock.now(), self._id, what)
        if self._records.ledger.append(event) is None:
            self._history.feed(event)
