"""The parts of `storyboard plan` that save a plan, and show a saved one."""

import json
import sys
from datetime import timedelta
from pathlib import Path

from runner.app import saved_plans
from runner.app.exceeded_limit import context_with_limit
from runner.app.options import CommandOptions
from runner.app.saved_plan_session import compare_with_present, save_plan
from runner.app.session import Session
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.commands.notes import note
from runner.diagnostics.problem import ExitCode
from runner.lazy_dataclass import replace
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Plan
from runner.show.json.saved_plan import since_json
from runner.show.screens.plan import price_line, screen
from runner.show.screens.saved_plan import saved_plan_screen
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def save_and_show_plan(
    session: Session, plan: Plan, history: History, path: Path, valid: timedelta | None, *, all_takes: bool
) -> None:
    """Save the plan as `-o` says, and show it."""
    display = session.command.display
    saved, text = save_plan(session, plan, history, path, valid, note)
    if display.as_json:
        print(text, end="")
    elif display.quiet:
        print(price_line(plan, paid_provider_name()))
    else:
        context = context_with_limit(session.plan_report, session.spending_limits, plan, history)
        # The command to type next carries out this plan, not the storyboards of that day.
        run_line = context.command_line.with_saved_plan(str(path))
        context = replace(context, saved=(str(path), saved), command_line=run_line)
        print(screen(plan, terminal_width(), use_color(sys.stdout, display.no_color), all_takes, context), end="")


def show_saved_plan(command: CommandOptions, path: Path) -> ExitCode:
    """Show a saved plan, also a stale one, with what is different since."""
    saved, content = saved_plans.read(path)
    now, display = SystemClock().now(), command.display
    comparison, usd_per_credit = compare_with_present(command, path, saved)
    if display.as_json:
        since = since_json(comparison, expired=now >= saved.expires_at)
        # The file's own fields, unchanged: a program may check the digest.
        print(json_document({**json.loads(content), "since": since}, deep=2), end="")
    elif display.quiet:
        print(saved.digest)
    else:
        color, line = use_color(sys.stdout, display.no_color), CommandLine(saved_plan=str(path)).run()
        text = saved_plan_screen(str(path), saved, comparison, now, usd_per_credit, terminal_width(), color, line)
        print(text, end="")
    return ExitCode.OK
