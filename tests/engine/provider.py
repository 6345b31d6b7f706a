"""A simulated provider: it keeps its own journal, which is the judge of what was created and charged."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import anyio

from runner.attempts.attempt import Attempt
from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
    CreateResult,
    Failed,
    Lost,
    NotSent,
    OutcomeUnknown,
    Output,
    PollResult,
    Running,
    ServerError,
    Stored,
    Succeeded,
)
from runner.editions.edition import Edition
from runner.engine.ports import Published, TransferFailed
from runner.planning.plan import Step
from runner.providers.kinovi import request_body
from runner.requests.placeholder import placeholder
from runner.requests.request import JsonValue, Material, Request, canonical_json
from runner.requests.shot_text import NO_TEXT, ShotText


@dataclass(slots=True)
class Task:
    """One job at the provider."""

    id: str
    body: str
    created_at: float
    seconds: float
    fails: Failed | None = None

    def ended_by(self, now: float) -> bool:
        return now >= self.created_at + self.seconds


Script = Callable[[str, int], CreateResult | Failed | str | None]
"""(body, how many requests came before) to what happens: an answer without a task, a task that fails, None for a
task that succeeds, "lost" for a task whose answer is lost, "500 and made" for one that is answered by a documented
500, "dropped" for a request that got lost before."""


@dataclass(slots=True)
class World:
    """The provider's truth: every request that arrived and every task that was made."""

    script: Script = lambda body, count: None
    seconds: Callable[[int], float] = lambda count: 60.0
    concurrency: int = 1000
    lost_addresses: set[str] = field(default_factory=set)
    """Published addresses that nobody can fetch any more."""
    arrived: list[str] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    polls: int = 0
    peak: int = 0
    latency: float = 0.2
    note: Callable[[str, str], None] = lambda body, what: None
    """Called for every request on arrival: with its body, and "made", "busy" or the scripted outcome."""

    def in_progress(self, now: float) -> int:
        return sum(not task.ended_by(now) for task in self.tasks.values())

    def charged(self, body: str) -> int:
        """How many tasks of this body were made and did not fail."""
        return sum(task.body == body and task.fails is None for task in self.tasks.values())


class Simulated:
    """A `World` as a `ProviderPort`."""

    key_id = "01234567"

    def __init__(self, world: World, bill: Decimal = Decimal(160)) -> None:
        self.world = world
        self.bill = bill
        self.stored: list[tuple[str, str]] = []
        self.published: list[Material] = []
        self.store_script: Callable[[Attempt, int], TransferFailed | Lost | None] = lambda attempt, count: None
        self.poll_script: Callable[[str, int], PollResult | None] = lambda task, count: None
        self.preflight_answer: CreateResult | None = None

    def encode(
        self, request: Request, edition: Edition, address_of: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        return request_body.encode(request, edition, lambda material: address_of(material) or placeholder(material))

    async def preflight(self) -> CreateResult | None:
        return self.preflight_answer

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        world, text = self.world, canonical_json(dict(body))
        scripted = world.script(text, len(world.arrived))
        await anyio.sleep(world.latency)
        if isinstance(scripted, NotSent):
            return scripted
        await before_send()
        world.arrived.append(text)
        now = anyio.current_time()
        if (scripted is None or isinstance(scripted, str)) and world.in_progress(now) >= world.concurrency:
            world.note(text, "busy")
            return ConcurrencyLimited("too many", limit=world.concurrency, current=world.concurrency)
        world.note(
            text, scripted if isinstance(scripted, str) else "made" if scripted is None else type(scripted).__name__
        )
        if scripted == "dropped":
            return OutcomeUnknown("the connection was reset")
        if scripted is not None and not isinstance(scripted, Failed | str):
            await anyio.sleep(world.latency)
            return scripted
        task = Task(f"task_{len(world.tasks) + 1}", text, now, world.seconds(len(world.tasks)))
        task.fails = scripted if isinstance(scripted, Failed) else None
        world.tasks[task.id] = task
        world.peak = max(world.peak, world.in_progress(now))
        await anyio.sleep(world.latency)
        if scripted == "500 and made":
            return TRY_LATER
        return OutcomeUnknown("the connection was reset") if scripted == "lost" else Created(task.id)

    async def poll(self, attempt: Attempt) -> PollResult:
        task_id = attempt.task_id or ""
        self.world.polls += 1
        await anyio.sleep(self.world.latency / 4)
        if (scripted := self.poll_script(task_id, self.world.polls)) is not None:
            return scripted
        task = self.world.tasks.get(task_id)
        if task is None:
            return Running("", not_found=True)
        if not task.ended_by(anyio.current_time()):
            return Running("generating")
        times = (int(task.created_at * 1000), int((task.created_at + task.seconds) * 1000))
        if task.fails is not None:
            return Failed(
                task.fails.kind, task.fails.message, task.fails.code, created_ms=times[0], completed_ms=times[1]
            )
        return Succeeded((Output(f"https://media.example/{task_id}.mp4"),), self.bill, *times)

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        self.published.append(material)
        await anyio.sleep(self.world.latency)
        return Published(f"https://files.example/{len(self.published)}.png")

    async def recheck(self, material: Material, address: str) -> TransferFailed | None:
        await anyio.sleep(self.world.latency)
        return TransferFailed("404 (there is no such file)") if address in self.world.lost_addresses else None

    async def store(self, attempt: Attempt, step: Step | None) -> Stored | Lost | TransferFailed:
        await anyio.sleep(self.world.latency)
        if (scripted := self.store_script(attempt, len(self.stored))) is not None:
            return scripted
        path = f"renders/film/kinovi/clips/{attempt.intent.shot}/earlier/{attempt.id}.mp4"
        if step is not None:
            path = f"renders/film/kinovi/clips/{step.shot.id}/take-{step.take}.mp4"
        self.stored.append((attempt.id, path))
        return Stored(Clip(path, attempt.intent.fingerprint, 1000, 1280, 720, 4.0))


def often(chance: random.Random, outcomes: Mapping[str, float]) -> str:
    """One of several outcomes by weight."""
    return chance.choices(list(outcomes), list(outcomes.values()))[0]


NOT_SENT = NotSent("nothing listens at that host and port")
TRY_LATER = ServerError("internal error, retry later")
PROVIDER_FAULT = Failed("provider", "Video generation failed. Please try again.")
