"""`storyboard sheet`: one picture a shot on one page; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner.app.display_path import display_path
from runner.app.films import films, only_target
from runner.app.session import open_for_reading
from runner.app.sheet import make_sheet
from runner.app.viewer import open_in_viewer
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.show.json.film_files import film_files_json
from runner.show.screens.film_files import FilmFile, film_files
from runner.show.text.escape import json_document
from runner.show.text.format import count
from runner.show.text.terminal import terminal_width, use_color


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
    session = open_for_reading(flags.command_options(args))
    selected = films(session)
    only_target(selected, args.to)
    sheets = [make_sheet(session.settings, film, args.to, as_pdf=args.pdf) for film in selected]
    files = [
        FilmFile(
            "sheet",
            drawn_sheet.film.cut.film,
            display_path(drawn_sheet.path),
            drawn_sheet.film.cut.seconds,
            (count(len(drawn_sheet.film.cut.segments), "picture"),),
            drawn_sheet.notes,
            tuple((segment.label, segment.reason or "cannot be decoded") for segment in drawn_sheet.empty),
        )
        for drawn_sheet in sheets
    ]
    if args.json:
        print(json_document(film_files_json(files, "sheet")), end="")
    else:
        print(film_files(files, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    if args.open:
        open_in_viewer(sheets[0].path)
    return ExitCode.FAILED if any(drawn_sheet.empty for drawn_sheet in sheets) else ExitCode.OK
