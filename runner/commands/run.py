"""`storyboard run`: plans, asks, creates tasks, downloads clips, writes the manifest."""

import argparse
import sys
from pathlib import Path

from runner.app import approval, run_store
from runner.app.confirmation import confirm_tasks
from runner.app.manifests import write_manifests
from runner.app.orphaned_attempts import collectable_orphans, with_orphans
from runner.app.session import Session, command_arguments, open_session
from runner.attempts.history import History
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.engine.result import summarize_run
from runner.engine.run_events import CreditTotals, RunEvent
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.planning.plan import Action, Plan
from runner.planning.planner import NO_OVERRIDES
from runner.show.live.view import JsonView
from runner.show.screens.closing import closing
from runner.show.screens.plan import PlanContext, nothing_to_do, screen
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes exactly the clips that are missing, several at a time, and writes the manifest. The sandbox is free "
        "and asks nothing. Before a paid provider gets an order, you see the plan with its price, and confirm it. "
        "After any interruption run the same command again: it continues, and pays for nothing twice."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard run storyboards/harbour.yaml\n"
        "  storyboard run storyboards/harbour.yaml --select scene:quay\n"
        "  storyboard run storyboards/harbour.yaml --provider kinovi --max-credits 1240\n"
        "\n"
        "The first Ctrl-C creates no further task, and leaves running ones to the next run; the second exits at once.\n"
        "\n"
        "exit codes:\n"
        "  0    every clip is made\n"
        "  1    some takes failed, or are refused or blocked\n"
        "  3    invalid input\n"
        "  4    declined, or over a limit on spending\n"
        "  5    the key is missing or was refused\n"
        "  6    an attempt is unsettled\n"
        "  7    another run holds this output\n"
        "  9    a take waits for a pick or for a running task\n"
        "  130  interrupted"
    )
    flags.add_files(parser, required=True)
    flags.add_input(parser)
    flags.add_selection(parser)
    flags.add_extra_orders(parser)
    _add_spending(parser)
    _add_execution(parser)
    flags.add_output(parser)


def _add_spending(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("spending")
    group.add_argument("--yes", action="store_true", help="do not ask before paying; sets no limit by itself")
    text = "spend at most N credits, retries and unsettled attempts included"
    group.add_argument("--max-credits", type=flags.credits, metavar="N", help=text)
    text = "allow a pull request's CI job to pay; needs --max-credits too"
    group.add_argument("--allow-pull-request", action="store_true", help=text)


def _add_execution(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("execution")
    group.add_argument("--concurrency", type=flags.count, metavar="N", help="tasks in progress at most (default: 3)")
    group.add_argument("--output", type=Path, metavar="DIR", help="folder of manifests and clips (default: renders)")
    text = "create the tasks that the concurrency limit allows, then exit; the next run fetches their clips"
    group.add_argument("--no-wait", action="store_true", help=text)
    group.add_argument("--fail-fast", action="store_true", help="create no further task once a take has failed")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_session(args)
    with run_store.open_run_store(session) as store:
        store.stop_on_unknown_receipts()
        history = session.with_manifests(store.history())
        confirm_tasks(session, history, store)
        overrides = session.overrides(history)
        plan = session.plan(history, selected=session.selected, overrides=overrides)
        run_store.restore_clips(plan, history, store)
        if _anything_to_do(plan):
            store = _approve(session, plan, history, store)
        elif not _has_collectable_orphans(session, plan, history) and not _has_due_bills(session, history, store):
            approval.check_materials(session, plan)
            whole_plan = plan if session.selected is None and overrides == NO_OVERRIDES else session.plan(history)
            write_manifests(session, history, whole_plan)
            return _report_nothing_to_do(session, plan, history, store)
        from runner.app import execute

        return execute.execute_plan(session, plan, history, store, overrides)


def _approve(session: Session, plan: Plan, history: History, store: run_store.RunStore) -> run_store.RunStore:
    """Show the plan and get approval; the store with the confirmed price as its limit."""
    if not plan.is_free and approval.is_terminal() and not session.args.quiet:
        approval.show_plan(session, plan, history)
    approval.check_can_pay(session, plan, history)
    approved_price = approval.approve_spending(session, plan, history, store.spent_last_24h())
    return store if approved_price is None else store.with_price_cap(approved_price)


def _has_collectable_orphans(session: Session, plan: Plan, history: History) -> bool:
    """Whether paid tasks of earlier versions can be collected, which needs a key."""
    if plan.is_free or not session.settings.api_key.text:
        return False
    return bool(collectable_orphans(session, history, plan))


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
    result = with_orphans(
        session, history, summarize_run(plan, history, RunState(CreateThrottle(1)), store.limits, CreditTotals())
    )
    if session.args.json:
        json_view = JsonView(sys.stdout)
        json_view.tell(RunEvent("done", store.clock.now(), plan=plan, outcome=result))
        json_view.close()
    elif nothing_to_do(plan) and not (result.orphans or result.unsettled_orphans):
        context = PlanContext(typed=command_arguments(session.args, session.files))
        text = (
            ""
            if session.args.quiet
            else screen(plan, terminal_width(), use_color(sys.stdout, session.args.no_color), context=context)
        )
        print(text, end="")
    else:
        print(
            closing(
                result,
                terminal_width(),
                use_color(sys.stdout, session.args.no_color),
                run_store.closing_context(session, store, history, 0, result),
            ),
            end="",
        )
    return result.exit_code
