"""`storyboard explain`: explains a problem code, with a wrong and a right example."""

import argparse

from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.language.catalogue import catalogue
from runner.show.screens.problems import explain_code


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Explains a problem in more detail than its message: what the problem means, with a wrong and a right "
        "example. The code is in brackets in every message: error[unknown-name]. Without CODE: lists all codes."
    )
    parser.epilog = "examples:\n  storyboard explain unknown-name\n  storyboard explain"
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code of a problem: unknown-name, …")


def run(args: argparse.Namespace) -> ExitCode:
    entries = catalogue()
    if args.code is None:
        width = max(map(len, entries))
        for code, entry in entries.items():
            print(f"{code:<{width}}  {entry.kind:<7}  {entry.says.partition('. ')[0].rstrip('.')}")
        return ExitCode.OK
    explanation = explain_code(args.code)
    if explanation is None:
        suggestion = closest_match(args.code, entries)
        hint = f"; did you mean {suggestion!r}?" if suggestion else "; `storyboard explain` lists all codes"
        raise CommandError(ExitCode.USAGE, f"there is no problem code {args.code!r}{hint}")
    print(explanation, end="")
    return ExitCode.OK
