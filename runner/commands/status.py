"""`storyboard status`: the takes by manifest and ledger; no key, no network."""

import argparse
import sys

from runner.app.session import open_for_reading
from runner.app.status import status_report
from runner.commands import flags
from runner.commands.notes import note
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode
from runner.paid_providers import paid_provider_name


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the state of every take, from the manifest and this machine's ledger: made, running, failed, refused "
        "or unsettled; what was spent, and which clips the provider will soon delete. Opens no connection. Without "
        "--provider: the provider that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard status\n"
        f"  storyboard status storyboards/harbour.yaml --provider {paid_provider_name()} --json\n"
        "\n"
        "exit codes:\n"
        "  0  shown\n"
        "  3  invalid input; the valid part is shown\n"
        "  8  with --exit-code: a run would make clips"
    )
    flags.add_reading(parser, required=False, all_help="list every take on a line of its own")
    parser.add_argument("--exit-code", action="store_true", help="exit with 8 if a run would make clips")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(command_options(args))
    report, foreign = status_report(session)
    for message in foreign:
        note(message)
    if args.json:
        from runner.show.json.status import status_json
        from runner.show.text.escape import json_pieces

        sys.stdout.writelines(json_pieces(status_json(report, session.settings.output_name), deep=2))
    else:
        from runner.show.screens.status import status
        from runner.show.text.terminal import terminal_width, use_color

        print(status(report, terminal_width(), use_color(sys.stdout, args.no_color), args.all), end="")
    if foreign:
        return ExitCode.INVALID
    return ExitCode.CHANGES_PENDING if args.exit_code and report.plan.has_orders else ExitCode.OK
