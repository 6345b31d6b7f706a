"""`storyboard run`: plans, asks, makes, downloads, writes the manifest."""

import argparse
import sys
from pathlib import Path

from runner.app import approval, run_store
from runner.app.noop_cache import Standstill
from runner.app.orphaned_attempts import with_a_task, with_strays
from runner.app.project import color, columns
from runner.app.session import Opened, opened, typed
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.engine.result import outcome
from runner.engine.run_events import Money, News
from runner.engine.run_state import Running
from runner.engine.throttle import Pace
from runner.planning.plan import Action, Plan
from runner.show.live.view import JsonView
from runner.show.screens.closing import closing
from runner.show.screens.plan import Around, nothing_to_do, screen


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
    desk = opened(args)
    still = Standstill(desk.settings.state, began)
    code = _run(desk, still)
    if code is ExitCode.DONE:
        still.keep(args.words)
    return code


def _run(desk: Opened, still: Standstill) -> ExitCode:
    still.begin()
    with run_store.records(desk) as records:
        history = desk.recall(records.history())
        asked = desk.asked(history)
        plan = desk.plan(history, selected=desk.selected, asked=asked)
        run_store.shelve(plan, history, records)
        if _anything_to_do(plan):
            records = _agreed(desk, plan, history, records)
        elif not _may_bring(desk, plan, history):
            return _nothing(desk, plan, history, records, still)
        from runner.app import execute

        return execute.make(desk, plan, history, records, asked)


def _agreed(desk: Opened, plan: Plan, history: History, records: run_store.Records) -> run_store.Records:
    """The same with the price that somebody said yes to; Stop where nobody may, or does."""
    if not plan.play and approval.is_terminal() and not desk.args.quiet:
        approval.show(desk, plan, history)
    approval.fit(desk, plan, history)
    agreed = approval.consent(desk, plan, history, records.last_day())
    return records if agreed is None else records.within(agreed)


def _may_bring(desk: Opened, plan: Plan, history: History) -> bool:
    """Whether a paid task of earlier words is to be looked after, and there is a key to ask with."""
    if plan.play or not desk.settings.key_text:
        return False
    return bool(with_a_task(desk, history, plan))


def _anything_to_do(plan: Plan) -> bool:
    return any(step.action in (Action.MAKE, Action.RESUME) or step.waits_for == "shot" for step in plan.steps)


def _nothing(desk: Opened, plan: Plan, history: History, records: run_store.Records, still: Standstill) -> ExitCode:
    """A run that has nothing to send: the manifest is brought up to date, and the screen says how things stand."""
    ended = with_strays(desk, history, outcome(plan, history, Running(Pace(1)), records.limits, Money()))
    run_store.write_manifests(desk, history)
    if desk.args.json:
        seen = JsonView(sys.stdout)
        seen.tell(News("done", records.clock.now(), plan=plan, outcome=ended))
        seen.close()
    elif nothing_to_do(plan) and not (ended.strays or ended.doubts):
        around = Around(typed=typed(desk.args, desk.files))
        said = "" if desk.args.quiet else screen(plan, columns(), color(desk.args, sys.stdout), around=around)
        print(said, end="")
        still.found(desk, plan, history, said)
    else:
        print(
            closing(ended, columns(), color(desk.args, sys.stdout), run_store.after(desk, records, history, 0)), end=""
        )
    return ended.exit_code
