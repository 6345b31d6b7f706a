"""`storyboard plan`: validates, prices, says what a run would do and why; no key, no network."""

import argparse
import sys
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from runner.app.approval import Ceiling, ceilings
from runner.app.destinations import goes
from runner.app.plan_report import around, history_now, spent_today, warnings, ways
from runner.app.project import color, columns
from runner.app.session import Opened, named, opened
from runner.attempts.history import History
from runner.commands import flags
from runner.diagnostics.problem import ExitCode, Place, Problem
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.show.screens.plan import Around, Way, price_line, screen
from runner.show.text.format import credits_text


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Validates the storyboards, prices the whole batch, and says for every take what a run would do and why.\n"
        "Needs no key, opens no connection, spends nothing. Prices are the paid provider's even when the free sandbox\n"
        "would make the clips."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard plan storyboards/harbour.yaml --provider kinovi\n"
        "  storyboard plan --select scene:quay --profile draft\n"
        "  storyboard plan storyboards/harbour.yaml --explain quay\n"
        "  storyboard plan storyboards/*.yaml --json | jq .totals.credits\n"
        "exit codes: 0 planned, 3 something is unfit, 8 with --exit-code: there is something to make"
    )
    flags.add_files(parser, required=False)
    flags.add_choice(parser)
    flags.add_selection(parser)
    flags.add_orders(parser)
    flags.add_output(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="every take, and every file that would leave this machine, in a line of its own",
    )
    words = "one finished shot: each value with the place it came from, the prompt before and after"
    parser.add_argument("--explain", metavar="SHOT", help=words)
    parser.add_argument("--exit-code", action="store_true", help="end with 8 when there is something to make")


def run(args: argparse.Namespace) -> ExitCode:
    desk = opened(args)
    if args.explain is not None:
        return _explain(desk, args.explain)
    history = history_now(desk)
    asked = desk.asked(history)
    plan = desk.plan(history, selected=desk.selected, asked=asked)
    if args.json:
        _json(desk, plan, history)
    else:
        _screen(desk, plan, history)
    if args.exit_code and any(step.orders or step.later for step in plan.steps):
        return ExitCode.TO_MAKE
    return ExitCode.DONE


def _explain(desk: Opened, words: str) -> ExitCode:
    from runner.language.explain import explain_shot
    from runner.show.screens.shot import text

    shot, _ = named(desk, words)
    root = desk.settings.root
    explained = explain_shot(desk.files, root, desk.options, shot.storyboard, shot.id)
    if explained is not None:
        print(text(explained, root, Path.cwd(), color(desk.args, sys.stdout)), end="")
    return ExitCode.DONE


def _json(desk: Opened, plan: Plan, history: History) -> None:
    from runner.providers.kinovi.request_body import bodies, placeholder
    from runner.show.json.plan import plan_json
    from runner.show.text.escape import json_document

    body_of = bodies(desk.edition, placeholder)
    shape = plan_json(plan, lambda step: body_of(step.shot.request), warnings(desk, plan), goes(desk, history))
    print(json_document(shape, deep=2), end="")


def _screen(desk: Opened, plan: Plan, history: History) -> None:
    if desk.args.quiet:
        print(price_line(plan))
        return
    told = around(desk, plan, history)
    if not plan.play and (over := _over(desk, plan, history)) is not None:
        told = _below(over, desk, history, told)
    print(screen(plan, columns(), color(desk.args, sys.stdout), desk.args.all, told), end="")


def _over(desk: Opened, plan: Plan, history: History) -> Ceiling | None:
    """The first ceiling that a run of this would break, which is exit 4."""
    if not plan.totals.credits or desk.settings.max_credits == 0:
        return None
    today = Decimal(0) if desk.settings.credits_per_day is None else spent_today(desk)
    found = ceilings(desk, plan, history, today)
    return next((ceiling for ceiling in found if ceiling.would_be > ceiling.limit), None)


def _below(over: Ceiling, desk: Opened, history: History, told: Around) -> Around:
    """The screen of a plan above a ceiling: the numbers, the ways below it, and one of them to type next."""
    found = ways(desk, history, max(over.limit - over.beside, Decimal(0)))
    more = credits_text(over.would_be - over.limit)
    counted = f", {credits_text(over.beside)} of them spent or in doubt," if over.beside else ""
    said = f"{credits_text(over.would_be)} credits{counted} are {more} over {over.name} {credits_text(over.limit)}"
    warning = Problem("over-ceiling", Place("", 1, 1), f"{said}: a run is exit 4", "", "warning")
    typed = next((way for way in found if way.typed), None)
    instead = (f"storyboard plan {told.typed}", "once it costs less, or the ceiling is higher")
    if typed is not None:
        price = f"{typed.credits.to_integral_value(ROUND_CEILING):f}"
        instead = (f"storyboard run {told.typed} {typed.words} --max-credits {price}", "below the ceiling")
    cheaper = tuple(Way(way.words, way.credits) for way in found)
    return replace(told, warnings=[warning, *told.warnings], cheaper=cheaper, instead=instead)
