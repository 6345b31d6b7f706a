"""The flags that several commands share, each said once."""

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path

from runner.settings.file import PROVIDERS


def add_files(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """The storyboards to work on."""
    if required:
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="storyboards (YAML)")
    else:
        parser.add_argument(
            "files",
            nargs="*",
            metavar="FILE",
            type=Path,
            help="storyboards (YAML); without any: all under storyboards/ that have `storyboard:`",
        )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """What the batch is: provider, profile, variables, settings file."""
    group = parser.add_argument_group("what is made")
    group.add_argument(
        "--provider",
        choices=PROVIDERS,
        help="who makes the clips: sandbox is free and local (the default), kinovi is paid",
    )
    group.add_argument("--profile", metavar="NAME", help="a profile of the storyboard, with its own output: draft")
    group.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable's value, read as YAML; may be repeated",
    )
    group.add_argument(
        "--var-file", action="append", default=[], metavar="FILE", type=Path, help="variables from a YAML file"
    )
    group.add_argument("--config", metavar="FILE", type=Path, help="use this instead of storyboard.toml")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Which shots."""
    group = parser.add_argument_group("which shots")
    text = "an id, a glob, tag:NAME or scene:NAME; a space is or, a comma is and; may be repeated"
    group.add_argument("--select", action="append", default=[], metavar="EXPR", help=text)
    group.add_argument("--exclude", action="append", default=[], metavar="EXPR", help="leave these out; as --select")


def add_orders(parser: argparse.ArgumentParser) -> None:
    """What is ordered beyond the storyboards; each says itself that it pays."""
    group = parser.add_argument_group("what is ordered beside")
    text = "another take of these shots, paid; nothing else is made"
    group.add_argument("--retake", action="append", default=[], metavar="EXPR", help=text)
    text = "what of these shots was refused or is gone, paid; nothing else is made"
    group.add_argument("--again", action="append", default=[], metavar="EXPR", help=text)
    group.add_argument(
        "--first-take",
        action="store_true",
        help="go on without a pick, with the first take that succeeded, and note it as the pick",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """How it is said."""
    group = parser.add_argument_group("how it is said")
    group.add_argument("--json", action="store_true", help="for programs, on standard output")
    group.add_argument("--quiet", action="store_true", help="only what went wrong, and results")
    group.add_argument("--no-color", action="store_true", help="no colours; NO_COLOR does the same")


def add_reading(parser: argparse.ArgumentParser, *, required: bool, all_help: str) -> None:
    """For commands that look at the takes of storyboards; `every` is what `--all` shows."""
    add_files(parser, required=required)
    add_choice(parser)
    add_selection(parser)
    add_output(parser)
    parser.add_argument("--all", action="store_true", help=all_help)


def credits(text: str) -> Decimal:
    """A number of credits, 0 or more."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of credits")
    return number


def count(text: str) -> int:
    """A whole number from 1 to 1000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return int(text)
