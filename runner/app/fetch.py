"""Downloads the clips of orphans, into `earlier/`, where this disk has no copy."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from runner.app.provider_gateway import ProviderGateway
from runner.app.run_store import RunStore, open_clip_store
from runner.attempts.attempt import LOST_AFTER, Attempt, AttemptState
from runner.attempts.events import Doubtful, PollResult, Running, Stored, Succeeded
from runner.attempts.history import History
from runner.editions.edition import Edition
from runner.engine import messages
from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass, replace
from runner.settings.settings import Settings
from runner.show.screens.clips import ClipCheck, Verdict


@dataclass(frozen=True, slots=True)
class OrphanFetcher:
    """Finds or downloads the clip of each orphaned attempt."""

    settings: Settings
    edition: Edition
    history: History
    store: RunStore
    gateway: Callable[[], Awaitable[ProviderGateway]]
    """Opened lazily: if no clip is missing, no API key is needed."""

    async def fetch(self, attempt: Attempt) -> ClipCheck | None:
        """Find the clip on this disk, else download it; None while the task has no clip yet."""
        clip_store = open_clip_store(self.settings, self.history)
        path = clip_store.archive_path(attempt)
        # Before the provider is asked: what this disk has needs neither key nor link.
        if (local_path := clip_store.find(attempt)) is not None:
            is_doubtful = attempt.state is AttemptState.DOUBTFUL
            return self._check(attempt, local_path, "doubtful" if is_doubtful else "whole", attempt.doubt)
        if attempt.task_id is None:
            return self._check(attempt, path, "gone", "it has no task id")
        # By the age alone: the question would be answered "not found" anyway.
        if self.edition.has_deleted_record(self._age(attempt)):
            days = self.edition.record_days
            return self._check(attempt, path, "gone", f"the provider keeps records for {days} days")
        gateway = await self.gateway()
        # With another account's key a task looks lost, and would be called gone.
        if gateway.is_barred(attempt):
            return self._check(attempt, path, "failed", messages.other_key(attempt))
        answer = await gateway.poll(attempt)
        match answer:
            case Succeeded():
                return await self._download(gateway, attempt, answer, path)
            case Running(not_found=True) if self._age(attempt) > LOST_AFTER:
                # A record may be late; only one that is missing for so long is gone.
                return self._check(attempt, path, "gone", "the provider no longer has its record")
            case _ if attempt.clip is None:
                # It still runs, or nobody knows: that is the next run's to find out, and no clip is missing yet.
                return None
            case _:
                return self._check(attempt, path, "failed", _describe(answer))

    async def _download(self, gateway: ProviderGateway, attempt: Attempt, answer: Succeeded, path: Path) -> ClipCheck:
        download = await gateway.download_exact(replace(attempt, outputs=answer.outputs), None)
        if isinstance(download, TransferFailed):
            gone = download.link_expired and self.edition.has_deleted_media(self._age(attempt))
            message = "the provider has deleted its media" if gone else download.message
            return self._check(attempt, path, "gone" if gone else "failed", message)
        if attempt.needs_confirmation:  # its clip is here now; without a request it never enters the ledger
            return self._check_download(attempt, download)
        # The ledger takes no clip for a task that has not succeeded.
        for payload in (download,) if attempt.state.has_clip else (answer, download):
            if (refusal := self.store.record(self.history, attempt.id, payload)) is not None:
                return self._check(attempt, path, "failed", refusal.message)
        return self._check_download(attempt, download)

    def _check_download(self, attempt: Attempt, download: Stored | Doubtful) -> ClipCheck:
        path = self.settings.root / download.clip.path
        if isinstance(download, Doubtful):
            return self._check(attempt, path, "doubtful", download.doubt)
        return self._check(attempt, path, "fetched", "")

    def _age(self, attempt: Attempt) -> timedelta:
        return self.store.clock.now() - (attempt.ended_at or attempt.intended_at)

    def _check(self, attempt: Attempt, path: Path, verdict: Verdict, detail: str) -> ClipCheck:
        intent = attempt.intent
        name = path.relative_to(self.settings.root).as_posix()
        message = "earlier version" + (f": {detail}" if detail else "")
        return ClipCheck(intent.film, intent.shot, intent.take, name, verdict, message, is_orphan=True)


def _describe(answer: PollResult) -> str:
    return (answer.message if not isinstance(answer, Succeeded) else "") or "the provider gives no link to it"
