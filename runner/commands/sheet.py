"""`storyboard sheet`: one picture a shot on one page; no key, no network."""

import argparse
from pathlib import Path

from runner.app.films import films
from runner.app.session import open_for_reading
from runner.app.sheet import make_sheet
from runner.app.viewer import open_in_viewer
from runner.commands import flags
from runner.commands.film_output import print_film_files
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Draws the film on one page: a picture of each shot in the film's order, with its name, take, length, state "
        "and pick. Opens no connection. Without --provider: the provider that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard sheet storyboards/harbour.yaml --open\n"
        "  storyboard sheet storyboards/harbour.yaml --pdf --to harbour.pdf\n"
        "\n"
        "exit codes:\n"
        "  0  the sheet is made, with a picture of each shot\n"
        "  1  the sheet is made, and some frames are empty\n"
        "  3  invalid input: nothing was made"
    )
    flags.add_film_parts(parser)
    group = parser.add_argument_group("sheet")
    text = "write the sheet here (default: sheet.jpg beside the manifest; a part of the film: sheet.SELECTION.jpg)"
    group.add_argument("--to", type=Path, metavar="FILE", help=text)
    group.add_argument("--pdf", action="store_true", help="make a PDF whose text can be searched")
    group.add_argument("--open", action="store_true", help="open the sheet with the system's viewer")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(command_options(args))
    selected = films(session.selection, session.history_reader, args.to)
    sheets = [make_sheet(session.settings, film, args.to, as_pdf=args.pdf) for film in selected]
    print_film_files("sheet", [sheet.file for sheet in sheets], session.command.display)
    if args.open:
        open_in_viewer(sheets[0].path)
    return ExitCode.FAILED if any(sheet.empty for sheet in sheets) else ExitCode.OK
