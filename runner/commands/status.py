"""`storyboard status`: shows the takes by manifest and ledger; no key, no network."""

import argparse
import sys

from runner.app import foreign_outputs
from runner.app.approval import committed_credits, storyboard_budgets
from runner.app.credit_scope import sums_by_storyboard
from runner.app.field_locations import field_locator
from runner.app.orphaned_attempts import orphaned_attempts
from runner.app.plan_report import left_by_gone_repositories
from runner.app.session import Session, command_arguments, open_for_reading
from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Plan
from runner.show.json.status import status_json
from runner.show.screens.status import StatusReport, status
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the state of every take, from the manifest and this machine's ledger: made, running, failed, refused "
        "or unsettled; what was spent, and which clips the provider will soon delete. Opens no connection. Without "
        "--provider: the provider that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard status\n"
        "  storyboard status storyboards/harbour.yaml --provider kinovi --json\n"
        "\n"
        "exit codes:\n"
        "  0  shown\n"
        "  3  invalid input; the valid part is shown\n"
        "  8  with --exit-code: a run would make clips"
    )
    flags.add_reading(parser, required=False, all_help="list every take on a line of its own")
    parser.add_argument("--exit-code", action="store_true", help="exit with 8 if a run would make clips")


def run(args: argparse.Namespace) -> ExitCode:
    full_session = open_for_reading(args)
    session, history, foreign = foreign_outputs.history_without_foreign(full_session)
    if foreign and not session.batch.storyboards:
        raise CommandError(ExitCode.INVALID, "\n".join(foreign))
    foreign_outputs.print_warnings(foreign)
    plan = session.plan(history, selected=full_session.selected)
    orphans = tuple(orphaned_attempts(session, history))
    now = SystemClock().now()
    budgets = {} if plan.is_free else storyboard_budgets(session, plan, history)
    credits_by_path = {path: committed_credits(history, budget) for path, budget in budgets.items()}
    report = StatusReport(
        plan,
        history,
        now,
        _next_arguments(session),
        locate_field=field_locator(session),
        orphans=orphans,
        sums=sums_by_storyboard(session, history),
        budget_used=credits_by_path,
        left_behind=_left_behind(session, plan),
        root=str(session.settings.root),
    )
    if args.json:
        print(json_document(status_json(report, session.output_name), deep=2), end="")
    else:
        print(status(report, terminal_width(), use_color(sys.stdout, args.no_color), args.all), end="")
    if foreign:
        return ExitCode.INVALID
    if args.exit_code and any(step.is_billable or step.needs_pick for step in plan.steps):
        return ExitCode.CHANGES_PENDING
    return ExitCode.OK


def _left_behind(session: Session, plan: Plan) -> tuple[Attempt, ...]:
    """What repositories that are gone have left open, but what this plan takes over."""
    taken = {step.attempt for step in plan.steps}
    return tuple(attempt for attempt in left_by_gone_repositories(session) if attempt.id not in taken)


def _next_arguments(session: Session) -> str:
    """The arguments of the next command, with the provider that was found by its clips."""
    arguments = command_arguments(session.args, session.files)
    is_explicit = session.args.provider is not None or session.settings.account.free
    return arguments if is_explicit else f"{arguments} --provider {session.settings.provider}".strip()
