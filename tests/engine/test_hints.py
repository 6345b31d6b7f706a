"""Webhooks: a hint wakes a look and is never believed; a receipt brings back a task whose answer was lost."""

from pathlib import Path

import anyio
import pytest

from runner.attempts.events import LookAnswer, Running
from runner.attempts.history import State
from runner.attempts.task_facts import Callback, Facts
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import Limits
from runner.engine.run_events import Outcome
from runner.engine.run_loop import Stopping, make
from runner.engine.webhooks import Hints
from runner.store.ledger.ledger import Ledger

from . import virtual
from .boards import PAID, batch, film, planner, shot
from .harness import Stage, play
from .provider import Simulated, World
from .virtual import BEGIN


class Post:
    """A run that hears webhooks, sent by the test at chosen moments."""

    def __init__(self, tmp_path: Path, world: World, shots: int = 1) -> None:
        self.stage = Stage(tmp_path, Simulated(world), planner(film(shots)))
        self.hints = Hints(self.confirm)
        self.confirms = 0
        self.facts_model = "seedance-20"
        self.unread = 0

    async def confirm(self, task_id: str) -> tuple[LookAnswer, Facts | None]:
        self.confirms += 1
        task = self.stage.provider.world.tasks.get(task_id)
        if task is None or self.confirms <= self.unread:
            return Running("", "HTTP 503", heard=False), None
        born = int((BEGIN.timestamp() + task.born) * 1000)
        return Running("generating"), Facts(task_id, self.facts_model, born, None, None)

    def play(self, *posts: tuple[float, int, str]) -> Outcome:
        """(second, number of the attempt, task id): the webhooks that arrive."""
        limits = Limits("run1", expected=3000.0)

        async def send(after: float, attempt: int, task: str) -> None:
            await anyio.sleep(after)
            history = self.reading.history(PAID, "repo")
            receipt = list(history.attempts.values())[attempt].intended.receipt
            if self.hints.knows(receipt):
                self.hints.heard(receipt, Callback(task, "success"))

        async def main() -> Outcome:
            ledger = Ledger(self.stage.state, self.stage.clock)
            self.reading = Ledger(self.stage.state, self.stage.clock)
            history = ledger.history(PAID, "repo")
            ledger.begin(PAID, "repo", limits)
            async with anyio.create_task_group() as group:
                for post in posts:
                    group.start_soon(send, *post)
                outcome = await make(
                    self.stage.plan(history), history, self.stage.provider, ledger, self.stage.clock, limits,
                    self.stage.news.append, self.stage.plan, Stopping(), virtual.inline, self.hints,
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
    assert (outcome.exit_code, len(post.stage.provider.world.arrived)) == (ExitCode.DONE, 1)
    assert post.told("succeeded")[0] > 60
    (warning,) = [news.words for news in post.stage.news if news.event == "warning"]
    assert "a webhook names task_of_somebody where the answer named task_1" in warning


def test_a_hint_while_a_look_is_on_its_way_wakes_the_next_look(tmp_path: Path) -> None:
    post, looked = Post(tmp_path, World()), list[float]()

    def hint(task: str, count: int) -> LookAnswer | None:
        looked.append(anyio.current_time())
        if count == 1:
            (attempt,) = post.reading.history(PAID, "repo").attempts.values()
            post.hints.heard(attempt.intended.receipt, Callback(task, "success"))
        return Running("generating") if count == 1 else None

    post.stage.provider.look_script = hint
    post.play()
    assert looked[1] - looked[0] < 0.1 < looked[2] - looked[1]


def test_a_receipt_brings_back_a_task_whose_answer_was_lost(tmp_path: Path) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    outcome = post.play((3.0, 0, "task_1"))
    assert (outcome.exit_code, len(outcome.made)) == (ExitCode.DONE, 2)
    assert len(post.stage.provider.world.arrived) == 2


def test_doubt_waits_for_its_webhook_for_as_long_as_a_task_can_live(tmp_path: Path) -> None:
    late, never = (Post(tmp_path / name, World(lambda body, count: "lost")) for name in ("late", "never"))
    assert late.play((700.0, 0, "task_1")).exit_code == ExitCode.DONE
    assert never.play().exit_code == ExitCode.UNSETTLED
    assert 890 < never.told("done")[0] < 910


def test_a_receipt_is_confirmed_again_when_the_provider_did_not_answer(tmp_path: Path) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.unread = 2
    assert post.play((3.0, 0, "task_1")).exit_code == ExitCode.DONE


@pytest.mark.parametrize(("task", "model"), [("task_1", "seedance2-fast"), ("task_2", "seedance-20"), ("none", "")])
def test_a_receipt_that_does_not_fit_adopts_nothing(tmp_path: Path, task: str, model: str) -> None:
    post = Post(tmp_path, World(lambda body, count: "lost" if count == 0 else None), shots=2)
    post.facts_model = model
    outcome = post.play((3.0, 0, task))
    assert outcome.exit_code == ExitCode.UNSETTLED
    attempts = post.stage.history().attempts.values()
    assert sorted(attempt.state for attempt in attempts) == [State.STORED, State.UNSETTLED]
    assert post.confirms <= 5


def test_a_hint_for_an_attempt_that_ended_is_unknown(tmp_path: Path) -> None:
    post = Post(tmp_path, World(), shots=4)
    post.play((100.0, 0, "task_1"))
    (first, *_) = post.stage.history().attempts.values()
    assert first.state is State.STORED
    assert post.confirms == 0


def test_a_hint_about_a_task_of_words_that_changed_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path, World())
    play(post.stage, no_wait=True)
    post.stage.plan = planner(batch(shot("s1", prompt="other words")))
    assert post.play((5.0, 0, "task_of_somebody")).exit_code == ExitCode.DONE
    assert any("a webhook names task_of_somebody" in news.words for news in post.stage.news)
