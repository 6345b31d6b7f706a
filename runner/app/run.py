"""Makes the clips that are missing: plan, consent, execution; a run with nothing to do only writes the manifest."""

import sys

from runner.app import approval, run_store, saved_plans
from runner.app.confirmation import confirm_tasks
from runner.app.credit_scope import with_sums
from runner.app.manifests import write_manifests
from runner.app.orphaned_attempts import fetchable_orphans
from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.result import summarize_run
from runner.engine.run_events import CreditTotals, RunEvent
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.lazy_dataclass import replace
from runner.planning.plan import Action, Plan
from runner.planning.plan_inputs import NO_OVERRIDES
from runner.show.live.view import JsonView
from runner.show.screens.closing import closing
from runner.show.screens.plan import PlanContext, nothing_to_do, screen
from runner.show.text.terminal import terminal_width, use_color


def make_missing_clips(session: Session) -> ExitCode:
    """Plan, get approval and execute; the exit code of the run."""
    with run_store.open_run_store(session) as store:
        store.stop_on_unknown_receipts()
        history = session.with_manifests(store.history())
        confirm_tasks(session, history, store)
        overrides = session.overrides(history)
        selected = session.selected(history)
        plan = left_out = session.plan(history, selected=selected, overrides=overrides)
        if (number := session.command.execution.canary) is not None:
            overrides = replace(overrides, first=plan.first_orders(number))
            plan = session.plan(history, selected=selected, overrides=overrides)
        if session.saved_plan is not None:
            saved_plans.check_plan(session, plan, history, store)
        run_store.restore_clips(plan, history, store)
        if _anything_to_do(plan):
            store = _approve(session, plan, history, store)
        elif not fetchable_orphans(session, plan) and not _has_due_bills(session, history, store):
            approval.check_materials(session, plan)
            whole_plan = (
                plan if session.selected(history) is None and overrides == NO_OVERRIDES else session.plan(history)
            )
            write_manifests(session, history, whole_plan)
            return _report_nothing_to_do(session, plan, history, store)
        from runner.app import execute

        code = execute.execute_plan(session, plan, history, store, overrides)
    return code if _order_count(left_out) == _order_count(plan) else _stop_after_first(session, code)


def _order_count(plan: Plan) -> int:
    """The number of takes that a run orders, now or after a pick."""
    return sum(step.is_billable or step.needs_pick for step in plan.steps)


def _stop_after_first(session: Session, code: ExitCode) -> ExitCode:
    """Name the command that goes on after `--canary`; takes still wait, whatever came of the first ones."""
    if not session.command.display.quiet:
        print("\nonly the first takes were ordered (--canary); look at them, then go on with", file=sys.stderr)
        print(f"  {session.command_line.run()}", file=sys.stderr)
    return ExitCode.WAITING if code is ExitCode.OK else code


def _approve(session: Session, plan: Plan, history: History, store: run_store.RunStore) -> run_store.RunStore:
    """Show the plan and get approval; the store with the confirmed price as its limit."""
    if not plan.is_free and approval.is_terminal() and not session.command.display.quiet:
        approval.show_plan(session, plan, history)
    approval.check_can_pay(session, plan, history)
    approved_price = approval.approve_spending(
        session, plan, history, store.spent_last_24h(), is_consented=saved_plans.is_consent(session, store)
    )
    return store if approved_price is None else store.with_price_cap(approved_price)


def _has_due_bills(session: Session, history: History, store: run_store.RunStore) -> bool:
    """Whether bills of earlier runs are to be read again."""
    if session.settings.account.free:
        return False
    from runner.app.late_bills import has_due_bills

    return has_due_bills(session, history, store.clock.now())


def _anything_to_do(plan: Plan) -> bool:
    return any(step.action in (Action.MAKE, Action.RESUME) or step.waits_for in ("shot", "run") for step in plan.steps)


def _report_nothing_to_do(session: Session, plan: Plan, history: History, store: run_store.RunStore) -> ExitCode:
    """Print the state after a run that had nothing to send."""
    result = summarize_run(plan, history, RunState(CreateThrottle(1)), store.limits, CreditTotals())
    result = with_sums(session, history, result)
    display = session.command.display
    if display.as_json:
        json_view = JsonView(sys.stdout)
        json_view.tell(RunEvent("done", store.clock.now(), plan=plan, outcome=result))
        json_view.close()
    elif nothing_to_do(plan) and not (result.orphans or result.unsettled_orphans):
        if not display.quiet:
            context = PlanContext(command_line=session.command_line.without_extra_orders())
            print(screen(plan, terminal_width(), use_color(sys.stdout, display.no_color), context=context), end="")
    else:
        closing_context = run_store.closing_context(session, store, history, 0, result)
        print(closing(result, terminal_width(), use_color(sys.stdout, display.no_color), closing_context), end="")
    return result.exit_code
