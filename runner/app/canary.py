"""`run --canary N`: the first takes are made and shown before the rest is ordered."""

from collections.abc import Collection

from runner.app.approval import Approval
from runner.app.closing_report import line_to_continue
from runner.app.conversation import Conversation
from runner.app.execute import Execution
from runner.app.run_outcome import RunOutcome
from runner.app.run_store import PlannedRun
from runner.attempts.film import TakeKey
from runner.diagnostics.problem import CommandError, ExitCode, most_severe
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.selection import shot_selector
from runner.show.text.command_line import CommandLine


def has_rest(plan: Plan, number: int) -> bool:
    """Whether a plan orders more than the first `number` takes."""
    return sum(step.is_billable for step in plan.steps) > number


def make_first_then_rest(
    whole: PlannedRun, number: int, approval: Approval, execution: Execution, conversation: Conversation
) -> RunOutcome:
    """Make the first takes of a plan, show them, and make the rest once somebody agrees or nothing is amiss."""
    keys = whole.plan.first_orders(number)
    first = _ordering(whole, execution, keys)
    # The limits hold for the whole plan: nobody learns after the first takes that the rest may not be made.
    approved = approval.approve(whole, conversation, first.plan)
    outcome = execution.execute(replace(first, store=approved.store), conversation, more_follows=True)
    # By the history after the first takes, and by the uncapped store: the first question's price was that of the first.
    rest = _ordering(whole, execution, {step.key for step in whole.plan.steps} - keys)
    is_asked = conversation.can_ask and not rest.plan.is_free and not approval.spending.yes
    reason = _reason_to_stop(outcome.result, is_asked=is_asked)
    if reason is None:
        conversation.show_first(outcome)
        outcome = replace(outcome, closing=None)
        try:
            rest = approval.approve(rest, conversation)
        except CommandError as error:
            # The first takes are made and shown, whatever the answer: the run ends with its own screen and exit code.
            conversation.note(error.message)
            reason = error.code
        except KeyboardInterrupt:
            reason = ExitCode.INTERRUPTED
    if reason is not None:
        command = _command_to_continue(approval.report.command_line, rest.plan)
        return replace(outcome, exit_code=reason, next_command=command, was_followed=False)
    # What waited after the first takes is made by the rest.
    before = ExitCode.OK if outcome.exit_code is ExitCode.WAITING else outcome.exit_code
    end = execution.execute(rest, conversation, before=before)
    return replace(end, exit_code=most_severe([before, end.exit_code]))


def _ordering(whole: PlannedRun, execution: Execution, keys: Collection[TakeKey]) -> PlannedRun:
    """The run by the present history that orders these takes only."""
    scope = replace(whole.scope, overrides=replace(whole.scope.overrides, first=frozenset(keys)))
    return replace(whole, plan=execution.planner.plan(whole.history, scope), scope=scope)


def _command_to_continue(command_line: CommandLine, rest: Plan) -> str:
    several = len(rest.batch.storyboards) > 1
    shots = dict.fromkeys(step.shot.key for step in rest.steps if step.is_billable)
    return line_to_continue(command_line, [shot_selector(key, with_storyboard=several) for key in shots]).run()


def _reason_to_stop(result: RunResult, *, is_asked: bool) -> ExitCode | None:
    """The exit code with which the run ends before the rest; None where the rest is asked for, or nothing is amiss.

    Where nobody is asked the first takes decide: each has its clip, and a bill that can be read and is as quoted.
    """
    if result.interrupted or result.stop_reason is not None:
        return result.exit_code
    bills = {take.step.key: take.attempt.credits_used for take in result.finished if take.attempt is not None}
    first = [step.key for step in result.plan.steps if step.is_billable]
    is_whole = all(key in bills and (result.plan.is_free or bills[key] is not None) for key in first)
    if is_asked or is_whole:
        return None
    return result.exit_code if result.exit_code is not ExitCode.OK else ExitCode.DECLINED
