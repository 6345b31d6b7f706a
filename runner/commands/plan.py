"""`storyboard plan`: validates, prices, shows what a run would do and why; no key, no network."""

import argparse
import sys
from decimal import Decimal
from pathlib import Path

from runner.app.approval import SpendLimit, spend_limits
from runner.app.destinations import destinations
from runner.app.plan_report import (
    cheaper_alternatives,
    command_below_limit,
    plan_context,
    read_history,
    spent_last_24h,
    warnings,
)
from runner.app.session import Session, open_session, resolve_shot
from runner.attempts.history import History
from runner.commands import flags
from runner.diagnostics.problem import ExitCode, Place, Problem
from runner.lazy_dataclass import replace
from runner.planning.outgoing import outgoing_materials, sent_contents
from runner.planning.plan import Plan
from runner.show.screens.plan import CheaperCommand, PlanContext, price_line, screen
from runner.show.text.format import credits_text
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Validates the storyboards, prices all their takes, and shows for every take what a run would do, and why. "
        "Needs no key, opens no connection, spends nothing. The prices are those of the paid provider, even where the "
        "free sandbox would make the clips."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard plan storyboards/harbour.yaml --provider kinovi\n"
        "  storyboard plan --select scene:quay --profile draft\n"
        "  storyboard plan storyboards/harbour.yaml --explain quay\n"
        "  storyboard plan storyboards/harbour.yaml --what-if\n"
        "  storyboard plan storyboards/*.yaml --json | jq .totals.credits\n"
        "\n"
        "exit codes:\n"
        "  0  planned\n"
        "  3  invalid input\n"
        "  8  with --exit-code: a run would make clips"
    )
    flags.add_files(parser, required=False)
    flags.add_input(parser)
    flags.add_selection(parser)
    flags.add_extra_orders(parser)
    flags.add_output(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="list every take, and every file that would be sent, on a line of its own",
    )
    text = "show one compiled shot: every value with its source, the prompt as written and as sent"
    parser.add_argument("--explain", metavar="SHOT", help=text)
    text = "price the whole film with each model and resolution that can make all of it, the cheapest first"
    parser.add_argument("--what-if", action="store_true", help=text)
    parser.add_argument("--exit-code", action="store_true", help="exit with 8 if a run would make clips")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_session(args)
    if args.explain is not None:
        return _explain(session, args.explain)
    history = read_history(session)
    if args.what_if:
        return _what_if(session, history)
    overrides = session.overrides(history)
    plan = session.plan(history, selected=session.selected, overrides=overrides)
    if args.json:
        _json(session, plan, history)
    else:
        _screen(session, plan, history)
    if args.exit_code and any(step.is_billable or step.needs_pick for step in plan.steps):
        return ExitCode.CHANGES_PENDING
    return ExitCode.OK


def _what_if(session: Session, history: History) -> ExitCode:
    from runner.app.what_if import what_if
    from runner.show.json.what_if import what_if_json
    from runner.show.screens.what_if import what_if_screen
    from runner.show.text.escape import json_document

    rows, usd_per_credit = what_if(session, history), session.settings.usd_per_credit
    if session.args.json:
        print(json_document(what_if_json(rows, usd_per_credit), deep=2), end="")
    else:
        color = use_color(sys.stdout, session.args.no_color)
        print(what_if_screen(rows, usd_per_credit, terminal_width(), color), end="")
    return ExitCode.OK


def _explain(session: Session, reference: str) -> ExitCode:
    from runner.language.explain import explain_shot
    from runner.show.screens.shot import render_shot

    shot, _ = resolve_shot(session, reference)
    root = session.settings.root
    explanation = explain_shot(session.files, root, session.options, shot.storyboard, shot.id)
    if explanation is not None:
        print(render_shot(explanation, root, Path.cwd(), use_color(sys.stdout, session.args.no_color)), end="")
    return ExitCode.OK


def _json(session: Session, plan: Plan, history: History) -> None:
    from runner.providers.kinovi.request_body import encoder, placeholder
    from runner.show.json.plan import PlanFacts, plan_json
    from runner.show.text.escape import json_document

    body_of = encoder(session.edition, placeholder)
    facts = PlanFacts(
        session.output_name,
        warnings(session, plan),
        outgoing_materials(plan, session.routes, sent_contents(history)),
        destinations(session, history),
    )
    document = plan_json(plan, lambda step: body_of(step.shot.request), facts)
    print(json_document(document, deep=2), end="")


def _screen(session: Session, plan: Plan, history: History) -> None:
    if session.args.quiet:
        print(price_line(plan))
        return
    context = plan_context(session, plan, history)
    if not plan.is_free and (limit := _exceeded_limit(session, plan, history)) is not None:
        context = _with_limit_warning(limit, session, history, context)
    print(
        screen(plan, terminal_width(), use_color(sys.stdout, session.args.no_color), session.args.all, context),
        end="",
    )


def _exceeded_limit(session: Session, plan: Plan, history: History) -> SpendLimit | None:
    """The first limit that a run would exceed, which is exit 4."""
    if not plan.totals.credits or session.settings.max_credits == 0:
        return None
    today = Decimal(0) if session.settings.credits_per_day is None else spent_last_24h(session)
    limits = spend_limits(session, plan, history, today)
    return next((limit for limit in limits if limit.would_be > limit.limit), None)


def _with_limit_warning(limit: SpendLimit, session: Session, history: History, context: PlanContext) -> PlanContext:
    """The context of a plan above a limit: a warning, cheaper alternatives, and one of them as next command."""
    alternatives = cheaper_alternatives(session, history, max(limit.limit - limit.already, Decimal(0)))
    excess = credits_text(limit.would_be - limit.limit)
    already = f", {credits_text(limit.already)} of them spent or unsettled," if limit.already else ""
    message = (
        f"{credits_text(limit.would_be)} credits{already} are {excess} over {limit.name} {credits_text(limit.limit)}"
    )
    warning = Problem("over-ceiling", Place("", 1, 1), f"{message}: a run would stop with exit 4", "", "warning")
    command = command_below_limit(session, alternatives)
    next_command = (command, "below the limit") if command else ("storyboard prices", "models and resolutions by price")
    cheaper = tuple(CheaperCommand(alternative.description, alternative.credits) for alternative in alternatives)
    return replace(context, warnings=[warning, *context.warnings], cheaper=cheaper, replacement=next_command)
