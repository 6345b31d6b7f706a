"""`storyboard status`: what manifest and ledger know; no key, no network."""

import argparse
import sys

from runner.app import foreign_outputs
from runner.app.approval import budgets, counted
from runner.app.field_locations import places
from runner.app.orphaned_attempts import superseded
from runner.app.project import color, columns
from runner.app.session import Opened, looking, typed
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import ExitCode, Stop
from runner.show.screens.status import Standing, status, status_json
from runner.show.text.escape import json_document


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says how every take stands, by what the manifest and this machine's ledger know: made, running, failed,\n"
        "refused, unsettled; what was spent, and which clips the provider will soon forget. Asks nobody, opens no\n"
        "connection. Without --provider it looks at the provider that has clips: the paid one, when several have."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard status\n"
        "  storyboard status storyboards/harbour.yaml --provider kinovi --json\n"
        "exit codes: 0 looked, 3 something is unfit (what is not is shown), 8 with --exit-code: there is something to\n"
        "make"
    )
    flags.add_looking(parser, required=False, every="every take in a line of its own")
    parser.add_argument("--exit-code", action="store_true", help="end with 8 when there is something to make")


def run(args: argparse.Namespace) -> ExitCode:
    whole = looking(args)
    desk, history, strange = foreign_outputs.history_of_the_rest(whole)
    if strange and not desk.batch.storyboards:
        raise Stop(ExitCode.UNFIT, "\n".join(strange))
    foreign_outputs.tell(strange)
    plan = desk.plan(history, selected=whole.selected)
    beside = tuple(superseded(desk, history))
    now = SystemClock().now()
    bounds = {} if plan.play else budgets(desk, plan, history)
    used = {path: counted(history, budget) for path, budget in bounds.items()}
    standing = Standing(plan, history, now, _typed(desk), places=places(desk), beside=beside, counted=used)
    if args.json:
        print(json_document(status_json(standing)), end="")
    else:
        print(status(standing, columns(), color(args, sys.stdout), args.all), end="")
    if strange:
        return ExitCode.UNFIT
    if args.exit_code and any(step.orders or step.later for step in plan.steps):
        return ExitCode.TO_MAKE
    return ExitCode.DONE


def _typed(desk: Opened) -> str:
    """The command line that goes on with what was looked at, though its provider was found and not typed."""
    words = typed(desk.args, desk.files)
    named = desk.args.provider is not None or desk.settings.account.free
    return words if named else f"{words} --provider {desk.settings.provider}".strip()
