"""The exit code of a run: the foremost of all that hold."""

import pytest

from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import RunResult, StopReason, TakeResult
from tests.builders.engine_batches import film, planner

PLAN = planner(film(1))(History())
ONE = (TakeResult(PLAN.steps[0]),)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (RunResult(PLAN), ExitCode.OK),
        (RunResult(PLAN, finished=ONE), ExitCode.OK),
        (RunResult(PLAN, waiting=ONE), ExitCode.WAITING),
        (RunResult(PLAN, not_started=ONE), ExitCode.WAITING),
        (RunResult(PLAN, waiting=ONE, failed=ONE), ExitCode.FAILED),
        (RunResult(PLAN, refused=ONE), ExitCode.FAILED),
        (RunResult(PLAN, blocked=ONE), ExitCode.FAILED),
        (RunResult(PLAN, gone=ONE), ExitCode.FAILED),
        (RunResult(PLAN, failed=ONE, unsettled=ONE), ExitCode.UNSETTLED),
        (RunResult(PLAN, unsettled=ONE, stop_reason=StopReason(ExitCode.DECLINED, "")), ExitCode.DECLINED),
        (RunResult(PLAN, unsettled=ONE, stop_reason=StopReason(ExitCode.KEY, "")), ExitCode.KEY),
        (RunResult(PLAN, unsettled=ONE, stop_reason=StopReason(ExitCode.INVALID, "")), ExitCode.INVALID),
        (RunResult(PLAN, stop_reason=StopReason(ExitCode.INVALID, ""), interrupted=True), ExitCode.INTERRUPTED),
    ],
)
def test_the_foremost_of_all_that_hold_is_the_exit_code(outcome: RunResult, code: ExitCode) -> None:
    assert outcome.exit_code == code
