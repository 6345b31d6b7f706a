"""Webhooks: a hint wakes a look and is never believed; a receipt brings back a task whose answer was lost."""

from pathlib import Path

import anyio
import pytest

from runner.attempts.events import PollResult, Running
from runner.attempts.history import AttemptState
from runner.attempts.task_facts import Callback, TaskFacts
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunResult
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.webhooks import WebhookInbox
from runner.store.ledger.ledger import Ledger

from . import virtual
from .boards import PAID, batch, film, planner, shot
from .harness import EngineHarness, play
from .provider import Simulated, World
from .virtual import BEGIN


class Post:
    """A run that hears webhooks, sent by the test at chosen moments."""

    def __init__(self, tmp_path: Path, world: World, shots: int = 1) -> None:
        self.stage = EngineHarness(tmp_path, Simulated(world), planner(film(shots)))
        self.hints = WebhookInbox(self.confirm)
        self.confirms = 0
        self.facts_model = "seedance-20"
        self.unread = 0

    async def confirm(self, task_id: str) -> tuple[PollResult, TaskFacts | None]:
        self.confirms += 1
        task = self.stage.provider.world.tasks.get(task_id)
        if task is None or self.confirms <= self.unread:
            return Running("", "HTTP 503", answered=False), None
        born = int((BEGIN.timestamp() + task.born) * 1000)
        return Running("generating"), TaskFacts(task_id, self.facts_model, born, None, None)

    def play(self, *posts: tuple[float, int, str]) -> RunResult:
        """(second, number of the attempt, task id): the webhooks that arrive."""
        limits = RunLimits("run1", expected=3000.0)

        async def send(after: float, attempt: int, task: str) -> None:
            await anyio.sleep(after)
            history = self.reading.history(PAID, "repo")
            receipt = list(history.attempts.values())[attempt].intent.webhook_token
            if self.hints.is_known_token(receipt):
                self.hints.on_callback(receipt, Callback(task, "success"))

        async def main() -> RunResult:
            ledger = Ledger(self.stage.state, self.stage.clock)
            self.reading = Ledger(self.stage.state, self.stage.clock)
            history = ledger.history(PAID, "repo")
            ledger.start_run(PAID, "repo", limits)
            async with anyio.create_task_group() as group:
                for post in posts:
                    group.start_soon(send, *post)
                outcome = await run_loop(
                    self.stage.plan(history), history, self.stage.provider, ledger, self.stage.clock, limits,
                    self.stage.news.append, self.stage.plan, StopRequest(), virtual.inline, self.hints,
                )  # fmt: skip
            ledger.close()
            self.reading.close()
            return outcome

        return virtual.run(main)

    def told(self, event: str) -> list[float]:
        return [(news.at - BEGIN).total_seconds() for news in self.stage.news if news.event == event]


def test_a_hint_wakes_the_look(tmp_path: Path) -> None:
    deaf, heard = Post(tmp_path / "deaf", World()), Post(tmp_path / "heard", World())
    deaf.play()
    heard.play((60.4, 0, "task_1"))
    assert heard.told("succeeded")[0] < 61
    assert heard.told("succeeded")[0] < deaf.told("succeeded")[0]


def test_a_forged_success_costs_one_look_and_changes_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path, World())
    outcome = post.play((5.0, 0, "task_1"), (6.0, 0, "task_of_somebody"))
    assert (outcome.exit_code, len(post.stage.provider.world.arrived)) == (ExitCode.OK, 1)
    assert post.told("succeeded")[0] > 60
    (warning,) = [news.message for news in post.stage.news if news.event == "warning"]
    assert "a webhook names task_of_somebody where the answer named task_1" in warning


def test_a_hint_while_a_look_is_on_its_way_wakes_the_next_look(tmp_path: Path) -> None:
    post, looked = Post(tmp_path, World()), list[float]()

    def hint(task: str, count: int) -> PollResult | None:
        looked.append(anyio.current_time())
        if count == 1:
            (attempt,) = post.reading.history(PAID, "repo").attempts.values()
            post.hints.on_callback(attempt.intent.webhook_token, Callback(task, "success"))
        return Running("generating") if count == 1 else None

    post.stage.provider.look_script = hint
    post.play()
    assert looked[1] - looked[0] < 0.1 < looked[2] - looked[1]


def test_a_receipt_brings_back_a_task_whose_answer_was_lost(tmp_path: Path) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    outcome = post.play((3.0, 0, "task_1"))
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 2)
    assert len(post.stage.provider.world.arrived) == 2


def test_doubt_waits_for_its_webhook_for_as_long_as_a_task_can_live(tmp_path: Path) -> None:
    late, never = (Post(tmp_path / name, World(lambda body, count: "lost")) for name in ("late", "never"))
    assert late.play((700.0, 0, "task_1")).exit_code == ExitCode.OK
    assert never.play().exit_code == ExitCode.UNSETTLED
    assert 890 < never.told("done")[0] < 910


def test_a_receipt_is_confirmed_again_when_the_provider_did_not_answer(tmp_path: Path) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.unread = 2
    assert post.play((3.0, 0, "task_1")).exit_code == ExitCode.OK


@pytest.mark.parametrize(("task", "model"), [("task_1", "seedance2-fast"), ("task_2", "seedance-20"), ("none", "")])
def test_a_receipt_that_does_not_fit_adopts_nothing(tmp_path: Path, task: str, model: str) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.facts_model = model
    outcome = post.play((3.0, 0, task))
    assert outcome.exit_code == ExitCode.UNSETTLED
    attempts = post.stage.history().attempts.values()
    assert sorted(attempt.state for attempt in attempts) == [AttemptState.STORED, AttemptState.UNSETTLED]
    assert post.confirms <= 5


def test_a_hint_for_an_attempt_that_ended_is_unknown(tmp_path: Path) -> None:
    post = Post(tmp_path, World(), shots=4)
    post.play((100.0, 0, "task_1"))
    (first, *_) = post.stage.history().attempts.values()
    assert first.state is AttemptState.STORED
    assert post.confirms == 0


def test_a_hint_about_a_task_of_words_that_changed_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path, World())
    play(post.stage, no_wait=True)
    post.stage.plan = planner(batch(shot("s1", prompt="other words")))
    assert post.play((5.0, 0, "task_of_somebody")).exit_code == ExitCode.OK
    assert any("a webhook names task_of_somebody" in news.message for news in post.stage.news)
