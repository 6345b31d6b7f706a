"""`storyboard plan`: validates, prices, says what a run would do and why; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner.commands import flags
from runner.commands.callbacks import goes
from runner.commands.opening import Opened, color, columns, named, opened
from runner.commands.pricing import around, history_now, warnings
from runner.history import History
from runner.plan import Plan
from runner.problems import ExitCode


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
    parser.add_argument("--all", action="store_true", help="every take in a line of its own, unchanged ones too")
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
    from runner.show.explain import text

    shot, _ = named(desk, words)
    root = desk.settings.root
    explained = explain_shot(desk.files, root, desk.options, shot.storyboard, shot.id)
    if explained is not None:
        print(text(explained, root, Path.cwd(), color(desk.args, sys.stdout)), end="")
    return ExitCode.DONE


def _json(desk: Opened, plan: Plan, history: History) -> None:
    from runner.edition.wire import bodies, placeholder
    from runner.show.clean import json_document
    from runner.show.plan_json import plan_json

    body_of = bodies(desk.edition, placeholder)
    shape = plan_json(plan, lambda step: body_of(step.shot.request), warnings(desk, plan), goes(desk, history))
    print(json_document(shape), end="")


def _screen(desk: Opened, plan: Plan, history: History) -> None:
    from runner.show.plan import screen

    text = screen(plan, columns(), color(desk.args, sys.stdout), desk.args.all, around(desk, plan, history))
    print(text, end="")
