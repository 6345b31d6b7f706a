"""The run that makes the missing clips: plan, consent, execution; with nothing to do it only writes the manifest."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from runner.app.approval import Approval, check_materials
from runner.app.closing_report import ClosingReporter
from runner.app.confirmation import confirm_tasks
from runner.app.conversation import Conversation
from runner.app.credit_scope import CreditScope
from runner.app.manifests import write_manifests
from runner.app.orphaned_attempts import fetchable_orphans
from runner.app.run_outcome import RunOutcome
from runner.app.run_store import PlannedRun, restore_clips
from runner.app.session import Session
from runner.editions.edition import Edition
from runner.engine.result import summarize_run
from runner.engine.run_events import CreditTotals
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.garbage_collection import collection_off
from runner.planning.plan import Action, Plan
from runner.planning.plan_inputs import WHOLE_BATCH
from runner.show.screens.plan import nothing_to_do

if TYPE_CHECKING:
    from runner.app.execute import Execution


def make_missing_clips(session: Session, conversation: Conversation) -> RunOutcome:
    """Plan, get approval and execute."""
    planner, display = session.planner, session.command.display
    approval, canary_takes = _approval(session), session.command.execution.canary
    with session.store_opener.locked(conversation.note) as store:
        # Before anything is planned: an unknown paid task may be that of a take below.
        store.stop_on_unknown_receipts()
        # The history stays in memory until the end.
        with collection_off(keep=True):
            history = store.history()
        # Before the plan: a take counts as paid for only once the provider has confirmed it.
        confirm_tasks(planner, history, store, conversation.note)
        # Once: what the run makes changes the states that `--select` and `--again` name takes by.
        scope = session.selection.scope(history)
        run = PlannedRun(planner.plan(history, scope), scope, history, store)
        # Before anything changes: a plan that does not fit is refused with nothing moved, nothing written.
        for line in _takes_left_out_of_saved_plan(session, run):
            conversation.note(line)
        # Before approval: a clip that lies under another name must not be paid for.
        restore_clips(run.plan, history, store, conversation.note)
        if canary_takes is not None:
            from runner.app import canary

            if canary.has_rest(run.plan, canary_takes):
                execution = _execution(session)
                return canary.make_first_then_rest(run, canary_takes, approval, execution, conversation)
        if _anything_to_do(run.plan):
            run = approval.approve(run, conversation)
        # Clips of earlier versions and late bills need the engine, though nothing is ordered.
        elif not fetchable_orphans(session.settings, run.plan) and not _has_due_bills(session.edition, run):
            # Only where nothing else is left: a run makes what it can, and tells of the rest at its end.
            check_materials(planner.routes, session.command_line, run.plan)
            whole_plan = run.plan if scope == WHOLE_BATCH else planner.plan(history)
            write_manifests(session.manifests, whole_plan, history)
            return _nothing_to_do(session.credit_scope, run, None if display.as_json else partial(_closing, session))
        return _execution(session).execute(run, conversation)


def _approval(session: Session) -> Approval:
    line, takes = session.command_line, session.command.execution.canary
    return Approval(
        session.plan_report,
        session.spending_limits,
        session.command.spending,
        line if takes is None else line.with_flag("--canary", str(takes)),
        shows_plan=not session.command.display.quiet,
    )


def _execution(session: Session) -> "Execution":
    from runner.app.execute import Execution
    from runner.app.final_cut import FilmReporter

    command, selection = session.command, session.command.selection
    is_for_programs = session.settings.ci or command.display.as_json or command.display.quiet
    is_part = bool(selection.select or selection.exclude)
    return Execution(
        session.planner,
        session.budgets,
        session.credit_scope,
        session.manifests,
        _closing(session),
        FilmReporter(session.settings, session.look_line),
        command.display,
        makes_films=not (is_for_programs or is_part or command.execution.no_cut),
    )


def _closing(session: Session) -> ClosingReporter:
    return ClosingReporter(
        session.settings,
        session.batch,
        session.planner.plan,
        session.manifests,
        session.sources,
        session.command_line,
        session.look_provider,
        session.command.display.quiet,
    )


def _takes_left_out_of_saved_plan(session: Session, run: PlannedRun) -> Iterator[str]:
    """Check that the saved plan lists what the run orders; the takes that it lists and that need no order any more."""
    if session.saved_plan_file is not None:
        from runner.app.saved_plans import check_plan

        left_out = check_plan(session.saved_plan_file, session.plan_report, run)
        yield from () if session.command.display.quiet else left_out


def _has_due_bills(edition: Edition, run: PlannedRun) -> bool:
    """Whether bills of earlier runs are to be read again."""
    if run.plan.is_free:
        return False
    from runner.app.late_bills import has_due_bills

    return has_due_bills(run.store.reader.settings, edition, run.history, run.store.clock.now())


def _anything_to_do(plan: Plan) -> bool:
    return any(step.action in (Action.MAKE, Action.RESUME) or step.waits_for in ("shot", "run") for step in plan.steps)


def _nothing_to_do(
    credit_scope: CreditScope, run: PlannedRun, closing: Callable[[], ClosingReporter] | None
) -> RunOutcome:
    """The outcome of a run that had nothing to send; no closing screen where every clip is made, or for a program."""
    plan, history, store = run.plan, run.history, run.store
    result = summarize_run(plan, history, RunState(CreateThrottle(1)), store.limits, CreditTotals())
    result = credit_scope.with_sums(history, result)
    is_complete = nothing_to_do(plan) and not (result.orphans or result.unsettled_orphans)
    context = None if closing is None or is_complete else closing().context(history, store.limits.run, 0, result)
    return RunOutcome(result.exit_code, plan, result, store.clock.now(), was_followed=False, closing=context)
