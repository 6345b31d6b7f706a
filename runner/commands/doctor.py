"""`storyboard doctor`: the check whether this machine is ready."""

import argparse
import sys
from pathlib import Path

from runner.app.doctor import check_machine
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.paid_providers import paid_provider
from runner.settings.settings import Flags, find_root, read
from runner.show.json.doctor import doctor_json
from runner.show.screens.doctor import doctor
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Checks whether this machine is ready: Python packages, media libraries, fonts, disk, ledger, settings and "
        "the shape of the key; each failed check says how to mend it. If a key is set, one free request checks that "
        "the provider accepts it; without a key no connection is opened."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard doctor\n"
        "  storyboard doctor --demo\n"
        f"      reads the five sample tasks of the provider's documentation; {paid_provider().key_variables[0]} may be "
        "the demo key from its quick-start page\n"
        "\n"
        "exit codes:\n"
        "  0  ready (there may be warnings)\n"
        "  3  a check failed"
    )
    parser.add_argument(
        "--demo", action="store_true", help="read the five sample tasks of the provider's documentation"
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="read this file instead of storyboard.toml")
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    # Without a storyboard: it is to help where there is none yet.
    settings = read(find_root(Path.cwd()), Flags(config=args.config), files=(Path.cwd(),))
    checks = check_machine(settings, args.demo)
    if args.json:
        print(json_document(doctor_json(checks)), end="")
    else:
        print(doctor(checks, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    return ExitCode.INVALID if any(check.verdict == "error" for check in checks) else ExitCode.OK
