"""What happens in the middle of a run: credits run out, the key is revoked, the clock jumps, the machine sleeps."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.events import CreateResult, Failed, KeyRefused, NoCredits, Output, Running, Succeeded
from runner.attempts.history import AttemptState
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import TransferFailed

from .boards import film, planner
from .harness import EngineHarness, play
from .provider import Script, Simulated, World


def stage(tmp_path: Path, script: Script = lambda body, count: None, shots: int = 1) -> EngineHarness:
    return EngineHarness(tmp_path, Simulated(World(script), Decimal(160)), planner(film(shots)))


def states(here: EngineHarness) -> list[str]:
    return sorted(str(attempt.state) for attempt in here.history().attempts.values())


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (NoCredits("Insufficient credits", Decimal(160), Decimal(7)), ExitCode.DECLINED, "needs 160, 7 are left"),
        (NoCredits("Insufficient credits", Decimal(200)), ExitCode.DECLINED, "Our quote was 160 (seedance-20 720p)"),
        (KeyRefused("Invalid API key"), ExitCode.KEY, "check SEEDANCE_API_KEY"),
    ],
)
def test_when_credits_or_key_end_what_runs_is_brought_home_and_nothing_more_is_sent(
    tmp_path: Path, answer: CreateResult, code: ExitCode, words: str
) -> None:
    here = stage(tmp_path, lambda body, count: answer if count >= 3 else None, shots=8)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(outcome.finished), len(outcome.not_started)) == (code, 3, 5)
    assert 4 <= len(here.provider.world.arrived) <= 3 + 3  # no more than were on their way at once
    assert outcome.stop_reason is not None
    assert words in outcome.stop_reason.message
    here.provider.world.script = lambda body, count: None
    (outcome,) = play(here)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 5)


JUMPS = {
    "an hour on": timedelta(hours=1),
    "an hour back": timedelta(hours=-1),
    "asleep for 8 hours": timedelta(hours=8),
    "ten years on": timedelta(days=3652),
    "to 1970": timedelta(days=-20513),
}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
@pytest.mark.parametrize("moment", ["request", "look", "download"])
def test_a_clock_that_jumps_changes_no_decision(tmp_path: Path, jump: timedelta, moment: str) -> None:
    def jumps(here: EngineHarness, when: str) -> None:
        if when == moment and not here.clock.offset:
            here.clock.offset = jump

    def request(body: str, count: int) -> None:
        if count == 1:
            jumps(here, "request")

    def look(task: str, count: int) -> Running | None:
        jumps(here, "look")
        return Running("", not_found=True) if count <= 12 else None  # a copy that lags behind

    def store(attempt: object, count: int) -> TransferFailed | None:
        jumps(here, "download")
        dead = next(links, False)
        return TransferFailed("HTTP 403", link_expired=True) if dead else None

    here, links = stage(tmp_path, request, shots=4), iter([True, True])
    here.provider.look_script, here.provider.store_script = look, store
    (outcome,) = play(here, concurrency=2, credits_per_day=Decimal(640))
    assert here.clock.offset == jump
    assert (outcome.exit_code, states(here)) == (ExitCode.OK, ["stored"] * 4)
    assert len(here.provider.world.arrived) == 4


def test_a_clock_that_jumps_does_not_open_the_next_days_budget(tmp_path: Path) -> None:
    def request(body: str, count: int) -> None:
        here.clock.offset = timedelta(days=2 * count)

    here = stage(tmp_path, request, shots=6)
    (outcome,) = play(here, concurrency=1, credits_per_day=Decimal(480))
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


@pytest.mark.parametrize(("looks", "state", "code"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_what_a_task_says_at_its_end(
    tmp_path: Path, looks: list[Running | Succeeded | Failed], state: AttemptState, code: ExitCode
) -> None:
    here = stage(tmp_path)
    said: Callable[[], Running | Succeeded | Failed | None] = iter([*looks]).__next__

    def look(task: str, count: int) -> Running | Succeeded | Failed | None:
        return said() if count <= len(looks) else None

    here.provider.look_script = look
    (outcome,) = play(here)
    assert (outcome.exit_code, states(here)) == (code, [str(state)])
    assert outcome.money.billed == (160 if state is AttemptState.STORED else 0)
    assert len(here.provider.world.arrived) == 1
