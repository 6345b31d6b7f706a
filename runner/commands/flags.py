"""The flags that several commands share."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from runner.commands.flag_values import OneCombination, ProfileCombinations
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name
from runner.settings.file import providers


def add_files(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add FILE: the storyboards to work on."""
    if required:
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="storyboards (YAML)")
    else:
        parser.add_argument(
            "files",
            nargs="*",
            metavar="FILE",
            type=Path,
            help="storyboards (YAML); default: all files under storyboards/ that have `storyboard:`",
        )


def add_files_or_plan(parser: argparse.ArgumentParser) -> None:
    """Add FILE, and `--plan` in its place."""
    parser.add_argument("files", nargs="*", default=[], metavar="FILE", type=Path, help="storyboards (YAML)")
    text = "carry out a saved plan: only what it lists, at most at its price, once"
    parser.add_argument("--plan", metavar="PLAN", type=Path, help=text)


def refuse_others(
    args: argparse.Namespace, add: Callable[[argparse.ArgumentParser], None], allowed: frozenset[str], beside: str
) -> None:
    """Raise `CommandError` (exit 2) where FILE or a flag that is not allowed stands beside a saved plan.

    `add` defines the command line that the arguments were parsed from.
    """
    parser = argparse.ArgumentParser(add_help=False)
    add(parser)
    # From the command's own declaration: a flag that is added later is refused by itself, not let through.
    for action in parser._actions:
        name = next((text for text in action.option_strings if text.startswith("--")), action.metavar or "")
        # A flag at its default changes nothing of what the plan lists.
        if str(name) not in allowed and getattr(args, action.dest, action.default) != action.default:
            names = ", ".join(sorted(allowed - {beside, "FILE"}))
            message = f"{name} cannot stand beside {beside}, which has it: only {names} may"
            raise CommandError(ExitCode.USAGE, message)


def add_input(parser: argparse.ArgumentParser, *, several_films: bool = True) -> None:
    """Add the flags of a command's input: provider, profiles, variables, settings file."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--provider",
        choices=providers(),
        metavar="NAME",
        help=f"sandbox (free and local, the default) or {paid_provider_name()} (paid)",
    )
    group.add_argument(
        "--profile",
        action=ProfileCombinations if several_films else OneCombination,
        default=(),
        metavar="NAME[+NAME…]",
        help="profiles of the storyboard, the later over the earlier: a film with an output of its own; none: without "
        "one; may be repeated for several films, except in commands for one shot",
    )
    group.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a variable, read as YAML; may be repeated",
    )
    group.add_argument(
        "--var-file",
        action="append",
        default=[],
        metavar="FILE",
        type=Path,
        help="read variables from a YAML file; may be repeated",
    )
    group.add_argument("--config", metavar="FILE", type=Path, help="read this file instead of storyboard.toml")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add `--select` and `--exclude`."""
    group = parser.add_argument_group("selection")
    text = (
        "work on these shots: an id, a glob, tag:NAME, scene:NAME or state:NAME; +SHOT and SHOT+ with what it is made "
        "from and what needs it; a space means OR, a comma AND; may be repeated"
    )
    group.add_argument("--select", action="append", default=[], metavar="EXPR", help=text)
    group.add_argument(
        "--exclude", action="append", default=[], metavar="EXPR", help="leave these shots out; written as for --select"
    )


def add_scene(parser: argparse.ArgumentParser) -> None:
    """Add `--scene NAME`, short for `--select scene:NAME`."""
    parser.add_argument(
        "--scene",
        action="append",
        dest="scenes",
        default=[],
        metavar="NAME",
        help="work on the shots of this scene; may be repeated",
    )


def add_extra_orders(parser: argparse.ArgumentParser) -> None:
    """Add the flags that order more than the storyboards ask for, in a group whose title says that it costs money."""
    group = parser.add_argument_group("extra orders (paid)")
    text = "order another take of these shots, and nothing else; may be repeated"
    group.add_argument("--retake", action="append", default=[], metavar="EXPR", help=text)
    text = "order again what was refused or is gone of these shots, and nothing else; may be repeated"
    group.add_argument("--again", action="append", default=[], metavar="EXPR", help=text)
    group.add_argument(
        "--first-take",
        action="store_true",
        help="do not wait for picks: the first take that succeeds becomes the pick",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a command's output."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print JSON for programs on standard output")
    group.add_argument("--quiet", action="store_true", help="print only errors and results")
    group.add_argument("--no-color", action="store_true", help="print no colours (as with NO_COLOR)")


def add_reading(parser: argparse.ArgumentParser, *, required: bool, all_help: str) -> None:
    """Add the flags of a command that shows the takes of storyboards; `all_help` is the help of `--all`."""
    add_files(parser, required=required)
    add_input(parser)
    add_selection(parser)
    add_output(parser)
    parser.add_argument("--all", action="store_true", help=all_help)


def add_film_parts(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a command that shows a film, whole or in part."""
    add_files(parser, required=False)
    add_input(parser)
    add_selection(parser)
    add_scene(parser)
    add_output(parser)


def alternatives(names: Sequence[str]) -> str:
    """`a, b or c`: the values of a flag, for its help."""
    *others, last = names
    return f"{', '.join(others)} or {last}"
