"""`storyboard diff`: what this working tree would make and cost beyond a commit; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner.app.diff import compare, find_base, saved_plan_of
from runner.app.session import open_session
from runner.commands import flags
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode
from runner.lazy_dataclass import replace
from runner.paid_providers import paid_provider_name
from runner.show.json.diff import diff_json
from runner.show.screens.diff import diff_screen, price_line, selections
from runner.show.screens.diff_markdown import diff_markdown
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color

# `json` is `--json`, for a workflow that has the format in a variable.
_FORMATS = ("text", "json", "markdown", "select")


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what this working tree would make and cost beyond a commit: shots that were added, changed, renamed, "
        "removed or moved, each with its reason and price, and the picks that are given up. Both are planned against "
        "what exists now. Without REF: the commit at which this branch left the branch that the pull request is for, "
        "else the default branch. Reads the commit with git, without a checkout; needs no key, opens no connection."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard diff\n"
        f"  storyboard diff main storyboards/harbour.yaml --provider {paid_provider_name()}\n"
        "  storyboard diff HEAD~3 --format markdown\n"
        "  storyboard diff --format markdown --plan plan.json\n"
        "\n"
        "exit codes:\n"
        "  0  compared\n"
        "  2  no such commit or file\n"
        "  3  invalid input, here or in the commit; no repository, or a part of its history is not here\n"
        "  8  with --exit-code: a run would make clips beyond REF"
    )
    parser.add_argument("ref", nargs="?", metavar="REF", help="the commit, or a name of it (default: the base branch)")
    flags.add_files(parser, required=False)
    flags.add_input(parser)
    flags.add_output(parser)
    text = (
        "the form of the result: `markdown` is a comment for a pull request, `select` for a shell a line for each "
        "film, with the expression of the shots that are to be looked at (default: text)"
    )
    parser.add_argument("--format", choices=_FORMATS, default="text", metavar="FORMAT", help=text)
    text = "say the digest and the ceiling of this saved plan, where the tree orders something beyond REF"
    parser.add_argument("--plan", metavar="PLAN", type=Path, help=text)
    parser.add_argument("--exit-code", action="store_true", help="exit with 8 if a run would make clips")


def run(args: argparse.Namespace) -> ExitCode:
    base, files = find_base([*filter(None, [args.ref]), *map(str, args.files)])
    options = command_options(args)
    # Of `[REF] [FILE…]` argparse cannot know whether the first word is a commit; `find_base` asked git.
    session = open_session(replace(options, input=replace(options.input, files=files)))
    report = compare(session, base)
    difference, plan = report.difference, report.plan
    saved = saved_plan_of(args.plan, report) if args.plan is not None else None
    if args.json or args.format == "json":
        print(json_document(diff_json(difference, plan, base.commit, saved), deep=2), end="")
    elif args.format == "markdown":
        print(diff_markdown(difference, plan, base.text, session.command_line, saved), end="")
    elif args.format == "select":
        print("".join(f"{line}\n" for line in selections(difference, plan)), end="")
    elif args.quiet:
        print(price_line(difference, plan))
    else:
        color = use_color(sys.stdout, args.no_color)
        line = session.command_line
        print(diff_screen(difference, plan, base.text, terminal_width(), color, line, saved), end="")
    return ExitCode.CHANGES_PENDING if args.exit_code and difference.has_orders else ExitCode.OK
