"""A process that dies at any of its steps: from then on it writes nothing, and its locks are free."""

import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from runner.attempts.attempt import Attempt
from runner.attempts.events import CreateResult, Event, Lost, PollResult, Stored
from runner.editions.edition import Edition
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded, Published, TransferFailed
from runner.planning.plan import Step
from runner.requests.request import JsonValue, Material, Request
from runner.requests.shot_text import NO_TEXT, ShotText
from runner.store.ledger.ledger import Ledger

from .provider import Simulated


class Killed(BaseException):
    """SIGKILL, as far as Python code can tell."""


@dataclass(slots=True)
class Life:
    """How many more steps the process lives; None is for ever."""

    steps: int | None = None
    steps_done: int = 0

    def step(self) -> None:
        self.steps_done += 1
        if self.steps is not None and self.steps_done > self.steps:
            raise Killed


class DyingLedger:
    """The real ledger, in a process that dies before or after any of its writes."""

    def __init__(self, ledger: Ledger, life: Life) -> None:
        self.ledger = ledger
        self.life = life

    def intend(self, event: Event, attempts_seen: int) -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
        self.life.step()
        refusal = self.ledger.intend(event, attempts_seen)
        self.life.step()
        return refusal

    def write_receipt(self, event: Event) -> None:
        self.life.step()
        self.ledger.write_receipt(event)
        self.life.step()

    def append(self, event: Event) -> AlreadyAttempted | None:
        self.life.step()
        conflict = self.ledger.append(event)
        self.life.step()
        return conflict

    def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        self.life.step()
        return self.ledger.import_attempt(attempt)

    def attempts_of(self, fingerprints: Collection[str]) -> list[Attempt]:
        return self.ledger.attempts_of(fingerprints)

    def check_not_moved(self) -> None:
        self.ledger.check_not_moved()

    def bury(self) -> None:
        """What the operating system does for a dead process: descriptors are closed, nothing is tidied up."""
        lock, self.ledger._run_lock = self.ledger._run_lock, None
        if lock is not None:
            os.close(lock._file)
        self.ledger.close()


class DyingProvider:
    """The simulated provider, in a process that dies before or after any request."""

    key_id = Simulated.key_id

    def __init__(self, provider: Simulated, life: Life) -> None:
        self.provider = provider
        self.life = life

    def encode(
        self, request: Request, edition: Edition, address_of: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        return self.provider.encode(request, edition, address_of)

    async def preflight(self) -> CreateResult | None:
        self.life.step()
        return await self.provider.preflight()

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        self.life.step()
        answer = await self.provider.create(body, webhook_token, before_send, shot_text)
        self.life.step()
        return answer

    async def poll(self, attempt: Attempt) -> PollResult:
        self.life.step()
        return await self.provider.poll(attempt)

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        self.life.step()
        return await self.provider.publish(material, source)

    async def recheck(self, material: Material, address: str) -> TransferFailed | None:
        return await self.provider.recheck(material, address)

    async def store(self, attempt: Attempt, step: Step | None) -> Stored | Lost | TransferFailed:
        self.life.step()
        stored = await self.provider.store(attempt, step)
        self.life.step()
        return stored
