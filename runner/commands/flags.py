"""The flags that several commands share, and the options that are parsed from them."""

import argparse
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from runner.app.options import (
    CommandOptions,
    DisplayOptions,
    ExecutionOptions,
    InputOptions,
    OrderOptions,
    SelectionOptions,
    SpendingOptions,
)
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name
from runner.settings.file import providers


class _ProfileCombinations(argparse.Action):
    """Appends one combination of profiles, `tall+draft`: each is a film."""

    several = True

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        text, earlier = str(values), tuple(getattr(namespace, self.dest))
        names = text.split("+")
        if not all(names):
            parser.error(f"--profile: {text!r} has an empty name: write NAME+NAME")
        if twice := next((name for name in names if names.count(name) > 1), None):
            parser.error(f"--profile: {twice} stands twice in {text}")
        if "none" in names and len(names) > 1:
            parser.error("--profile: none is the storyboard without a profile, and combines with none")
        if text in earlier:
            parser.error(f"--profile: {text} is given twice: each film once")
        if earlier and not self.several:
            parser.error(f"--profile: this command works on one film, not on several ({earlier[0]}, {text}): give one")
        setattr(namespace, self.dest, (*earlier, text))


class _OneCombination(_ProfileCombinations):
    """Takes one combination: the command is about one shot, or one take, of one film."""

    several = False


def task_id(text: str) -> str:
    """The value of `--task`: an id as the provider gives it."""
    from runner.attempts.task_id import is_task_id

    if not is_task_id(text):
        excerpt = text if len(text) <= 40 else f"{text[:40]}…"
        raise argparse.ArgumentTypeError(
            f"{excerpt!r} is no task id: those have letters, digits and . _ : - only, at most 200; copy it from the "
            "vendor's page"
        )
    return text


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
    for action in parser._actions:
        name = next((text for text in action.option_strings if text.startswith("--")), action.metavar or "")
        if str(name) not in allowed and getattr(args, action.dest, action.default) != action.default:
            names = ", ".join(sorted(allowed - {beside, "FILE"}))
            message = f"{name} cannot stand beside {beside}, which has it: only {names} may"
            raise CommandError(ExitCode.USAGE, message)


def validity(text: str) -> timedelta:
    """Parse a time such as `30d`, `12h` or `90s`."""
    units = {"d": "days", "h": "hours", "s": "seconds"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not (number.isascii() and number.isdigit()) or not 0 < int(number[:9]) < 10**8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 30d, 12h or 90s")
    time = timedelta(**{units[unit]: int(number[:9])})
    if time > timedelta(days=366):
        raise argparse.ArgumentTypeError(f"{text} is too long: a saved plan is valid for 366d at most")
    return time


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
        action=_ProfileCombinations if several_films else _OneCombination,
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


def credits(text: str) -> Decimal:
    """Parse a number of credits, 0 or more."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of credits")
    return number


def count(text: str) -> int:
    """Parse a whole number from 1 to 1000."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return int(text)


def port(text: str) -> int:
    """Parse the number of a port; 0 chooses a free one."""
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; 0 chooses a free one")
    return int(text)


def command_options(args: argparse.Namespace) -> CommandOptions:
    """The values of all shared flags; a command without a flag has the flag's default."""
    values = vars(args)
    return CommandOptions(
        input=InputOptions(
            files=tuple(values.get("files", ())),
            provider=args.provider,
            profiles=tuple(args.profile) if tuple(args.profile) != ("none",) else (),
            variables=tuple(args.var),
            variable_files=tuple(args.var_file),
            config=args.config,
            trusts_unchanged_files=not values.get("verify_files", False),
        ),
        selection=SelectionOptions(
            select=(*values.get("select", ()), *(f'scene:"{scene}"' for scene in values.get("scenes", ()))),
            exclude=tuple(values.get("exclude", ())),
        ),
        orders=OrderOptions(
            retake=tuple(values.get("retake", ())),
            again=tuple(values.get("again", ())),
            first_take=values.get("first_take", False),
        ),
        spending=SpendingOptions(
            yes=values.get("yes", False),
            max_credits=values.get("max_credits"),
            allow_pull_request=values.get("allow_pull_request", False),
        ),
        execution=ExecutionOptions(
            concurrency=values.get("concurrency"),
            output=values.get("output"),
            no_wait=values.get("no_wait", False),
            fail_fast=values.get("fail_fast", False),
            no_cut=values.get("no_cut", False),
            canary=values.get("canary"),
        ),
        display=DisplayOptions(as_json=args.json, quiet=args.quiet, no_color=args.no_color),
    )
