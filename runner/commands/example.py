"""`storyboard example`: an example storyboard that the installation carries."""

import argparse
import sys

from runner.commands.flag_values import unknown_name
from runner.diagnostics.problem import ExitCode
from runner.show.pages.examples import example_paths, example_title, needs_files


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints an example storyboard; without NAME the list of all. Where an example uses pictures or sounds, "
        "standard error names the folder that holds them."
    )
    parser.epilog = "examples:\n  storyboard example\n  storyboard example first-light > storyboards/mine.yaml"
    parser.add_argument("name", nargs="?", metavar="NAME", help="first-light, harbour, music, spot")


def run(args: argparse.Namespace) -> ExitCode:
    examples = example_paths()
    if args.name is None:
        width = max(map(len, examples), default=0)
        for name, path in examples.items():
            print(f"{name:<{width}}  {example_title(path)}")
        return ExitCode.OK
    name = args.name.removesuffix(".yaml")
    if name not in examples:
        raise unknown_name("example", args.name, args.name, examples)
    path = examples[name]
    print(path.read_text("utf-8"), end="")
    # On standard error, so that `> film.yaml` holds the storyboard alone.
    if needs_files(path):
        print(f"storyboard: the files that it uses lie in {path.parent}", file=sys.stderr)
    return ExitCode.OK
