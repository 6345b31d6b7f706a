"""`storyboard run`: plans, asks, makes, downloads, writes the manifest."""

import argparse
import sys
from pathlib import Path

from runner.app import approval, run_store
from runner.app.noop_cache import NoopRecorder
from runner.app.orphaned_attempts import collectable_orphans, with_orphans
from runner.app.project import terminal_width, use_color
from runner.app.session import Session, open_session, typed
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.engine.result import summarize_run
from runner.engine.run_events import CreditTotals, RunEvent
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.planning.plan import Action, Plan
from runner.show.live.view import JsonView
from runner.show.screens.closing import closing
from runner.show.screens.plan import PlanContext, nothing_to_do, screen


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes exactly the clips that are missing, several at a time, and writes the manifest. The free sandbox asks\n"
        "nothing; before a paid provider is asked, the plan and its price are shown, and you say yes or no. Run again\n"
        "after anything that stopped it: it goes on where it was, and pays for nothing twice."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard run storyboards/harbour.yaml\n"
        "  storyboard run storyboards/harbour.yaml --select scene:quay\n"
        "  storyboard run storyboards/harbour.yaml --provider kinovi --max-credits 1240\n"
        "Ctrl-C stops new clips and leaves running ones to the next run; a second one leaves at once.\n"
        "exit codes: 0 all is made, 1 some takes failed or are refused, 4 declined or over a ceiling, 5 key,\n"
        "6 an attempt is unsettled, 7 another run is at it, 9 something waits, 130 interrupted"
    )
    flags.add_files(parser, required=True)
    flags.add_choice(parser)
    flags.add_selection(parser)
    flags.add_orders(parser)
    group = parser.add_argument_group("how it runs")
    group.add_argument("--yes", action="store_true", help="do not ask before paying; sets no ceiling")
    group.add_argument(
        "--max-credits", type=flags.credits, metavar="N", help="pay at most so many credits, retries and doubt included"
    )
    group.add_argument("--concurrency", type=flags.count, metavar="N", help="tasks in progress at most (default 3)")
    group.add_argument("--output", type=Path, metavar="DIR", help="where manifests and clips go (default: renders)")
    group.add_argument(
        "--no-wait", action="store_true", help="order what the cap lets through, and leave; the next run collects"
    )
    group.add_argument("--fail-fast", action="store_true", help="order nothing more once a take has failed")
    group.add_argument(
        "--allow-pull-request",
        action="store_true",
        help="let a pull request's job pay; needs --max-credits too",
    )
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    began = SystemClock().now()
    session = open_session(args)
    still = NoopRecorder(session.settings.state, began)
    code = _run(session, still)
    if code is ExitCode.OK:
        still.commit(args.words)
    return code


def _run(session: Session, still: NoopRecorder) -> ExitCode:
    still.begin()
    with run_store.open_run_store(session) as records:
        records.stop_on_unknown_receipts()
        history = session.with_manifests(records.history())
        asked = session.overrides(history)
        plan = session.plan(history, selected=session.selected, asked=asked)
        run_store.restore_clips(plan, history, records)
        if _anything_to_do(plan):
            records = _agreed(session, plan, history, records)
        elif not _may_bring(session, plan, history):
            return _nothing(session, plan, history, records, still)
        from runner.app import execute

        return execute.execute_plan(session, plan, history, records, asked)


def _agreed(session: Session, plan: Plan, history: History, records: run_store.RunStore) -> run_store.RunStore:
    """The same with the price that somebody said yes to; Stop where nobody may, or does."""
    if not plan.is_free and approval.is_terminal() and not session.args.quiet:
        approval.show_plan(session, plan, history)
    approval.check_can_pay(session, plan, history)
    agreed = approval.approve_spending(session, plan, history, records.spent_last_24h())
    return records if agreed is None else records.with_price_cap(agreed)


def _may_bring(session: Session, plan: Plan, history: History) -> bool:
    """Whether a paid task of earlier words is to be looked after, and there is a key to ask with."""
    if plan.is_free or not session.settings.key_text:
        return False
    return bool(collectable_orphans(session, history, plan))


def _anything_to_do(plan: Plan) -> bool:
    return any(step.action in (Action.MAKE, Action.RESUME) or step.waits_for == "shot" for step in plan.steps)


def _nothing(
    session: Session, plan: Plan, history: History, records: run_store.RunStore, still: NoopRecorder
) -> ExitCode:
    """A run that has nothing to send: the manifest is brought up to date, and the screen says how things stand."""
    ended = with_orphans(
        session, history, summarize_run(plan, history, RunState(CreateThrottle(1)), records.limits, CreditTotals())
    )
    run_store.write_manifests(session, history)
    if session.args.json:
        seen = JsonView(sys.stdout)
        seen.tell(RunEvent("done", records.clock.now(), plan=plan, outcome=ended))
        seen.close()
    elif nothing_to_do(plan) and not (ended.orphans or ended.unsettled_orphans):
        around = PlanContext(typed=typed(session.args, session.files))
        said = (
            ""
            if session.args.quiet
            else screen(plan, terminal_width(), use_color(session.args, sys.stdout), around=around)
        )
        print(said, end="")
        still.record(session, plan, history, said)
    else:
        print(
            closing(
                ended,
                terminal_width(),
                use_color(session.args, sys.stdout),
                run_store.closing_context(session, records, history, 0),
            ),
            end="",
        )
    return ended.exit_code
