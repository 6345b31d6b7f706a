"""The provider as the loop needs it: client, downloads, clips and materials of one run, joined."""

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import anyio.to_thread

from runner.clock import Clock
from runner.engine.hands import NotYet
from runner.history import Attempt, CreateAnswer, LookAnswer, Stored, Vanished
from runner.plan import Step
from runner.provider.client import Client
from runner.provider.download import Dead, Downloader
from runner.publish.materials import Publisher
from runner.records.clips import Shelf
from runner.request import Material, Plain

DOWNLOADS = 4
"""Clips that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Fulfils `Provider` of the engine."""

    client: Client
    downloader: Downloader
    shelf: Shelf
    publisher: Publisher
    clock: Clock
    _stop: threading.Event = field(default_factory=threading.Event)
    _turns: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(DOWNLOADS))

    @property
    def key_id(self) -> str:
        return self.client.key_id

    def leave(self) -> None:
        """Downloads under way end at their next piece."""
        self._stop.set()

    async def preflight(self) -> CreateAnswer | None:
        return await self.client.preflight()

    async def create(
        self, body: Mapping[str, Plain], receipt: str, sending: Callable[[], Awaitable[None]]
    ) -> CreateAnswer:
        return await self.client.create(body, receipt, sending)

    async def look(self, task_id: str, model: str | None = None) -> LookAnswer:
        return await self.client.look(task_id, model)

    async def publish(self, material: Material, source: Attempt | None) -> str | NotYet:
        return await self.publisher.publish(material, source)

    async def store(self, attempt: Attempt, step: Step) -> Stored | Vanished | NotYet:
        return await anyio.to_thread.run_sync(self._store, attempt, step, limiter=self._turns)

    def _store(self, attempt: Attempt, step: Step) -> Stored | Vanished | NotYet:
        try:
            if (found := self.shelf.recall(attempt, step)) is not None:
                return found
            if not attempt.outputs:
                return NotYet("the provider names no clip")
            part = self.shelf.part(step)
            got = self.downloader.fetch(attempt.outputs[0].url, part, self._stop.is_set)
            if isinstance(got, Dead):
                return self._dead(attempt, got)
            if isinstance(got, NotYet):
                return got
            return self.shelf.place(got.path, got.sha256, attempt, step)
        except OSError as error:
            return NotYet(f"{error.filename or 'the disk'}: {error.strerror or error}", final=True)

    def _dead(self, attempt: Attempt, got: Dead) -> Vanished | NotYet:
        """A fresh link that does not work: gone for good once the provider's days are over."""
        days = self.client.edition.media_days
        ended = attempt.ended_at or attempt.accepted_at or attempt.intended_at
        if self.clock.now() - ended > timedelta(days=days):
            return Vanished(f"{got.words}; the provider keeps clips {days} days")
        return NotYet(got.words)
