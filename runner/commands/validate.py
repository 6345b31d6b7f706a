"""`storyboard validate`: every problem with its place, in one go; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner import __version__
from runner.app.project import Reading, color, reading
from runner.commands import flags
from runner.diagnostics.problem import ExitCode


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says everything that is wrong with storyboards and the files they include, each with file, line, column and\n"
        "the way out, in one go. Reads nothing but the repository, opens no connection, writes nothing."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard validate\n"
        "  storyboard validate storyboards/harbour.yaml --profile draft\n"
        "  storyboard validate --format github         marks in a pull request\n"
        "exit codes: 0 nothing is wrong (warnings may be), 3 something is"
    )
    flags.add_files(parser, required=False)
    flags.add_choice(parser)
    flags.add_output(parser)
    parser.add_argument(
        "--format", choices=("text", "json", "github", "sarif"), help="how problems are written (default: text)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    desk = reading(args)
    problems, root = desk.problems, desk.settings.root
    form = args.format or ("json" if args.json else "text")
    if form == "text" and not problems.found:
        if not args.quiet:
            print(_verdict(desk))
        return ExitCode.DONE
    from runner.show.screens import problems as show

    match form:
        case "json":
            print(show.as_json(problems))
        case "github":
            print(show.github(problems), end="")
        case "sarif":
            print(show.sarif(problems, __version__))
        case _:
            print(show.text(problems, root, Path.cwd(), color(args, sys.stdout)), end="")
            if not args.quiet:
                print(_verdict(desk))
    return ExitCode.UNFIT if problems.errors else ExitCode.DONE


def _verdict(desk: Reading) -> str:
    """The last line: how many, in how much."""
    shots = sum(1 for _ in desk.batch.shots)
    read = f"{_count(len(desk.files), 'file')}, {_count(shots, 'shot')}"
    wrong = [_count(len(desk.problems.errors), "error")] if desk.problems.errors else []
    wrong += [_count(len(desk.problems.warnings), "warning")] if desk.problems.warnings else []
    return f"{read}: {', '.join(wrong) or 'nothing is wrong'}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
