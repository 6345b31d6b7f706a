"""Brings the recorded clip of one take to its place: from this disk, from the provider, or from beside its name."""

from collections.abc import Awaitable, Callable

from runner.app.provider_gateway import ProviderGateway
from runner.app.run_store import RunStore, open_clip_store
from runner.attempts.attempt import Attempt
from runner.attempts.events import Doubtful, Running, Stored, Succeeded
from runner.attempts.history import History
from runner.engine import messages
from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Step
from runner.settings.settings import Settings
from runner.show.screens.clips import ClipCheck, Verdict


@dataclass(frozen=True, slots=True)
class ClipFetcher:
    """Fetches and accepts clips, one after the other, and records each in ledger and history."""

    settings: Settings
    history: History
    store: RunStore
    gateway: Callable[[], Awaitable[ProviderGateway]]
    """Opened lazily: if no clip is missing, no API key is needed."""

    async def fetch(self, result: ClipCheck, step: Step, attempt: Attempt) -> ClipCheck:
        """Restore a clip from this disk, else download it by a fresh link; other content is rejected."""
        gateway = await self.gateway()
        # This disk first: a clip under another name needs no link, which the provider keeps for some days only.
        stored: Stored | Doubtful | TransferFailed | None = await gateway.restore_local(attempt, step)
        # With another account's key a task looks lost, and would be called gone.
        if stored is None and gateway.is_barred(attempt):
            return _with_verdict(result, "failed", messages.other_key(attempt))
        if stored is None and attempt.task_id is not None:
            match await gateway.poll(attempt):
                case Succeeded(outputs=outputs):
                    stored = await gateway.download_exact(replace(attempt, outputs=outputs), step)
                case Running(not_found=True):
                    return _with_verdict(result, "gone", "the provider no longer has its record")
                case Running(message=message):
                    return _with_verdict(result, "failed", message or "the provider gives no link to it")
                case other:
                    return _with_verdict(result, "failed", other.message)
        match stored:
            case Stored():
                # Its notes were told when the clip was first stored.
                return self._record(result, attempt, replace(stored, notes=()), "fetched")
            case Doubtful():
                return self._record(result, attempt, stored, "doubtful")
            case TransferFailed(message):
                return _with_verdict(result, "failed", message)
            case None:
                return _with_verdict(result, "gone", "it has no task id")

    async def accept(self, step: Step, attempt: Attempt) -> ClipCheck:
        """Give a doubtful clip its final name, since the user says that it is good; fetch it first where it lacks."""
        clip_store = open_clip_store(self.settings, self.history)
        path = clip_store.clip_path(step).relative_to(self.settings.root).as_posix()
        result = ClipCheck(step.shot.film, step.shot.id, step.take, path, "missing")
        accepted = clip_store.accept(attempt, step)
        if accepted is None:
            result = await self.fetch(result, step, attempt)
            attempt = self.history.attempts[attempt.id]
            if result.verdict != "doubtful" or (accepted := clip_store.accept(attempt, step)) is None:
                return result
        return self._record(result, attempt, accepted, "accepted")

    def _record(self, result: ClipCheck, attempt: Attempt, payload: Stored | Doubtful, verdict: Verdict) -> ClipCheck:
        if (refusal := self.store.record(self.history, attempt.id, payload)) is not None:
            return _with_verdict(result, "failed", refusal.message)
        message = f"it {payload.doubt}" if isinstance(payload, Doubtful) else "; ".join(payload.notes)
        return _with_verdict(replace(result, path=payload.clip.path), verdict, message)


def _with_verdict(result: ClipCheck, verdict: Verdict, message: str) -> ClipCheck:
    return replace(result, verdict=verdict, message=message)
