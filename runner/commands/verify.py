"""`storyboard verify`: clips, checked against the hashes in the manifest; no key, no network."""

import argparse
import sys

from runner.app.session import open_for_reading
from runner.app.verify import verify_clips
from runner.commands import flags
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode
from runner.planning.plan_inputs import PlanScope
from runner.show.json.clips import clips_json
from runner.show.screens.clips import clips, next_command
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Checks every clip against the hash in the manifest: intact, changed or missing. Opens no connection. Without "
        "--provider: the provider that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard verify storyboards/harbour.yaml\n"
        "\n"
        "exit codes:\n"
        "  0  every clip is intact\n"
        "  1  some clips are not: `storyboard fetch` downloads them again for nothing\n"
        "  3  invalid input"
    )
    flags.add_reading(parser, required=False, all_help="list intact clips too")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(command_options(args))
    history = session.history_reader.read()
    plan = session.planner.plan(history, PlanScope(session.selection.selected(history)))
    results = verify_clips(session.settings, plan, history)
    if args.json:
        print(json_document(clips_json(results, "verify")), end="")
    else:
        command = next_command(results, session.command_line)
        print(clips(results, terminal_width(), use_color(sys.stdout, args.no_color), command, args.all), end="")
    return ExitCode.OK if all(result.verdict == "whole" for result in results) else ExitCode.FAILED
