"""The index of the work stays what queue, history and state say, whatever happens in a run."""

import random
from collections.abc import Awaitable, Callable, Mapping

import anyio
import pytest

from runner.attempts.attempt import Attempt
from runner.attempts.events import CreateResult, Failed, Lost, PollResult, Refused, Running, ServerError, Stored
from runner.attempts.history import History
from runner.attempts.task_facts import Callback, TaskFacts
from runner.engine.limits import RunLimits
from runner.engine.ordered_keys import OrderedKeys
from runner.engine.ports import Published, TransferFailed
from runner.engine.run_context import RunContext
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.webhooks import WebhookInbox
from runner.engine.work_index import WorkIndex
from runner.planning.plan import Step
from runner.requests.request import JsonValue, Material
from runner.requests.shot_text import NO_TEXT, ShotText
from tests.builders.engine_batches import PAID, batch, planner, shot
from tests.builders.ledgers import LedgerHome

from . import virtual
from .provider import NOT_SENT, PROVIDER_FAULT, Simulated, World

CHAINS = batch(
    *(shot(f"a{number}", prompt=f"picture {number % 5}") for number in range(8)),
    *(shot(f"b{number}", (f"a{number}",)) for number in range(8)),
    *(shot(f"c{number}", (f"b{number}", f"a{number}"), takes=2) for number in range(4)),
)


class RunInbox(WebhookInbox):
    """An inbox that shows the run which it is attached to."""

    @property
    def run(self) -> RunContext:
        assert self._run is not None
        return self._run


def contents(work: WorkIndex) -> tuple[object, ...]:
    downloads = [[(due_at, attempt, step.key) for due_at, attempt, step in series] for series in work.downloads()]
    creatable = [group.fingerprint for group in work.creatable()]
    return creatable, list(work.polls()), downloads, {attempt.id for attempt in work.running()}, work.in_progress()


class CheckedProvider(Simulated):
    """A provider at whose every request and answer the run's index is compared with a new one."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.inbox = RunInbox(self.fetch_record)
        self.checks = 0

    def check(self) -> None:
        run = self.inbox.run
        assert contents(run.work) == contents(WorkIndex(run.queue, run.history, run.state, run.limits))
        self.checks += 1

    async def fetch_record(self, task_id: str) -> tuple[PollResult, TaskFacts | None]:
        self.check()
        return Running("", "HTTP 503", answered=False), None

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        self.check()
        answer = await super().create(body, webhook_token, before_send)
        self.inbox.on_callback(webhook_token, Callback("task_1", "success"))
        self.check()
        return answer

    async def poll(self, attempt: Attempt) -> PollResult:
        self.check()
        answer = await super().poll(attempt)
        self.check()
        return answer

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        address = await super().publish(material, source)
        self.check()
        return TransferFailed("too large", final=True) if len(self.published) % 7 == 0 else address

    async def store(self, attempt: Attempt, step: Step | None) -> Stored | Lost | TransferFailed:
        self.check()
        result = await super().store(attempt, step)
        self.check()
        return result


@pytest.mark.parametrize("seed", range(6))
def test_a_kept_index_is_the_index_that_is_built_anew(ledgers: LedgerHome, seed: int) -> None:
    chance = random.Random(seed)
    answers: list[CreateResult | Failed | str | None] = [
        None, None, None, "lost", NOT_SENT, PROVIDER_FAULT, ServerError("500"), Refused(403, "not this model"),
    ]  # fmt: skip
    world = World(lambda body, count: chance.choice(answers[: 5 + seed]), lambda count: 20.0 + 7 * (count % 5), 6)
    provider = CheckedProvider(world)
    provider.poll_script = lambda task, count: Running("", answered=False) if count % 9 == 0 else None
    provider.store_script = lambda attempt, count: TransferFailed("reset") if chance.random() < 0.3 else None

    async def main() -> None:
        clock, limits = virtual.VirtualClock(), RunLimits("run1", concurrency=8, wait=600)
        ledger = ledgers.open(clock)
        ledger.start_run(PAID, "repo", limits)
        plan, history = planner(CHAINS), History()
        with anyio.fail_after(10**6):
            await run_loop(
                PlannedWork(plan(history), history, plan),
                RunPorts(provider, ledger, clock, lambda event: None, virtual.inline),
                limits,
                StopRequest(),
                provider.inbox,
            )
        ledger.close()

    virtual.run(main)
    assert provider.checks > 30


def test_keys_are_read_in_the_order_of_their_latest_ranks() -> None:
    keys: OrderedKeys[float, str] = OrderedKeys()
    for key, rank in (("a", 3.0), ("b", 1.0), ("c", 2.0), ("a", 0.5), ("c", None), ("d", 1.0), ("x", None)):
        keys.put(key, rank)
    assert list(keys) == [(0.5, "a"), (1.0, "b"), (1.0, "d")]
