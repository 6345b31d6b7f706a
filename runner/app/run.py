"""Makes the clips that are missing: plan, consent, execution; a run with nothing to do only writes the manifest."""

from runner.app import approval, run_store
from runner.app.confirmation import confirm_tasks
from runner.app.conversation import Conversation
from runner.app.credit_scope import with_sums
from runner.app.manifests import write_manifests
from runner.app.orphaned_attempts import fetchable_orphans
from runner.app.run_outcome import RunOutcome
from runner.app.session import Session
from runner.attempts.history import History
from runner.engine.result import summarize_run
from runner.engine.run_events import CreditTotals
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.garbage_collection import collection_off
from runner.planning.plan import Action, Plan
from runner.planning.plan_inputs import NO_OVERRIDES
from runner.show.screens.plan import nothing_to_do


def make_missing_clips(session: Session, conversation: Conversation) -> RunOutcome:
    """Plan, get approval and execute."""
    with run_store.open_run_store(session, conversation.note) as store:
        store.stop_on_unknown_receipts()
        # The history stays in memory until the end.
        with collection_off(keep=True):
            history = store.history()
        confirm_tasks(session.planner, history, store, conversation.note)
        overrides = session.overrides(history)
        selected = session.selected(history)
        plan = session.planner.plan(history, selected=selected, overrides=overrides)
        if session.saved_plan is not None:
            from runner.app import saved_plans

            saved_plans.check_plan(session, plan, history, store, conversation.note)
        run_store.restore_clips(plan, history, store)
        if session.command.execution.canary is not None:
            from runner.app import canary

            if first := canary.first_takes(session, plan):
                return canary.make_first_then_rest(session, plan, first, history, store, overrides, conversation)
        if _anything_to_do(plan):
            from runner.app.approved_store import approve_orders

            store = approve_orders(session, plan, history, store, conversation)
        elif not fetchable_orphans(session.settings, plan) and not _has_due_bills(session, history, store):
            approval.check_materials(session, plan)
            is_whole = session.selected(history) is None and overrides == NO_OVERRIDES
            whole_plan = plan if is_whole else session.planner.plan(history)
            write_manifests(session.manifests, whole_plan, history)
            return _nothing_to_do(session, plan, history, store)
        from runner.app import execute

        return execute.execute_plan(execute.ApprovedPlan(session, plan, history, store, overrides), conversation)


def _has_due_bills(session: Session, history: History, store: run_store.RunStore) -> bool:
    """Whether bills of earlier runs are to be read again."""
    if session.settings.account.free:
        return False
    from runner.app.late_bills import has_due_bills

    return has_due_bills(session.settings, session.edition, history, store.clock.now())


def _anything_to_do(plan: Plan) -> bool:
    return any(step.action in (Action.MAKE, Action.RESUME) or step.waits_for in ("shot", "run") for step in plan.steps)


def _nothing_to_do(session: Session, plan: Plan, history: History, store: run_store.RunStore) -> RunOutcome:
    """The outcome of a run that had nothing to send."""
    result = summarize_run(plan, history, RunState(CreateThrottle(1)), store.limits, CreditTotals())
    result = with_sums(session.planner, history, result)
    is_complete = nothing_to_do(plan) and not (result.orphans or result.unsettled_orphans)
    closing = None
    if not session.command.display.as_json and not is_complete:
        closing = run_store.closing_context(session, store, history, 0, result)
    return RunOutcome(result.exit_code, plan, result, store.clock.now(), was_followed=False, closing=closing)
