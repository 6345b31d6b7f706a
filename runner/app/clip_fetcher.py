"""The way of recorded clips, of takes and of orphans, to their place: from this disk, the provider, or beside."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from runner.app.provider_gateway import ProviderGateway
from runner.app.run_store import RunStore, open_clip_store
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Doubtful, Stored, Succeeded
from runner.attempts.history import History
from runner.attempts.task_outcome import outcome_of
from runner.diagnostics.problem import CommandError, ExitCode
from runner.editions.edition import Edition
from runner.engine import messages
from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Step
from runner.settings.settings import Settings
from runner.show.screens.clips import ClipCheck, Verdict


@dataclass(frozen=True, slots=True)
class ClipFetcher:
    """The fetcher of clips: fetches and accepts them, one after the other, and records each in ledger and history."""

    settings: Settings
    edition: Edition
    history: History
    store: RunStore
    gateway: Callable[[], Awaitable[ProviderGateway]]
    """Opened lazily: if no clip is missing, no API key is needed."""

    async def fetch(self, check: ClipCheck, step: Step, attempt: Attempt) -> ClipCheck:
        """Restore the clip of a take from this disk, else download it by a fresh link; other content is rejected."""
        gateway = await self.gateway()
        # This disk first: a clip under another name needs no link, which the provider keeps for some days only.
        stored = await gateway.restore_local(attempt, step)
        if stored is not None:
            return self._record(check, attempt, stored)
        return await self._download(check, attempt, step) or check

    async def fetch_orphan(self, attempt: Attempt) -> ClipCheck | None:
        """Find the clip of an orphan on this disk, else download it into `earlier/`; None while it has no clip yet."""
        clip_store = open_clip_store(self.settings, self.history)
        check = self._orphan_check(attempt, clip_store.archive_path(attempt))
        # Before the provider is asked: what this disk has needs neither key nor link.
        if (local_path := clip_store.find(attempt)) is not None:
            is_doubtful = attempt.state is AttemptState.DOUBTFUL
            check = self._orphan_check(attempt, local_path)
            return _ended(check, "doubtful" if is_doubtful else "whole", attempt.doubt)
        # By the age alone: a film has many earlier versions, and each question would be answered "not found" anyway.
        if attempt.task_id is not None and self.edition.has_deleted_record(self._age(attempt)):
            return _ended(check, "gone", f"the provider keeps records for {self.edition.record_days} days")
        return await self._download(check, attempt, None)

    async def accept(self, step: Step, attempt: Attempt) -> ClipCheck:
        """Give a doubtful clip its final name, since the user says that it is good; fetch it first where it lacks."""
        clip_store = open_clip_store(self.settings, self.history)
        path = clip_store.clip_path(step).relative_to(self.settings.root).as_posix()
        check = ClipCheck(step.shot.film, step.shot.id, step.take, path, "missing")
        accepted = clip_store.accept(attempt, step)
        if accepted is None:
            check = await self.fetch(check, step, attempt)
            attempt = self.history.attempts[attempt.id]
            if check.verdict != "doubtful" or (accepted := clip_store.accept(attempt, step)) is None:
                return check
        return self._record(check, attempt, accepted, verdict="accepted")

    async def _download(self, check: ClipCheck, attempt: Attempt, step: Step | None) -> ClipCheck | None:
        """Download by a fresh link; None for a task that has brought no clip yet, and is the next run's to follow."""
        if attempt.task_id is None:
            return _ended(check, "gone", "it has no task id")
        gateway = await self.gateway()
        # With another account's key a task looks lost, and would be called gone.
        if gateway.is_barred(attempt):
            return _ended(check, "failed", messages.other_key(attempt))
        answer = await gateway.poll(attempt)
        outcome = outcome_of(attempt, answer, self._age(attempt))
        if outcome.standing == "key refused":
            raise CommandError(ExitCode.KEY, f"{outcome.message}: {attempt.task_id} was not fetched")
        if outcome.standing != "has link" or not isinstance(answer, Succeeded):
            if outcome.standing == "gone":
                return _ended(check, "gone", outcome.message)
            return None if attempt.clip is None else _ended(check, "failed", outcome.message)
        download = await gateway.download_exact(replace(attempt, outputs=answer.outputs), step)
        if isinstance(download, TransferFailed):
            is_gone = download.link_expired and self.edition.has_deleted_media(self._age(attempt))
            message = "the provider has deleted its media" if is_gone else download.message
            return _ended(check, "gone" if is_gone else "failed", message)
        # The ledger takes no clip for a task that has not succeeded.
        return self._record(check, attempt, *(() if attempt.state.has_clip else (answer,)), download)

    def _record(
        self, check: ClipCheck, attempt: Attempt, *payloads: Succeeded | Stored | Doubtful, verdict: Verdict = "fetched"
    ) -> ClipCheck:
        """Record how a clip came to its place, which the last of the events names."""
        # Without its request a manifest's attempt never enters the ledger; its clip is here now.
        for payload in () if attempt.needs_confirmation else payloads:
            if (refusal := self.store.record(self.history, attempt.id, payload)) is not None:
                return _ended(check, "failed", refusal.message)
        clip = payloads[-1]
        assert not isinstance(clip, Succeeded)
        check = replace(check, path=clip.clip.path)
        if isinstance(clip, Doubtful):
            return _ended(check, "doubtful", clip.doubt if check.is_orphan else f"it {clip.doubt}")
        # Of a fetched clip they were told when it was first stored.
        return _ended(check, verdict, "; ".join(clip.notes) if verdict == "accepted" else "")

    def _age(self, attempt: Attempt) -> timedelta:
        return self.store.ages.of(attempt.ended_at or attempt.accepted_at or attempt.intended_at)

    def _orphan_check(self, attempt: Attempt, path: Path) -> ClipCheck:
        intent, name = attempt.intent, path.relative_to(self.settings.root).as_posix()
        return ClipCheck(intent.film, intent.shot, intent.take, name, "missing", is_orphan=True)


def _ended(check: ClipCheck, verdict: Verdict, message: str) -> ClipCheck:
    if check.is_orphan:
        message = f"earlier version: {message}" if message else "earlier version"
    return replace(check, verdict=verdict, message=message)
