"""What happens in the middle of a run: credits run out, the key is revoked, the clock jumps, the machine sleeps."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.attempts.attempt import AttemptState
from runner.attempts.events import CreateResult, Failed, KeyRefused, NoCredits, Output, Running, Succeeded
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import TransferFailed
from tests.builders.engine_batches import film, planner
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Script, Simulated, World


def harness(ledgers: LedgerHome, script: Script = lambda body, count: None, shots: int = 1) -> EngineHarness:
    return EngineHarness(ledgers, Simulated(World(script), Decimal(160)), planner(film(shots)))


def states(engine: EngineHarness) -> list[str]:
    return sorted(str(attempt.state) for attempt in engine.history().attempts.values())


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (NoCredits("Insufficient credits", Decimal(160), Decimal(7)), ExitCode.DECLINED, "needs 160, 7 are left"),
        (NoCredits("Insufficient credits", Decimal(200)), ExitCode.DECLINED, "The quote was 160 (seedance-20 720p)"),
        (KeyRefused("Invalid API key"), ExitCode.KEY, "check SEEDANCE_API_KEY or KINOVI_API_KEY"),
    ],
)
def test_when_credits_or_key_end_running_tasks_are_collected_and_nothing_more_is_sent(
    ledgers: LedgerHome, answer: CreateResult, code: ExitCode, message: str
) -> None:
    engine = harness(ledgers, lambda body, count: answer if count >= 3 else None, shots=8)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.finished), len(outcome.not_started)) == (code, 3, 5)
    assert 4 <= len(engine.provider.world.arrived) <= 3 + 3  # no more than were on their way at once
    assert outcome.stop_reason is not None
    assert message in outcome.stop_reason.message
    engine.provider.world.script = lambda body, count: None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 5)


JUMPS = {
    "an hour on": timedelta(hours=1),
    "an hour back": timedelta(hours=-1),
    "asleep for 8 hours": timedelta(hours=8),
    "ten years on": timedelta(days=3652),
    "to 1970": timedelta(days=-20513),
}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
@pytest.mark.parametrize("moment", ["request", "poll", "download"])
def test_a_clock_that_jumps_changes_no_decision(ledgers: LedgerHome, jump: timedelta, moment: str) -> None:
    def jumps(engine: EngineHarness, when: str) -> None:
        if when == moment and not engine.clock.offset:
            engine.clock.offset = jump

    def request(body: str, count: int) -> None:
        if count == 1:
            jumps(engine, "request")

    def poll(task: str, count: int) -> Running | None:
        jumps(engine, "poll")
        return Running("", not_found=True) if count <= 12 else None  # a replica that lags behind

    def download(attempt: object, count: int) -> TransferFailed | None:
        jumps(engine, "download")
        dead = next(links, False)
        return TransferFailed("HTTP 403", link_expired=True) if dead else None

    engine, links = harness(ledgers, request, shots=4), iter([True, True])
    engine.provider.poll_script, engine.provider.store_script = poll, download
    (outcome,) = run_engine(engine, concurrency=2, credits_per_day=Decimal(640))
    assert engine.clock.offset == jump
    assert (outcome.exit_code, states(engine)) == (ExitCode.OK, ["stored"] * 4)
    assert len(engine.provider.world.arrived) == 4


def test_a_clock_that_jumps_does_not_open_the_next_days_budget(ledgers: LedgerHome) -> None:
    def request(body: str, count: int) -> None:
        engine.clock.offset = timedelta(days=2 * count)

    engine = harness(ledgers, request, shots=6)
    (outcome,) = run_engine(engine, concurrency=1, credits_per_day=Decimal(480))
    assert (outcome.exit_code, len(outcome.finished), len(outcome.not_started)) == (ExitCode.DECLINED, 3, 3)


SUCCESS = Succeeded((Output("https://media.example/x.mp4"),), Decimal(160))
ENDS: list[tuple[str, list[Running | Succeeded | Failed], AttemptState, ExitCode]] = [
    ("29 backwards after success", [Succeeded((), Decimal(160)), Running("generating"), SUCCESS], AttemptState.STORED,
     ExitCode.OK),
    ("29 failed after success", [Succeeded((), Decimal(160)), Failed("provider", "Video generation failed")],
     AttemptState.STORED, ExitCode.OK),
    ("30 no link at first", [Succeeded((), Decimal(160)), Succeeded((), Decimal(160)), SUCCESS], AttemptState.STORED,
     ExitCode.OK),
    ("31 failed with credits", [Failed("face", "Face detected", credits_used=Decimal(160))], AttemptState.REFUSED,
     ExitCode.FAILED),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "state", "code"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_the_answers_at_a_tasks_end_decide_its_state(
    ledgers: LedgerHome, answers: list[Running | Succeeded | Failed], state: AttemptState, code: ExitCode
) -> None:
    engine = harness(ledgers)
    next_answer: Callable[[], Running | Succeeded | Failed | None] = iter([*answers]).__next__

    def poll(task: str, count: int) -> Running | Succeeded | Failed | None:
        return next_answer() if count <= len(answers) else None

    engine.provider.poll_script = poll
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, states(engine)) == (code, [str(state)])
    assert outcome.money.ordered.billed == (160 if state is AttemptState.STORED else 0)
    assert len(engine.provider.world.arrived) == 1
