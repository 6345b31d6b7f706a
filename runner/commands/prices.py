"""`storyboard prices`: the price book."""

import argparse
import sys
from pathlib import Path

from runner.app.project import edition_with_prices
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.editions.edition import NAMES, load
from runner.settings.settings import Flags, find_root, read
from runner.show.json.prices import prices_json
from runner.show.screens.prices import prices
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the price book that every plan is priced by: credits for a second of output, by model and resolution, "
        "with the days of dated prices, the limits of each model, and your own prices from storyboard.toml or "
        "config.toml."
    )
    parser.epilog = f"examples:\n  storyboard prices\n  storyboard prices --edition {min(NAMES)} --json"
    text = f"edition of the API: {flags.alternatives(NAMES)} (default: the one in storyboard.toml)"
    parser.add_argument("--edition", choices=NAMES, metavar="NAME", help=text)
    parser.add_argument("--config", metavar="FILE", type=Path, help="read this file instead of storyboard.toml")
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    settings = read(find_root(Path.cwd()), Flags(config=args.config), files=(Path.cwd(),))
    edition = edition_with_prices(settings, SystemClock().now().date(), args.edition)
    # Beside the one in use: what a change of `edition` would cost is a reason to change it, or not.
    others = [load(name) for name in NAMES if name != edition.name]
    if args.json:
        print(json_document(prices_json(edition, others, settings.usd_per_credit)), end="")
    else:
        print(
            prices(edition, others, settings.usd_per_credit, terminal_width(), use_color(sys.stdout, args.no_color)),
            end="",
        )
    return ExitCode.OK
