"""Tasks that were paid for words that changed since, or for a retake: their clips are brought home all the same."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import anyio

from runner.app.orphaned_attempts import as_retake, collectable_orphans
from runner.app.provider_gateway import ProviderGateway
from runner.app.run_store import RunStore
from runner.app.session import Session
from runner.attempts.events import Event, Failed, Lost, Payload, Running, Stored, Succeeded
from runner.attempts.history import Attempt, AttemptState, History
from runner.diagnostics.problem import CommandError
from runner.engine import messages
from runner.engine.run_events import RunEvent, StopReason
from runner.planning.plan import Plan
from runner.store import locks

_LOST_AFTER = timedelta(days=1)
_LOOKS, _PAUSE = 3, 2.0
"""How often a record that is not there is asked for before it counts as gone, and seconds between."""


async def collect_orphans(
    session: Session,
    history: History,
    plan: Plan,
    records: RunStore,
    gateway: ProviderGateway,
    tell: Callable[[RunEvent], None],
    brake: Callable[[StopReason], None],
) -> None:
    """Looks at each once, and brings the clips of those that succeeded.

    A provider that does not answer, or refuses the key, is not asked for the rest: unless they hold every slot, when
    it is asked again. `brake` hears of a bill that differs from its quote, and of that key.
    """
    began = records.clock.monotonic()
    found = collectable_orphans(session, history, plan)
    for at, attempt in enumerate(found, 1):
        with _locked_output(session, attempt) as mine:
            if not mine:
                continue
            one = OrphanCollector(session, history, records, gateway, attempt.id, brake)
            said = await one.collect()
            while one.failed_polls and _fill_all_slots(found, history, records) and not _is_late(began, records):
                tell(RunEvent("warning", records.clock.now(), message=f"{_name(attempt)}: {said}"))
                await anyio.sleep(one.pause)
                said = await one.collect()
        deaf = one.failed_polls or one.key_refused
        if deaf and at < len(found):
            said += f"; so with {len(found) - at} more of earlier words"
        tell(RunEvent("warning", records.clock.now(), message=f"{_name(attempt)}: {said}"))
        if deaf:
            return


def _fill_all_slots(found: list[Attempt], history: History, records: RunStore) -> bool:
    """Whether nothing could be ordered before one of them is known to have ended."""
    return sum(history.attempts[each.id].state is AttemptState.RUNNING for each in found) >= records.limits.concurrency


def _is_late(began: float, records: RunStore) -> bool:
    return records.clock.monotonic() - began > records.limits.wait


@contextmanager
def _locked_output(session: Session, attempt: Attempt) -> Iterator[bool]:
    """Whether no other run works where its clip goes: a storyboard that is gone is not among those locked already."""
    ours = {os.path.realpath(session.output_folder(board.path)) for board in session.batch.storyboards}
    output = session.output_folder(attempt.intent.storyboard)
    with ExitStack() as stack:
        try:
            if os.path.realpath(output) not in ours:
                stack.enter_context(locks.lock_outputs(session.settings.state, [output]))
        except CommandError:
            yield False
        else:
            yield True


def _name(attempt: Attempt) -> str:
    intent = attempt.intent
    when = f"{attempt.intended_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{intent.shot} take {intent.take} of {when}, which the storyboard does not ask for now"


class OrphanCollector:
    """One of them while it is brought home."""

    def __init__(
        self,
        session: Session,
        history: History,
        records: RunStore,
        gateway: ProviderGateway,
        attempt: str,
        brake: Callable[[StopReason], None],
    ) -> None:
        self._session = session
        self._history = history
        self._store = records
        self._gateway = gateway
        self._id = attempt
        self._on_halt = brake
        self.key_refused = False
        self.failed_polls = 0
        """Looks in a row that were not heard."""
        self.pause = 0.0
        """Seconds until the next look, after one that was not heard."""

    @property
    def _attempt(self) -> Attempt:
        return self._history.attempts[self._id]

    async def collect(self) -> str:
        """What became of it, in words; every answer is in the ledger and the history."""
        model = self._attempt.intent.request.get("model")
        answer = await self._gateway.poll(self._attempt.task_id or "", model if isinstance(model, str) else None)
        if not isinstance(answer, Running) or answer.answered:
            self.failed_polls = 0
        match answer:
            case Succeeded():
                self._bill(answer)
                return await self._clip()
            case Failed():
                self._note(answer)
                return f"failed, not charged: {answer.message}"
            case Running(not_found=True):
                return await self._missing()
            case Running(key_refused=True):
                self.key_refused = True
                self._on_halt(messages.key_refused_by_poll(answer))
                return "the key was refused; the next run asks again"
            case Running(answered=False):
                self.failed_polls += 1
                self.pause = max(answer.retry_after or 0.0, min(2.0**self.failed_polls, 60.0))
                return f"{answer.message or 'the provider did not answer'}; the next run asks again"
            case _:
                return "still runs at the provider; the next run brings its clip, no new charge"

    def _bill(self, answer: Succeeded) -> None:
        """What it cost, which is heard once."""
        first = self._attempt.state is AttemptState.RUNNING
        self._note(answer)
        halt = messages.price_drift(self._attempt, self._session.edition.price_row(self._attempt.intent.request))
        if first and halt is not None:
            self._on_halt(halt)

    async def _clip(self) -> str:
        """The clip, under its own name for a retake, else among the earlier ones."""
        stored = await self._gateway.download_orphan(
            self._attempt, as_retake(self._session.plan(self._history), self._attempt)
        )
        if isinstance(stored, Stored):
            self._note(stored)
            return f"paid before, its clip is here now: {stored.clip.path}"
        if stored.link_expired and self._is_too_old():
            self._note(Lost("the provider deleted its media before they were fetched"))
            return "paid, and the provider no longer has its clip"
        return f"paid; its clip could not be fetched: {stored.message}; the next run tries again"

    async def _missing(self) -> str:
        since = self._store.clock.now() - (self._attempt.accepted_at or self._attempt.intended_at)
        if since < _LOST_AFTER:
            return "the provider does not know it (yet); the next run asks again"
        for _ in range(_LOOKS - 1):
            await anyio.sleep(_PAUSE)
            answer = await self._gateway.poll(self._attempt.task_id or "")
            if not (isinstance(answer, Running) and answer.not_found):
                return "the provider does not know it at every look; the next run asks again"
        self._note(Lost("the provider has no record of this task any more"))
        return "paid perhaps, and the provider no longer has its record"

    def _is_too_old(self) -> bool:
        ended = self._attempt.ended_at
        return ended is not None and self._store.clock.now() - ended > timedelta(days=self._session.edition.media_days)

    def _note(self, what: Payload) -> None:
        event = Event(self._store.clock.now(), self._id, what)
        if self._store.ledger.append(event) is None:
            self._history.apply(event)
