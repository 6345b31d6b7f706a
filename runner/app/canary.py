"""`run --canary N`: the first takes are made and shown before the rest is ordered."""

from runner.app.approved_store import approve_orders
from runner.app.conversation import Conversation
from runner.app.run_outcome import RunOutcome
from runner.app.run_store import RunStore, command_to_continue
from runner.app.session import Session
from runner.attempts.film import TakeKey
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode, most_severe
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.planning.plan_inputs import PlanOverrides
from runner.planning.selection import shot_selector


def first_takes(session: Session, plan: Plan) -> frozenset[TakeKey] | None:
    """The takes that `--canary` orders first; None without the flag, or where nothing is left to be ordered then."""
    number = session.command.execution.canary
    if number is None or sum(step.is_billable for step in plan.steps) <= number:
        return None
    return plan.first_orders(number)


def make_first_then_rest(
    session: Session,
    plan: Plan,
    first: frozenset[TakeKey],
    history: History,
    store: RunStore,
    overrides: PlanOverrides,
    conversation: Conversation,
) -> RunOutcome:
    """Make the first takes of a plan, show them, and make the rest once somebody agrees or nothing is amiss."""
    from runner.app.execute import ApprovedPlan, execute_plan

    selected = session.selected(history)
    of_first = replace(overrides, first=first)
    of_rest = replace(overrides, first=frozenset(step.key for step in plan.steps) - first)
    first_plan = session.planner.plan(history, selected=selected, overrides=of_first)
    limited = approve_orders(session, plan, history, store, conversation, first_plan)
    first_orders = ApprovedPlan(session, first_plan, history, limited, of_first, more_follows=True)
    outcome = execute_plan(first_orders, conversation)
    rest = session.planner.plan(history, selected=selected, overrides=of_rest)
    is_asked = conversation.can_ask and not rest.is_free and not session.command.spending.yes
    reason = _reason_to_stop(outcome.result, is_asked=is_asked)
    if reason is None:
        conversation.show_first(outcome)
        outcome = replace(outcome, closing=None)
        try:
            limited = approve_orders(session, rest, history, store, conversation)
        except CommandError as error:
            conversation.note(error.message)
            reason = error.code
        except KeyboardInterrupt:
            reason = ExitCode.INTERRUPTED
    if reason is not None:
        return replace(outcome, exit_code=reason, next_command=_line(session, rest), was_followed=False)
    before = ExitCode.OK if outcome.exit_code is ExitCode.WAITING else outcome.exit_code
    end = execute_plan(ApprovedPlan(session, rest, history, limited, of_rest, before=before), conversation)
    return replace(end, exit_code=most_severe([before, end.exit_code]))


def _line(session: Session, rest: Plan) -> str:
    """The command that goes on."""
    several = len(session.batch.storyboards) > 1
    keys = dict.fromkeys(step.shot.key for step in rest.steps if step.is_billable)
    return command_to_continue(session, [shot_selector(key, with_storyboard=several) for key in keys]).run()


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
