"""The table of commands, and the one boundary: Stop, Ctrl-C and defects become exit codes."""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence

from runner import __version__
from runner.commands import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from runner.diagnostics.problem import ExitCode

_DESCRIPTION = """\
Storyboards as code for AI video: keep a YAML storyboard in git, see everything that is wrong with it, price the
whole batch before a credit is spent, make exactly the clips that are missing, and never pay twice for one.
Free unless said: without --provider kinovi clips are drawn on this machine by the sandbox."""

_EPILOG = """\
begin here
  storyboard init film && cd film
  storyboard run storyboards/*.yaml          a first moving picture, free
  storyboard plan storyboards/*.yaml --provider kinovi
                                             what the real clips would cost; needs no key

exit codes: 0 done, 1 some takes failed, 2 wrong command line, 3 unfit storyboard, setting or machine, 4 declined or
over a ceiling, 5 key, 6 unsettled, 7 locked by another run, 8 something to make, 9 something waits, 130 interrupted
`storyboard COMMAND --help` says more about one command."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in our own form, with the way to more."""

    def error(self, message: str) -> "NoReturn":
        from runner.diagnostics.problem import CommandError, ExitCode

        raise CommandError(ExitCode.USAGE, f"{message}\n  {self.prog} --help says how it is used")


def parser(loaded: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The whole command line; only the `named` commands are loaded with their flags."""
    top = _Parser(
        prog="storyboard",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"storyboard {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", title="commands", parser_class=_Parser)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        if name in loaded:
            importlib.import_module(f"runner.commands.{name}").add(sub)
    return top


def _command_parser(name: str, formatter: type[argparse.HelpFormatter]) -> argparse.ArgumentParser:
    """The command line of one command, without the others beside it."""
    command = _Parser(prog=f"storyboard {name}", formatter_class=formatter, allow_abbrev=False)
    importlib.import_module(f"runner.commands.{name}").add(command)
    command.set_defaults(command=name)
    return command


class _FixedWidthHelp(argparse.HelpFormatter):
    """argparse asks for one with every flag; one that nobody reads needs no terminal's width, which imports much."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def _formatter(argv: list[str]) -> type[argparse.HelpFormatter]:
    return argparse.RawDescriptionHelpFormatter if {"-h", "--help"} & set(argv) else _FixedWidthHelp


def main(argv: Sequence[str] | None = None) -> int:
    """The command `storyboard`; returns its exit code and never raises."""
    gc.disable()  # what is imported stays: walking it again and again finds nothing
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in ([], ["-h"], ["--help"]):
        parser(()).print_help()
        return 0
    return int(_run_to_exit_code(arguments))


def _run_to_exit_code(argv: list[str]) -> "ExitCode":
    import signal

    from runner.diagnostics.problem import CommandError, ExitCode

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _dispatch(argv)
    except CommandError as stop:
        _print_error(stop.message)
        code = stop.code
    except KeyboardInterrupt:
        _print_error("interrupted; run the same command again to go on")
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        code = ExitCode.OK
        _discard_output()
    except Exception as defect:
        code = _report(defect, argv)
    _flush()
    return code


def _interrupt(number: int, frame: object) -> "NoReturn":
    """SIGTERM is a Ctrl-C of somebody else."""
    raise KeyboardInterrupt


def _dispatch(argv: list[str]) -> "ExitCode":
    from runner.diagnostics.problem import CommandError, ExitCode

    _tolerate_output()
    first = next((argument for argument in argv if not argument.startswith("-")), None)
    if first is not None and first not in COMMANDS:
        raise CommandError(ExitCode.USAGE, _unknown_command(first))
    top = (
        _command_parser(argv[0], _formatter(argv))
        if first == argv[0]
        else parser((first,) if first is not None else ())
    )
    args, unknown = top.parse_known_args(argv[1:] if first == argv[0] else argv)
    if unknown:
        raise CommandError(ExitCode.USAGE, _unknown_flag(unknown[0], first))
    if args.command is None:
        top.print_help()
        return ExitCode.OK
    args.argv = tuple(argv)
    command = importlib.import_module(f"runner.commands.{args.command}")
    gc.freeze()
    gc.enable()
    code: ExitCode = command.run(args)
    return code


def _unknown_command(name: str) -> str:
    from runner.diagnostics.problem import closest_match

    suggestion = closest_match(name, COMMANDS)
    hint = f"; did you mean `storyboard {suggestion}`?" if suggestion else ""
    return f"there is no command {name!r}{hint}\n  commands: {', '.join(COMMANDS)}"


def _unknown_flag(flag: str, command: str | None) -> str:
    """The nearest flag of the command, and where all of them stand."""
    from runner.diagnostics.problem import closest_match

    command_parser = argparse.ArgumentParser()
    if command is not None:
        importlib.import_module(f"runner.commands.{command}").add(command_parser)
    flags = [flag for action in command_parser._actions for flag in action.option_strings]
    suggestion = closest_match(flag, flags) if flag.startswith("-") else None
    hint = f"; did you mean {suggestion}?" if suggestion else ""
    return f"unknown: {flag}{hint}\n  {' '.join(['storyboard', *filter(None, [command])])} --help says how it is used"


def _tolerate_output() -> None:
    """What a terminal cannot spell never ends a run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _print_error(message: str) -> None:
    """To standard error, cleaned; a closed one is no reason to fail."""
    from runner.show.text.escape import escape_terminal

    first, *others = message.splitlines() or [""]
    try:
        print(
            f"storyboard: {escape_terminal(first)}",
            *(escape_terminal(line) for line in others),
            sep="\n",
            file=sys.stderr,
        )
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Nobody reads any more: what is left in the buffers goes nowhere, quietly."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue


def _flush() -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        _discard_output()


def _report(defect: Exception, argv: list[str]) -> "ExitCode":
    """A defect of ours: a report file in the state folder, and three lines for the user."""
    from runner.diagnostics.problem import ExitCode
    from runner.settings.settings import key_text, state_folder
    from runner.store.crash_report import write

    report = write(defect, argv, state_folder(), key_text())
    _print_error(
        f"a defect of storyboard itself: {type(defect).__name__}: {defect}\n"
        f"  {report}\n"
        "  nothing that was paid is lost: run the same command again, or `storyboard status`"
    )
    return ExitCode.DEFECT
