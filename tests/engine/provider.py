"""A simulated provider: it keeps its own journal, which is the judge of what was created and charged."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import anyio

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
from runner.attempts.history import Attempt
from runner.editions.edition import Edition
from runner.engine.ports import TransferFailed
from runner.planning.plan import Step
from runner.providers.kinovi import request_body
from runner.requests.request import JsonValue, Material, Request, canonical_json


@dataclass(slots=True)
class Task:
    """One job at the provider."""

    id: str
    body: str
    born: float
    seconds: float
    fails: Failed | None = None

    def ended_by(self, now: float) -> bool:
        return now >= self.born + self.seconds


Script = Callable[[str, int], CreateResult | Failed | str | None]
"""(body, how many requests came before) to what happens: an answer without a task, a task that fails, None for a
task that succeeds, "lost" for a task whose answer is lost, "500 and made" for one that is answered by a documented
500, "dropped" for a request that got lost before."""


@dataclass(slots=True)
class World:
    """The provider's truth: every request that arrived and every task that was made."""

    script: Script = lambda body, count: None
    seconds: Callable[[int], float] = lambda count: 60.0
    cap: int = 1000
    arrived: list[str] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    looks: int = 0
    peak: int = 0
    latency: float = 0.2
    note: Callable[[str, str], None] = lambda body, what: None
    """Hears of every request when it arrives: its body, and "made", "busy" or what the script said."""

    def in_progress(self, now: float) -> int:
        return sum(not task.ended_by(now) for task in self.tasks.values())

    def charged(self, body: str) -> int:
        """How many tasks of this body were made and did not fail."""
        return sum(task.body == body and task.fails is None for task in self.tasks.values())


class Simulated:
    """The door to a `World`, as the engine sees it."""

    key_id = "01234567"

    def __init__(self, world: World, bill: Decimal = Decimal(160)) -> None:
        self.world = world
        self.bill = bill
        self.stored: list[tuple[str, str]] = []
        self.published: list[Material] = []
        self.store_script: Callable[[Attempt, int], TransferFailed | Lost | None] = lambda attempt, count: None
        self.look_script: Callable[[str, int], PollResult | None] = lambda task, count: None
        self.preflight_answer: CreateResult | None = None

    def encode(
        self, request: Request, edition: Edition, address: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        return request_body.encode(
            request, edition, lambda material: address(material) or request_body.placeholder(material)
        )

    async def preflight(self) -> CreateResult | None:
        return self.preflight_answer

    async def create(
        self, body: Mapping[str, JsonValue], receipt: str, sending: Callable[[], Awaitable[None]]
    ) -> CreateResult:
        world, text = self.world, canonical_json(dict(body))
        said = world.script(text, len(world.arrived))
        await anyio.sleep(world.latency)
        if isinstance(said, NotSent):
            return said
        await sending()
        world.arrived.append(text)
        now = anyio.current_time()
        if (said is None or isinstance(said, str)) and world.in_progress(now) >= world.cap:
            world.note(text, "busy")
            return ConcurrencyLimited("too many", limit=world.cap, current=world.cap)
        world.note(text, said if isinstance(said, str) else "made" if said is None else type(said).__name__)
        if said == "dropped":
            return OutcomeUnknown("the connection was reset")
        if said is not None and not isinstance(said, Failed | str):
            await anyio.sleep(world.latency)
            return said
        task = Task(f"task_{len(world.tasks) + 1}", text, now, world.seconds(len(world.tasks)))
        task.fails = said if isinstance(said, Failed) else None
        world.tasks[task.id] = task
        world.peak = max(world.peak, world.in_progress(now))
        await anyio.sleep(world.latency)
        if said == "500 and made":
            return TRY_LATER
        return OutcomeUnknown("the connection was reset") if said == "lost" else Created(task.id)

    async def poll(self, task_id: str, model: str | None = None) -> PollResult:
        self.world.looks += 1
        await anyio.sleep(self.world.latency / 4)
        if (said := self.look_script(task_id, self.world.looks)) is not None:
            return said
        task = self.world.tasks.get(task_id)
        if task is None:
            return Running("", not_found=True)
        if not task.ended_by(anyio.current_time()):
            return Running("generating")
        times = (int(task.born * 1000), int((task.born + task.seconds) * 1000))
        if task.fails is not None:
            return Failed(task.fails.kind, task.fails.message, created_ms=times[0], completed_ms=times[1])
        return Succeeded((Output(f"https://media.example/{task_id}.mp4"),), self.bill, *times)

    async def publish(self, material: Material, source: Attempt | None) -> str | TransferFailed:
        self.published.append(material)
        await anyio.sleep(self.world.latency)
        return f"https://files.example/{len(self.published)}.png"

    async def store(self, attempt: Attempt, step: Step) -> Stored | Lost | TransferFailed:
        await anyio.sleep(self.world.latency)
        if (said := self.store_script(attempt, len(self.stored))) is not None:
            return said
        path = f"renders/film/kinovi/clips/{step.shot.id}/take-{step.take}.mp4"
        self.stored.append((attempt.id, path))
        return Stored(Clip(path, attempt.intent.fingerprint, 1000, 1280, 720, 4.0))


def often(chance: random.Random, outcomes: Mapping[str, float]) -> str:
    """One of several outcomes by weight."""
    return chance.choices(list(outcomes), list(outcomes.values()))[0]


NOT_SENT = NotSent("nothing listens at that host and port")
TRY_LATER = ServerError("internal error, retry later")
PROVIDER_FAULT = Failed("provider", "Video generation failed. Please try again.")
