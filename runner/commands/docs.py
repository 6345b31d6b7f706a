"""`storyboard docs`: a page of the documentation that the installation carries."""

import argparse

from runner.commands.flag_values import unknown_name
from runner.diagnostics.problem import ExitCode
from runner.show.pages.pages import page_list, page_paths
from runner.show.text.terminal import terminal_width


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints a page of the documentation of this very version, as Markdown; without PAGE the list of all. Opens no "
        "connection."
    )
    parser.epilog = "examples:\n  storyboard docs\n  storyboard docs language | less"
    parser.add_argument("page", nargs="?", metavar="PAGE", help="language, commands, json, exit-codes, problems, …")


def run(args: argparse.Namespace) -> ExitCode:
    pages = page_paths()
    if args.page is None:
        print(page_list(terminal_width()), end="")
        return ExitCode.OK
    # As a page is named in links, too.
    name = args.page.removeprefix("docs/").removesuffix(".md")
    if name not in pages:
        raise unknown_name("page", args.page, name, pages)
    print(pages[name].read_text("utf-8"), end="")
    return ExitCode.OK
