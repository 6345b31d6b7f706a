"""Stories: a provider that loses answers and fails, processes that die at any step, users that settle and edit.

The judge is the provider's own journal, never what the program believes.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from runner.attempts.attempt import AttemptState
from runner.attempts.events import (
    ConcurrencyLimited,
    CreateResult,
    Event,
    Failed,
    KeyRefused,
    NoCredits,
    Refused,
    Settled,
)
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunResult
from runner.engine.run_loop import StopRequest, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.planning.plan import Plan
from tests.builders.engine_batches import PAID, batch, planner, shot
from tests.builders.ledgers import IMPLEMENTATIONS, LedgerHome

from . import virtual
from .dying import DyingLedger, DyingProvider, Killed, Life
from .provider import NOT_SENT, PROVIDER_FAULT, TRY_LATER, Simulated, World

PRICE = 160
ANSWERS: dict[str, CreateResult | Failed | str | None] = {
    "made": None,
    "lost": "lost",
    "dropped": "dropped",
    "not sent": NOT_SENT,
    "500": TRY_LATER,
    "500 and made": "500 and made",
    "refused": Refused(400, "prompt breaks a rule"),
    "401": KeyRefused("no such key"),
    "402": NoCredits("not enough", Decimal(160), Decimal(0)),
    "429": ConcurrencyLimited("no slot"),
    "fault": PROVIDER_FAULT,
    "moderation": Failed("moderation", "content violates platform rules"),
}
IN_DOUBT = ("made", "lost", "dropped")
"""After these a task may have been charged: another request needs the user's word."""


@dataclass(slots=True)
class Journal:
    """What arrived at the provider, by body, and what excuses a second request."""

    arrivals: dict[str, list[str]] = field(default_factory=dict)
    excused: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def arrive(self, body: str, what: str) -> None:
        before = self.arrivals.setdefault(body, [])
        open_ones = sum(kind in IN_DOUBT for kind in before)
        if open_ones > self.excused[body]:
            self.violations.append(f"sent again after {before}: {body}")
        before.append(what)


class Worlds(RuleBasedStateMachine):
    """One story. What changes: the state folder, the provider's world, the storyboard, the user's settlements."""

    implementation = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        shm = Path("/dev/shm")
        self.ledgers = LedgerHome(Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None)), self.implementation)
        self.clock = virtual.VirtualClock()
        self.journal = Journal()
        self.answers: list[str] = []
        self.world = World(self._answer, note=self.journal.arrive, seconds=lambda count: 20.0 + 7 * (count % 5))
        self.provider = Simulated(self.world)
        self.prompts = {"a": 0, "b": 0, "c": 0, "d": 0, "e": 0}
        self.runs = 0
        self.time = 0.0

    def teardown(self) -> None:
        try:
            self._clean_ending()
        finally:
            shutil.rmtree(self.ledgers.folder)

    # -- the world ----------------------------------------------------------------------------------------

    def _answer(self, body: str, count: int) -> CreateResult | Failed | str | None:
        return ANSWERS[self.answers.pop(0)] if self.answers else None

    def _plan(self, upto: int = 5) -> Callable[[History], Plan]:
        shot_ids = list(self.prompts)[:upto]
        shots = [
            shot(shot_id, prompt=f"{shot_id} {self.prompts[shot_id]}")
            for shot_id in shot_ids
            if shot_id not in ("c", "d")
        ]
        if upto > 3:
            shots.insert(1, shot("c", ("a",), prompt=f"c {self.prompts['c']}"))
            shots.append(shot("d", ("c", "b"), prompt=f"d {self.prompts['d']}"))
        return planner(batch(*shots))

    # -- what people and fate do --------------------------------------------------------------------------

    @initialize(cap=st.sampled_from([1, 2, 1000]))
    def begin(self, cap: int) -> None:
        self.world.concurrency = cap

    @rule(
        answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=7),
        dies=st.one_of(st.none(), st.integers(0, 90)),
        stops=st.one_of(st.none(), st.floats(0.1, 80)),
        ceiling=st.one_of(st.none(), st.integers(0, 6)),
    )
    def a_run(self, answers: list[str], dies: int | None, stops: float | None, ceiling: int | None) -> None:
        self.answers = list(answers)
        self._run_all([(dies, stops, ceiling, 5)])

    @rule(
        answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=7),
        first=st.one_of(st.none(), st.integers(0, 90)),
        second=st.one_of(st.none(), st.integers(0, 90)),
    )
    def two_runs_at_once(self, answers: list[str], first: int | None, second: int | None) -> None:
        self.answers = list(answers)
        self._run_all([(first, None, None, 5), (second, None, None, 3)])

    @rule(shot_id=st.sampled_from("abcde"))
    def an_edit(self, shot_id: str) -> None:
        self.prompts[shot_id] += 1

    @rule(shot_id=st.sampled_from("abcde"))
    def an_edit_taken_back(self, shot_id: str) -> None:
        self.prompts[shot_id] = max(0, self.prompts[shot_id] - 1)

    @rule(hours=st.sampled_from([-24, -1, 1, 30, 87600]))
    def the_clock_jumps(self, hours: int) -> None:
        self.clock.offset += timedelta(hours=hours)
        self.clock.offset = max(self.clock.offset, timedelta(days=-300))

    @rule()
    def the_user_settles_what_is_in_doubt(self) -> None:
        """With the truth, as the vendor's page shows it."""
        ledger = self.ledgers.open(self.clock)
        bound = {attempt.task_id for attempt in ledger.history(PAID, "repo").attempts.values()}
        for attempt in ledger.history(PAID, "repo").open():
            if attempt.state is not AttemptState.UNSETTLED:
                continue
            body = attempt.intent.body
            task = next((t.id for t in self.world.tasks.values() if t.body == body and t.id not in bound), None)
            word = Settled("adopted", task) if task else Settled("not-charged")
            ledger.append(Event(self.clock.now(), attempt.id, word))
            bound.add(task)
            if task is None:
                self.journal.excused[body] += 1
        ledger.close()

    # -- playing ------------------------------------------------------------------------------------------

    def _run_all(self, processes: list[tuple[int | None, float | None, int | None, int]]) -> list[RunResult | None]:
        outcomes: list[RunResult | None] = []

        async def run_once(dies: int | None, stops: float | None, ceiling: int | None, upto: int) -> None:
            outcomes.append(await self._run_once(dies, stops, ceiling, upto))

        async def main() -> None:
            async with anyio.create_task_group() as group:
                for process in processes:
                    group.start_soon(run_once, *process)

        before = len(self.world.tasks)
        virtual.run(main)
        self.clock.offset += timedelta(seconds=3000)  # the next loop's time begins at 0 again
        for task in self.world.tasks.values():
            task.created_at -= 3000
        assert not self.journal.violations, self.journal.violations
        ceilings = [process[2] for process in processes]
        if len(ceilings) == 1 and ceilings[0] is not None:
            charged = sum(task.fails is None for task in list(self.world.tasks.values())[before:])
            assert charged <= ceilings[0], "more was created than the ceiling allows"
        return outcomes

    async def _run_once(
        self, dies: int | None, stops: float | None, ceiling: int | None, upto: int
    ) -> RunResult | None:
        self.runs += 1
        life = Life(dies)
        credits = None if ceiling is None else Decimal(ceiling * PRICE)
        limits = RunLimits(f"run{self.runs}", max_credits=credits, wait=600)
        plan = self._plan(upto)
        ledger = self.ledgers.open(self.clock)
        dying = DyingLedger(ledger, life)
        stop_request = StopRequest()
        try:
            history = ledger.history(PAID, "repo")
            first_plan: Plan = plan(history)
            ledger.start_run(PAID, "repo", limits)
            async with anyio.create_task_group() as group:
                group.start_soon(_stop, stop_request, stops)
                outcome = await run_loop(
                    PlannedWork(first_plan, history, plan),
                    RunPorts(DyingProvider(self.provider, life), dying, self.clock, lambda event: None, virtual.inline),
                    limits,
                    stop_request,
                )
                group.cancel_scope.cancel()
        except BaseException as raised:
            dying.bury()
            if _is_death(raised):
                return None
            raise
        ledger.close()
        return outcome

    def _clean_ending(self) -> None:
        """Without further faults, two runs make all takes that are not unsettled or refused."""
        self.world.concurrency = 1000
        self.answers = []
        self.clock.offset += timedelta(hours=1)
        for _ in range(2):
            (outcome,) = self._run_all([(None, None, None, 5)])
        assert outcome is not None
        ledger = self.ledgers.open(self.clock)
        history = ledger.history(PAID, "repo")
        states = Counter(attempt.state for attempt in history.attempts.values())
        fingerprints = {step.fingerprint for step in outcome.plan.steps}
        for attempt in history.attempts.values():
            events = ledger.events(attempt.id)
            assert events[0].payload == attempt.intent
            assert attempt.state not in (AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.INTENDED), (
                "a task id was left lying, of a take or of an earlier version"
            )
        for fingerprint in fingerprints:
            unsettled = sum(
                attempt.state is AttemptState.UNSETTLED for attempt in history.attempts_of(fingerprint or "")
            )
            assert unsettled <= 1
        ledger.close()
        if not (
            states[AttemptState.UNSETTLED] or states[AttemptState.REFUSED] or outcome.failed or outcome.stop_reason
        ):
            assert outcome.exit_code == ExitCode.OK, (outcome.exit_code, states, outcome)


async def _stop(stop_request: StopRequest, after: float | None) -> None:
    if after is not None:
        await anyio.sleep(after)
        stop_request.on_signal()


def _is_death(raised: BaseException) -> bool:
    if isinstance(raised, BaseExceptionGroup):
        return any(_is_death(inner) for inner in raised.exceptions)
    return isinstance(raised, Killed)


def tell_stories(implementation: str, count: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Worlds", (Worlds,), {"implementation": implementation}),
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_story_pays_twice_or_loses_a_task(implementation: str) -> None:
    tell_stories(implementation, 25, 8)


@pytest.mark.long
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_story_of_thousands_pays_twice_or_loses_a_task(implementation: str) -> None:
    tell_stories(implementation, 3000, 12)
