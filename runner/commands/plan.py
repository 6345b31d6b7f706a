"""`storyboard plan`: problems, prices, what a run would do and why; no key, no network."""

import argparse
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.exceeded_limit import context_with_limit
from runner.app.options import DisplayOptions
from runner.app.plan import explain, plan_takes, what_if
from runner.app.session import open_session
from runner.commands import flag_values, flags
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name
from runner.planning.what_if import WhatIfRow
from runner.show.screens.plan import price_line, screen
from runner.show.text.escape import json_document, json_pieces
from runner.show.text.terminal import terminal_width, use_color

if TYPE_CHECKING:
    from runner.language.explain import ShotExplanation


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Validates the storyboards, prices all their takes, and shows for every take what a run would do, and why. "
        "Needs no key, opens no connection, spends nothing. The prices are those of the paid provider, even where the "
        "free sandbox would make the clips."
    )
    parser.epilog = (
        "examples:\n"
        f"  storyboard plan storyboards/harbour.yaml --provider {paid_provider_name()}\n"
        "  storyboard plan --select scene:quay --profile draft\n"
        "  storyboard plan storyboards/harbour.yaml --explain quay\n"
        "  storyboard plan storyboards/harbour.yaml --what-if\n"
        "  storyboard plan storyboards/*.yaml --json | jq .totals.credits\n"
        f"  storyboard plan storyboards/harbour.yaml --provider {paid_provider_name()} -o plan.json\n"
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
    _add_saving(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="list every take, and every file that would be sent, on a line of its own",
    )
    text = "read and hash every local file, also those that did not change since they were read last"
    parser.add_argument("--verify-files", action="store_true", help=text)
    text = "show one compiled shot: every value with its source, the prompt as written and as sent"
    parser.add_argument("--explain", metavar="SHOT", help=text)
    text = "price the whole film with each model and resolution that can make all of it, the cheapest first"
    parser.add_argument("--what-if", action="store_true", help=text)
    parser.add_argument("--exit-code", action="store_true", help="exit with 8 if a run would make clips")


def _add_saving(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("saving")
    text = "save the plan as a price contract, which `run --plan PLAN` carries out and `plan PLAN` shows"
    group.add_argument("-o", dest="saved_plan", metavar="PLAN", type=Path, help=text)
    text = "how long the saved plan is valid: 30d, 12h, 90s (default: 7d)"
    group.add_argument("--valid", metavar="TIME", type=flag_values.validity, help=text)


def run(args: argparse.Namespace) -> ExitCode:
    _check_flags(args)
    command = command_options(args)
    if (saved_file := _saved_file(args.files)) is not None:
        from runner.commands.saved_plan import show_saved_plan

        # What the plan lists is fixed: a flag that seems to change it would mislead.
        flags.refuse_others(args, add, frozenset({"FILE", "--json", "--quiet", "--no-color"}), "a saved plan")
        return show_saved_plan(command, saved_file)
    session = open_session(command)
    if args.explain is not None:
        return _show_explanation(explain(session, args.explain), session.settings.root, command.display)
    if args.what_if:
        return _show_rows(what_if(session), session.settings.usd_per_credit, command.display)
    plan, history = plan_takes(session)
    if args.saved_plan is not None:
        from runner.commands.saved_plan import save_and_show_plan

        save_and_show_plan(session, plan, history, args.saved_plan, args.valid, all_takes=args.all)
    elif args.json:
        from runner.app.plan_document import plan_document

        sys.stdout.writelines(json_pieces(plan_document(session.plan_report, plan, history), deep=2))
    elif args.quiet:
        print(price_line(plan, paid_provider_name()))
    else:
        context = context_with_limit(session.plan_report, session.spending_limits, plan, history)
        print(screen(plan, terminal_width(), use_color(sys.stdout, args.no_color), args.all, context), end="")
    # Its own code, so that CI can tell "there is something to pay for" from a failure.
    return ExitCode.CHANGES_PENDING if args.exit_code and plan.has_orders else ExitCode.OK


def _check_flags(args: argparse.Namespace) -> None:
    # A flag without effect is a misunderstanding, which is cheaper now than after a week.
    if args.valid is not None and args.saved_plan is None:
        raise CommandError(ExitCode.USAGE, "--valid says how long a saved plan is valid: add -o PLAN")
    if args.saved_plan is not None and (args.explain is not None or args.what_if):
        raise CommandError(ExitCode.USAGE, "-o saves the plan: leave out --explain and --what-if")


def _saved_file(files: Sequence[Path]) -> Path | None:
    """The saved plan among the files: its name ends with `.json`."""
    # By its name: `-o` accepts no other ending, and a storyboard never has it.
    saved = next((file for file in files if file.suffix == ".json"), None)
    if saved is not None and len(files) > 1:
        raise CommandError(ExitCode.USAGE, f"{saved} is a saved plan, which stands alone: leave out the other files")
    return saved


def _show_rows(rows: Sequence[WhatIfRow], usd_per_credit: Decimal, display: DisplayOptions) -> ExitCode:
    from runner.show.json.what_if import what_if_json
    from runner.show.screens.what_if import what_if_screen

    if display.as_json:
        print(json_document(what_if_json(rows, usd_per_credit), deep=2), end="")
    else:
        color = use_color(sys.stdout, display.no_color)
        print(what_if_screen(rows, usd_per_credit, terminal_width(), color), end="")
    return ExitCode.OK


def _show_explanation(explanation: "ShotExplanation | None", root: Path, display: DisplayOptions) -> ExitCode:
    from runner.show.screens.shot import render_shot

    if explanation is not None:
        color = use_color(sys.stdout, display.no_color)
        print(render_shot(explanation, root, Path.cwd(), color), end="")
    return ExitCode.OK
