"""`storyboard spend`: the bill, from the ledger, and from manifests for takes that it does not have."""

import argparse
import re
import sys
from datetime import date
from typing import get_args

from runner.app.session import open_for_billing
from runner.app.spend import bill, period_of
from runner.commands import flags
from runner.commands.notes import note
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode
from runner.show.json.spend import spend_json
from runner.show.screens.spend import By, spend, spend_csv
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color

# Years in which every day has a day before and after it, in every zone.
_FIRST, _LAST = 1971, 9998


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the bill: credits quoted, billed and unsettled, from this machine's ledger, and from the manifests for "
        "takes that the ledger does not have; each line names its source. The sandbox's play money is in no bill."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard spend\n"
        "      this month, by day\n"
        "  storyboard spend --month 2026-02 --by scene\n"
        "  storyboard spend storyboards/harbour.yaml --since 2026-01-01 --by shot --csv"
    )
    flags.add_files(parser, required=False)
    group = parser.add_argument_group("period and grouping")
    group.add_argument("--month", type=_month, metavar="YYYY-MM", help="one month (default: the current one)")
    group.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="the first day")
    group.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="the last day")
    units = get_args(By)
    text = f"one line for each: {flags.alternatives(units)} (default: day)"
    group.add_argument("--by", choices=units, default="day", metavar="UNIT", help=text)
    group.add_argument("--csv", action="store_true", help="print comma-separated values")
    flags.add_input(parser)
    flags.add_output(parser)


def _month(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month: write YYYY-MM")
    return _day(f"{text}-01")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day: write YYYY-MM-DD") from error
    if not _FIRST <= day.year <= _LAST:
        raise argparse.ArgumentTypeError(f"{text!r}: the year must be from {_FIRST} to {_LAST}")
    return day


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_billing(command_options(args))
    period = period_of(args.month, args.since, args.until)
    report, foreign = bill(session.planner, session.history_reader, period, args.by, of_repository=not args.files)
    for message in foreign:
        note(message)
    if args.csv:
        print(spend_csv(report), end="")
    elif args.json:
        print(json_document(spend_json(report)), end="")
    else:
        print(spend(report, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    # A sum without some storyboards is not the bill.
    return ExitCode.INVALID if foreign else ExitCode.OK
