"""Webhooks: a callback brings the next poll forward and is never believed; it can name a lost task."""

import anyio
import pytest

from runner.attempts.attempt import AttemptState
from runner.attempts.events import PollResult, Running
from runner.attempts.task_facts import Callback, TaskFacts
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunResult
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.engine.webhooks import WebhookInbox
from tests.builders.engine_batches import PAID, batch, film, planner, shot
from tests.builders.ledgers import LedgerHome

from . import virtual
from .harness import EngineHarness, run_engine
from .provider import Simulated, World
from .virtual import BEGIN


class WebhookRun:
    """A run with a webhook inbox; the test sends the callbacks at chosen moments."""

    def __init__(self, ledgers: LedgerHome, world: World, shots: int = 1) -> None:
        self.engine = EngineHarness(ledgers, Simulated(world), planner(film(shots)))
        self.inbox = WebhookInbox(self.confirm)
        self.confirms = 0
        self.facts_model = "seedance-20"
        self.unread = 0

    async def confirm(self, task_id: str) -> tuple[PollResult, TaskFacts | None]:
        self.confirms += 1
        task = self.engine.provider.world.tasks.get(task_id)
        if task is None or self.confirms <= self.unread:
            return Running("", "HTTP 503", answered=False), None
        created_ms = int((BEGIN.timestamp() + task.created_at) * 1000)
        return Running("generating"), TaskFacts(task_id, self.facts_model, created_ms, None, None)

    def play(self, *posts: tuple[float, int, str]) -> RunResult:
        """(second, number of the attempt, task id): the webhooks that arrive."""
        limits = RunLimits("run1", expected=3000.0)

        async def send(after: float, attempt: int, task: str) -> None:
            await anyio.sleep(after)
            history = self.reader.history(PAID, "repo")
            webhook_token = list(history.attempts.values())[attempt].intent.webhook_token
            if self.inbox.is_known_token(webhook_token):
                self.inbox.on_callback(webhook_token, Callback(task, "success"))

        async def main() -> RunResult:
            ledger = self.engine.ledgers.open(self.engine.clock)
            self.reader = self.engine.ledgers.open(self.engine.clock)
            history = ledger.history(PAID, "repo")
            ledger.start_run(PAID, "repo", limits)
            async with anyio.create_task_group() as group:
                for post in posts:
                    group.start_soon(send, *post)
                outcome = await run_loop(
                    PlannedWork(self.engine.plan(history), history, self.engine.plan),
                    RunPorts(
                        self.engine.provider, ledger, self.engine.clock, self.engine.emitted.append, virtual.inline
                    ),
                    limits,
                    StopRequest(),
                    self.inbox,
                )
            ledger.close()
            self.reader.close()
            return outcome

        return virtual.run(main)

    def seconds_of(self, kind: str) -> list[float]:
        return [(emitted.at - BEGIN).total_seconds() for emitted in self.engine.emitted if emitted.event == kind]


def test_a_hint_brings_the_next_poll_forward(ledgers: LedgerHome) -> None:
    without_webhook, with_webhook = WebhookRun(ledgers / "without", World()), WebhookRun(ledgers / "with", World())
    without_webhook.play()
    with_webhook.play((60.4, 0, "task_1"))
    assert with_webhook.seconds_of("succeeded")[0] < 61
    assert with_webhook.seconds_of("succeeded")[0] < without_webhook.seconds_of("succeeded")[0]


def test_a_forged_success_costs_one_poll_and_changes_nothing(ledgers: LedgerHome) -> None:
    post = WebhookRun(ledgers, World())
    outcome = post.play((5.0, 0, "task_1"), (6.0, 0, "task_of_somebody"))
    assert (outcome.exit_code, len(post.engine.provider.world.arrived)) == (ExitCode.OK, 1)
    assert post.seconds_of("succeeded")[0] > 60
    (warning,) = [event.message for event in post.engine.emitted if event.event == "warning"]
    assert "a webhook named task_of_somebody, but createTask answered task_1" in warning


def test_a_hint_during_a_poll_brings_the_next_poll_forward(ledgers: LedgerHome) -> None:
    post, polled_at = WebhookRun(ledgers, World()), list[float]()

    def hint(task: str, count: int) -> PollResult | None:
        polled_at.append(anyio.current_time())
        if count == 1:
            (attempt,) = post.reader.history(PAID, "repo").attempts.values()
            post.inbox.on_callback(attempt.intent.webhook_token, Callback(task, "success"))
        return Running("generating") if count == 1 else None

    post.engine.provider.poll_script = hint
    post.play()
    assert polled_at[1] - polled_at[0] < 0.1 < polled_at[2] - polled_at[1]


def test_a_webhook_brings_back_a_task_whose_answer_was_lost(ledgers: LedgerHome) -> None:
    post = WebhookRun(ledgers, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    outcome = post.play((3.0, 0, "task_1"))
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 2)
    assert len(post.engine.provider.world.arrived) == 2


def test_an_unsettled_attempt_waits_for_its_webhook_for_as_long_as_a_task_can_live(ledgers: LedgerHome) -> None:
    late, never = (WebhookRun(ledgers / folder, World(lambda body, count: "lost")) for folder in ("late", "never"))
    assert late.play((700.0, 0, "task_1")).exit_code == ExitCode.OK
    assert never.play().exit_code == ExitCode.UNSETTLED
    assert 890 < never.seconds_of("done")[0] < 910


def test_a_webhooks_task_is_confirmed_again_when_the_provider_did_not_answer(ledgers: LedgerHome) -> None:
    post = WebhookRun(ledgers, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.unread = 2
    assert post.play((3.0, 0, "task_1")).exit_code == ExitCode.OK


@pytest.mark.parametrize(("task", "model"), [("task_1", "seedance2-fast"), ("task_2", "seedance-20"), ("none", "")])
def test_a_webhook_whose_task_does_not_match_adopts_nothing(ledgers: LedgerHome, task: str, model: str) -> None:
    post = WebhookRun(ledgers, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.facts_model = model
    outcome = post.play((3.0, 0, task))
    assert outcome.exit_code == ExitCode.UNSETTLED
    attempts = post.engine.history().attempts.values()
    assert sorted(attempt.state for attempt in attempts) == [AttemptState.STORED, AttemptState.UNSETTLED]
    assert post.confirms <= 5


@pytest.mark.parametrize("wrong", [["task_2"], ["none"], ["a", "b", "c", "d", "e", "f", "g", "h"], ["task_2", "none"]])
@pytest.mark.parametrize("gap", [0.0, 0.1, 40.0])
def test_the_right_webhook_is_heard_after_wrong_webhooks(ledgers: LedgerHome, wrong: list[str], gap: float) -> None:
    post = WebhookRun(ledgers, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    posts = [(3.0 + position * gap, 0, task) for position, task in enumerate([*wrong, "task_1"])]
    outcome = post.play(*posts)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 2)
    assert len(post.engine.provider.world.arrived) == 2


def test_a_hint_for_an_attempt_that_ended_is_unknown(ledgers: LedgerHome) -> None:
    post = WebhookRun(ledgers, World(), shots=4)
    post.play((100.0, 0, "task_1"))
    (first, *_) = post.engine.history().attempts.values()
    assert first.state is AttemptState.STORED
    assert post.confirms == 0


def test_a_hint_about_a_task_of_an_earlier_prompt_is_reported_and_breaks_nothing(ledgers: LedgerHome) -> None:
    post = WebhookRun(ledgers, World())
    run_engine(post.engine, no_wait=True)
    post.engine.plan = planner(batch(shot("s1", prompt="other words")))
    assert post.play((5.0, 0, "task_of_somebody")).exit_code == ExitCode.OK
    assert any("a webhook named task_of_somebody" in event.message for event in post.engine.emitted)
