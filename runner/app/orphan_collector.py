"""Collects orphans: paid tasks of earlier versions of a shot, or of retakes, whose clips are downloaded too."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import anyio

from runner.app.orphaned_attempts import as_retake, collectable_orphans
from runner.app.provider_gateway import ProviderGateway
from runner.app.run_store import RunStore
from runner.app.session import Session
from runner.attempts.attempt import LOST_AFTER, Attempt, AttemptState
from runner.attempts.events import Doubtful, Event, Failed, Lost, Payload, Running, Stored, Succeeded
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.engine import messages
from runner.engine.backoff import backoff
from runner.engine.run_events import RunEvent, StopReason
from runner.planning.plan import Plan
from runner.store import locks

"""Age at which a task that the provider does not know counts as lost: new records appear with a delay."""
_POLLS, _PAUSE = 3, 2.0
"""Polls without a record before a task counts as lost, and the seconds between them."""


async def collect_orphans(
    session: Session,
    history: History,
    plan: Plan,
    store: RunStore,
    gateway: ProviderGateway,
    emit: Callable[[RunEvent], None],
    on_halt: Callable[[StopReason], None],
) -> None:
    """Poll each orphan once, and download the clips of those that succeeded.

    A provider that does not answer, or refuses the key, is not polled for the others; only while orphans hold every
    slot are polls repeated. `on_halt` gets the reason to order nothing: a bill above its quote, or the refused key.
    """
    started_at = store.clock.monotonic()
    orphans = collectable_orphans(session, history, plan)
    for position, attempt in enumerate(orphans, 1):
        with _locked_output(session, attempt) as is_locked:
            if not is_locked:
                continue
            if gateway.is_barred(attempt):
                text = f"{_name(attempt)}: {messages.other_key(attempt)}"
                emit(RunEvent("warning", store.clock.now(), message=text))
                continue
            collector = OrphanCollector(session, history, store, gateway, attempt.id, on_halt)
            message = await collector.collect()
            while (
                collector.failed_polls
                and _fill_all_slots(orphans, history, store)
                and not _waited_too_long(started_at, store)
            ):
                emit(RunEvent("warning", store.clock.now(), message=f"{_name(attempt)}: {message}"))
                await anyio.sleep(collector.pause)
                message = await collector.collect()
        is_unreachable = collector.failed_polls or collector.key_refused
        if is_unreachable and position < len(orphans):
            message += f"; {len(orphans) - position} more of earlier versions were not checked either"
        emit(RunEvent("warning", store.clock.now(), message=f"{_name(attempt)}: {message}"))
        if is_unreachable:
            return


def _fill_all_slots(orphans: list[Attempt], history: History, store: RunStore) -> bool:
    """Whether running orphans hold every slot, so that nothing can be ordered before one of them ends."""
    return (
        sum(history.attempts[orphan.id].state is AttemptState.RUNNING for orphan in orphans) >= store.limits.concurrency
    )


def _waited_too_long(started_at: float, store: RunStore) -> bool:
    return store.clock.monotonic() - started_at > store.limits.wait


@contextmanager
def _locked_output(session: Session, attempt: Attempt) -> Iterator[bool]:
    """Lock the output of an orphan; False if another run holds it.

    The outputs of this command's storyboards are locked already; an orphan's storyboard may be deleted or renamed.
    """
    locked_outputs = {
        os.path.realpath(session.output_folder(storyboard.path)) for storyboard in session.batch.storyboards
    }
    output = session.output_folder(attempt.intent.storyboard)
    with ExitStack() as stack:
        try:
            if os.path.realpath(output) not in locked_outputs:
                stack.enter_context(locks.lock_outputs(session.settings.state, [output]))
        except Failure:
            yield False
        else:
            yield True


def _name(attempt: Attempt) -> str:
    intent = attempt.intent
    when = f"{attempt.intended_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{intent.shot} take {intent.take} of {when} (earlier version)"


class OrphanCollector:
    """Collects one orphan."""

    def __init__(
        self,
        session: Session,
        history: History,
        store: RunStore,
        gateway: ProviderGateway,
        attempt: str,
        on_halt: Callable[[StopReason], None],
    ) -> None:
        self._session = session
        self._history = history
        self._store = store
        self._gateway = gateway
        self._id = attempt
        self._on_halt = on_halt
        self.key_refused = False
        self.failed_polls = 0
        """Polls in a row without an answer."""
        self.pause = 0.0
        """Seconds until the next poll, after one without an answer."""

    @property
    def _attempt(self) -> Attempt:
        return self._history.attempts[self._id]

    async def collect(self) -> str:
        """Poll the task and act on the answer; return the result as a message."""
        model = self._attempt.intent.request.get("model")
        answer = await self._gateway.poll(self._attempt.task_id or "", model if isinstance(model, str) else None)
        if not isinstance(answer, Running) or answer.answered:
            self.failed_polls = 0
        match answer:
            case Succeeded():
                self._record_success(answer)
                return await self._download()
            case Failed():
                self._record(answer)
                return f"failed, not charged: {answer.message}"
            case Running(not_found=True):
                return await self._handle_missing()
            case Running(key_refused=True):
                self.key_refused = True
                self._on_halt(messages.key_refused_by_poll(answer))
                return "the key was refused; the next run asks again"
            case Running(answered=False):
                self.failed_polls += 1
                self.pause = max(answer.retry_after or 0.0, backoff(self.failed_polls))
                return f"{answer.message or 'the provider did not answer'}; the next run asks again"
            case _:
                return "still running at the provider; the next run fetches its clip, at no new charge"

    def _record_success(self, answer: Succeeded) -> None:
        """Record the bill; a bill above the quote is reported once."""
        is_first_report = self._attempt.state is AttemptState.RUNNING
        self._record(answer)
        row = self._session.edition.price_row(self._attempt.intent.request)
        stop_reason = messages.bill_above_quote(self._attempt, row)
        if is_first_report and stop_reason is not None:
            self._on_halt(stop_reason)

    async def _download(self) -> str:
        """Download the clip: a retake's under its own name, any other into `earlier/`."""
        stored = await self._gateway.download_orphan(
            self._attempt, as_retake(self._session.plan(self._history), self._attempt)
        )
        if isinstance(stored, Stored):
            self._record(stored)
            return f"paid before; its clip was fetched: {stored.clip.path}"
        if isinstance(stored, Doubtful):
            self._record(stored)
            return f"paid before; its clip {stored.doubt}, and is kept as {stored.clip.path}"
        if stored.link_expired and self._is_too_old():
            self._record(Lost("the provider deleted its media before they were fetched"))
            return "paid; the provider has deleted its clip"
        return f"paid; its clip could not be fetched: {stored.message}; the next run tries again"

    async def _handle_missing(self) -> str:
        age = self._store.clock.now() - (self._attempt.accepted_at or self._attempt.intended_at)
        if age < LOST_AFTER:
            return "the provider has no record of it (yet); the next run asks again"
        for _ in range(_POLLS - 1):
            await anyio.sleep(_PAUSE)
            answer = await self._gateway.poll(self._attempt.task_id or "")
            if not (isinstance(answer, Running) and answer.not_found):
                return "the provider has no record of it at some polls; the next run asks again"
        self._record(Lost("the provider has no record of this task any more"))
        return "maybe charged; the provider has no record of it any more"

    def _is_too_old(self) -> bool:
        ended_at = self._attempt.ended_at
        return ended_at is not None and self._session.edition.has_deleted_media(self._store.clock.now() - ended_at)

    def _record(self, payload: Payload) -> None:
        event = Event(self._store.clock.now(), self._id, payload)
        if self._store.ledger.append(event) is None:
            self._history.apply(event)
