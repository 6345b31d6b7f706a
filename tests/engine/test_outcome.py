"""The exit code of a run: the foremost of all that hold."""

import pytest

from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import Fate, Halt, Outcome

from .boards import film, planner

PLAN = planner(film(1))(History())
ONE = (Fate(PLAN.steps[0]),)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome(PLAN), ExitCode.DONE),
        (Outcome(PLAN, made=ONE), ExitCode.DONE),
        (Outcome(PLAN, waits=ONE), ExitCode.WAITING),
        (Outcome(PLAN, left=ONE), ExitCode.WAITING),
        (Outcome(PLAN, waits=ONE, failed=ONE), ExitCode.FAILED),
        (Outcome(PLAN, refused=ONE), ExitCode.FAILED),
        (Outcome(PLAN, blocked=ONE), ExitCode.FAILED),
        (Outcome(PLAN, gone=ONE), ExitCode.FAILED),
        (Outcome(PLAN, failed=ONE, unsettled=ONE), ExitCode.UNSETTLED),
        (Outcome(PLAN, unsettled=ONE, halt=Halt(ExitCode.DECLINED, "")), ExitCode.DECLINED),
        (Outcome(PLAN, unsettled=ONE, halt=Halt(ExitCode.KEY, "")), ExitCode.KEY),
        (Outcome(PLAN, unsettled=ONE, halt=Halt(ExitCode.UNFIT, "")), ExitCode.UNFIT),
        (Outcome(PLAN, halt=Halt(ExitCode.UNFIT, ""), interrupted=True), ExitCode.INTERRUPTED),
    ],
)
def test_the_foremost_of_all_that_hold_is_the_exit_code(outcome: Outcome, code: ExitCode) -> None:
    assert outcome.exit_code == code
