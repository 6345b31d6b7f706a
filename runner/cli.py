"""The command line, and the process boundary: errors, Ctrl-C and defects become exit codes."""

import argparse
import os
import sys
from collections.abc import Sequence

from runner import __version__
from runner.commands import COMMANDS, command_module
from runner.garbage_collection import collection_off
from runner.paid_providers import paid_provider_name

# Not from `typing`, which takes milliseconds to load at every start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from runner.app.invalid_storyboards import InvalidStoryboardsError
    from runner.diagnostics.problem import ExitCode

_DESCRIPTION = (
    "Storyboards as code for AI video: keep a YAML storyboard in git, see everything that is wrong with it, know the "
    "price of all its clips before a credit is spent, make exactly the clips that are missing, and never pay twice for "
    "one.\n"
    f"Free by default: without --provider {paid_provider_name()} the sandbox draws the clips on this machine."
)

# Characters of a message that are printed: about a screenful.
_MAX_MESSAGE = 6_000
_EPILOG = f"""\
first steps:
  storyboard init film && cd film
  storyboard run storyboards/*.yaml
      a first moving picture, free
  storyboard plan storyboards/*.yaml --provider {paid_provider_name()}
      the price of the real clips; needs no key

exit codes:
  0    done
  1    some takes failed, or are refused or gone
  2    wrong command line
  3    invalid storyboard, setting or machine
  4    declined, or over a limit on spending
  5    the key is missing or was refused
  6    an attempt is unsettled
  7    another run holds this output
  8    with --exit-code: a run would make clips
  9    a take waits for a pick or for a running task
  70   a defect of storyboard itself
  130  interrupted

`storyboard COMMAND --help` explains one command."""


class _Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command line as a `CommandError` which names the help."""

    def error(self, message: str) -> "NoReturn":
        from runner.diagnostics.problem import CommandError, ExitCode

        raise CommandError(ExitCode.USAGE, f"{message}\n  {self.prog} --help")


def parser(loaded: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The whole command line; only the flags of the `loaded` commands are defined."""
    from runner.show.text.help_format import HelpFormatter

    top = _Parser(
        prog="storyboard",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"storyboard {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", title="commands", parser_class=_Parser)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, formatter_class=HelpFormatter, allow_abbrev=False)
        if name in loaded:
            command_module(name).add(sub)
    return top


def _command_parser(name: str, formatter: type[argparse.HelpFormatter]) -> argparse.ArgumentParser:
    """The command line of one command, without loading the others."""
    command = _Parser(prog=f"storyboard {name}", formatter_class=formatter, allow_abbrev=False)
    command_module(name).add(command)
    command.set_defaults(command=name)
    return command


class _FixedWidthHelp(argparse.HelpFormatter):
    """The formatter of help that is not shown: argparse makes one for every flag, and the terminal's width is slow."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def _formatter(argv: list[str]) -> type[argparse.HelpFormatter]:
    if not {"-h", "--help"} & set(argv):
        return _FixedWidthHelp
    from runner.show.text.help_format import HelpFormatter

    return HelpFormatter


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; returns the exit code, never raises."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in ([], ["-h"], ["--help"]):
        # Without any command's flags: this screen has only their names.
        parser(()).print_help()
        return 0
    return int(_run_to_exit_code(arguments))


def _run_to_exit_code(argv: list[str]) -> "ExitCode":
    import signal

    # CI and service managers stop a job by SIGTERM: it ends as orderly as by a Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _dispatch(argv)
    except (Exception, KeyboardInterrupt) as error:
        return _end_with(error, argv)


def _end_with(error: BaseException, argv: list[str]) -> "ExitCode":
    """Say what ended a command; return its exit code."""
    from runner.app.exit_codes import exit_code_of
    from runner.diagnostics.failures import Failure
    from runner.diagnostics.problem import ExitCode

    code = exit_code_of(error)
    match error:
        case Failure():
            _print_error(error.message)
        case KeyboardInterrupt():
            if sys.stderr.isatty():
                print(file=sys.stderr)  # the terminal has put its ^C behind the question
            _print_error("interrupted; run the same command again to go on")
        case OSError() if code is not ExitCode.DEFECT:
            _print_error(_disk_trouble(error))
        case _:
            _report(error, argv)
    return code


def _interrupt(number: int, frame: object) -> "NoReturn":
    """Treat SIGTERM as a Ctrl-C."""
    raise KeyboardInterrupt


def _dispatch(argv: list[str]) -> "ExitCode":
    from runner.diagnostics.problem import ExitCode

    # The modules stay in memory until the end: collecting while they load finds nothing.
    with collection_off(keep=True):
        command, args = _command(argv)
    return ExitCode.OK if command is None else _carry_out(command, args)


def _carry_out(command: "Any", args: argparse.Namespace) -> "ExitCode":
    """Run a command; where it refuses storyboards with errors, these are shown before its message."""
    from runner.app.invalid_storyboards import InvalidStoryboardsError

    try:
        code: ExitCode = command.run(args)
    except InvalidStoryboardsError as invalid:
        _show_problems(invalid, args)
        raise
    return code


def _show_problems(invalid: "InvalidStoryboardsError", args: argparse.Namespace) -> None:
    """Show problems: to people on standard error, to programs on standard output."""
    if args.json:
        from runner.show.json.problems import problems_json

        print(problems_json(invalid.problems))
    else:
        from pathlib import Path

        from runner.show.screens.problems import render_problems
        from runner.show.text.terminal import use_color

        color = use_color(sys.stderr, args.no_color)
        print(render_problems(invalid.problems, invalid.root, Path.cwd(), color), file=sys.stderr)


def _command(argv: list[str]) -> "tuple[Any, argparse.Namespace]":
    """The module of a command line's command, and its arguments; None without a command, whose help is printed."""
    from runner.diagnostics.problem import CommandError, ExitCode

    first = next((argument for argument in argv if not argument.startswith("-")), None)
    if first is not None and first not in COMMANDS:
        raise CommandError(ExitCode.USAGE, _unknown_command(first))
    top = (
        # Nearly every line begins with its command: then no other one is described.
        _command_parser(argv[0], _formatter(argv))
        if first == argv[0]
        else parser((first,) if first is not None else ())
    )
    args, unknown = top.parse_known_args(argv[1:] if first == argv[0] else argv)
    if unknown:
        raise CommandError(ExitCode.USAGE, _unknown_flag(unknown[0], first))
    if args.command is None:
        top.print_help()
        return None, args
    return command_module(args.command), args


def _unknown_command(name: str) -> str:
    from runner.diagnostics.problem import closest_match

    suggestion = closest_match(name, COMMANDS)
    hint = f"; did you mean `storyboard {suggestion}`?" if suggestion else ""
    return f"there is no command {name!r}{hint}\n  commands: {', '.join(COMMANDS)}"


def _unknown_flag(flag: str, command: str | None) -> str:
    """The message for an unknown option or argument: the closest flag of the command, and the help."""
    from runner.diagnostics.problem import closest_match

    command_parser = argparse.ArgumentParser()
    if command is not None:
        command_module(command).add(command_parser)
    flags = [flag for action in command_parser._actions for flag in action.option_strings]
    suggestion = closest_match(flag, flags) if flag.startswith("-") else None
    # A flag as the WORD of `explain`, which wants it without its dashes.
    if command == "explain":
        suggestion = f"`storyboard explain {flag.lstrip('-')}`"
    hint = f"; did you mean {suggestion}?" if suggestion else ""
    noun = "option" if flag.startswith("-") else "argument"
    return f"unknown {noun} {flag}{hint}\n  {' '.join(['storyboard', *filter(None, [command])])} --help"


def _print_error(message: str) -> None:
    """Print a message to standard error; one beyond a screenful is cut."""
    from runner.commands.notes import note

    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}… ({len(message) - _MAX_MESSAGE:,} more characters)"
    note(message)


def _disk_trouble(error: OSError) -> str:
    """The message where the disk refuses to be written or read, wherever that was."""
    name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return (
        f"{name}{(error.strerror or str(error)).lower()}\n"
        "  nothing that was paid is lost: make room, then run the same command again, or `storyboard status`"
    )


def _report(defect: BaseException, argv: list[str]) -> None:
    """Report a defect of storyboard: a report file in the state folder, and three lines for the user."""
    from runner.settings.api_key import key_texts
    from runner.settings.user_folders import state_folder
    from runner.store.crash_report import redact, write

    try:
        report = write(defect, argv, state_folder(), key_texts())
        reason = redact(f"{type(defect).__name__}: {defect}", key_texts())
    except Exception as failure:
        # A defect while reporting one must not hide the first.
        report, reason = f"the report could not be written ({type(failure).__name__})", type(defect).__name__
    _print_error(
        f"a defect of storyboard itself: {reason}\n"
        f"  {report}\n"
        "  nothing that was paid is lost: run the same command again, or `storyboard status`"
    )
