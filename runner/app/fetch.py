"""Clips of takes that nobody asks for now: from the provider to the earlier ones, where no copy lies on this disk."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from runner.app.provider_gateway import Hands
from runner.app.run_store import Records, owners
from runner.app.session import Opened
from runner.attempts.events import Event, LookAnswer, Running, Succeeded
from runner.attempts.history import Attempt, History, State
from runner.engine.ports import NotYet
from runner.lazy_dataclass import dataclass, replace
from runner.show.screens.clips import ClipCheck, Verdict
from runner.store.clip_store import Shelf

_LOST_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Earlier:
    """One of them after the other is looked for, and brought."""

    desk: Opened
    history: History
    records: Records
    hands: Callable[[], Awaitable[Hands]]
    """Opened when the first is asked for: without a gap nobody needs a key."""

    async def checked(self, attempt: Attempt) -> ClipCheck | None:
        """Whole where it lies, else brought if the provider still has it; None while there is nothing to bring yet."""
        shelf = Shelf(self.desk.settings.root, self.desk.output, owners(self.history).get)
        path = shelf.aside(attempt)
        if (here := shelf.whereabouts(attempt)) is not None:
            return self._as(attempt, here, "whole", "")
        if attempt.task_id is None:
            return self._as(attempt, path, "gone", "no task is known of it")
        if self._age(attempt) > timedelta(days=self.desk.edition.record_days):
            days = self.desk.edition.record_days
            return self._as(attempt, path, "gone", f"the provider keeps records for {days} days")
        hands = await self.hands()
        model = attempt.intended.request.get("model")
        answer = await hands.look(attempt.task_id, model if isinstance(model, str) else None)
        match answer:
            case Succeeded():
                return await self._brought(hands, attempt, answer, path)
            case Running(missing=True) if self._age(attempt) > _LOST_AFTER:
                return self._as(attempt, path, "gone", "the provider no longer has its record")
            case _ if attempt.clip is None:
                return None
            case _:
                return self._as(attempt, path, "failed", _said(answer))

    async def _brought(self, hands: Hands, attempt: Attempt, answer: Succeeded, path: Path) -> ClipCheck:
        got = await hands.bring_home(replace(attempt, outputs=answer.outputs), None)
        if isinstance(got, NotYet):
            gone = got.dead and self._age(attempt) > timedelta(days=self.desk.edition.media_days)
            words = "the provider has deleted its media" if gone else got.words
            return self._as(attempt, path, "gone" if gone else "failed", words)
        if attempt.elsewhere and (taken := self.records.ledger.take_in(attempt)) is not None:
            return self._as(attempt, path, "failed", taken.words)
        for what in (got,) if attempt.state is State.STORED else (answer, got):
            event = Event(self.records.clock.now(), attempt.id, what)
            self.records.ledger.append(event)
            self.history.feed(event)
        return self._as(attempt, self.desk.settings.root / got.clip.path, "fetched", "")

    def _age(self, attempt: Attempt) -> timedelta:
        return self.records.clock.now() - (attempt.ended_at or attempt.intended_at)

    def _as(self, attempt: Attempt, path: Path, verdict: Verdict, words: str) -> ClipCheck:
        made = attempt.intended
        name = path.relative_to(self.desk.settings.root).as_posix()
        said = "of earlier words" + (f": {words}" if words else "")
        return ClipCheck(made.storyboard, made.shot, made.take, name, verdict, said, earlier=True)


def _said(answer: LookAnswer) -> str:
    return (answer.words if not isinstance(answer, Succeeded) else "") or "the provider does not name a link"
