"""The parts of `storyboard plan` that save a plan, and show a saved one."""

import argparse
import json
import sys
from decimal import Decimal
from pathlib import Path

from runner.app import saved_plans
from runner.app.exceeded_limit import context_with_limit
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.plan_document import plan_document
from runner.app.session import Session
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.commands import flags
from runner.commands.notes import note
from runner.diagnostics.failures import Failure
from runner.diagnostics.plural import count
from runner.diagnostics.problem import ExitCode
from runner.lazy_dataclass import replace
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Plan
from runner.planning.plan_differences import Comparison, PlanDifference
from runner.planning.saved_plan import SavedPlan
from runner.show.json.saved_plan import saved_plan_json, since_json
from runner.show.screens.plan import price_line, screen
from runner.show.screens.saved_plan import saved_plan_screen
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def save_plan(args: argparse.Namespace, session: Session, plan: Plan, history: History) -> None:
    """Save the plan as `-o` says, and show it."""
    clock, path = SystemClock(), args.saved_plan
    saved = saved_plans.new_saved_plan(session, plan, history, args.valid, clock)

    def document() -> dict[str, object]:
        return saved_plan_json(saved, plan_document(session, plan, history))

    saved_plans.save(session, saved, document(), path, clock, note)
    if args.json:
        print(json_document(document(), deep=2), end="")
    elif args.quiet:
        print(price_line(plan, paid_provider_name()))
    else:
        context = context_with_limit(session, plan, history)
        context = replace(
            context, saved=(str(path), saved), command_line=context.command_line.with_saved_plan(str(path))
        )
        print(screen(plan, terminal_width(), use_color(sys.stdout, args.no_color), args.all, context), end="")


def show_saved_plan(args: argparse.Namespace, path: Path) -> ExitCode:
    """Show a saved plan, also a stale one, with what is different since."""
    saved, content = saved_plans.read(path)
    now = SystemClock().now()
    comparison, usd_per_credit = _compared(args, path, saved)
    if args.json:
        since = since_json(comparison, expired=now >= saved.expires_at)
        print(json_document({**json.loads(content), "since": since}, deep=2), end="")
    elif args.quiet:
        print(saved.digest)
    else:
        color, command = use_color(sys.stdout, args.no_color), CommandLine(saved_plan=str(path)).run()
        text = saved_plan_screen(str(path), saved, comparison, now, usd_per_credit, terminal_width(), color, command)
        print(text, end="")
    return ExitCode.OK


def _compared(args: argparse.Namespace, path: Path, saved: SavedPlan) -> tuple[Comparison, Decimal | None]:
    """The differences since, and the price of a credit where the storyboards are still here."""
    try:
        session = saved_plans.open_saved(flags.command_options(args), path, saved)
        history = session.history_reader.read()
        plan = session.planner.plan(history, selected=session.selected(history), overrides=session.overrides(history))
        return saved_plans.compared(session, saved, plan, history), session.settings.usd_per_credit
    except InvalidStoryboardsError as invalid:
        errors = count(len(invalid.problems.errors), "error")
        message = f"its storyboards have {errors} now: storyboard validate"
    except Failure as failure:
        message = failure.message
    return Comparison((PlanDifference("storyboards", message),), ()), None
