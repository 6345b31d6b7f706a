"""`storyboard dailies`: the page on which takes are compared and picked; no key, no network."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.dailies import DailiesMaker
from runner.app.films import films
from runner.app.session import open_for_reading
from runner.app.viewer import open_in_viewer
from runner.clock import SystemClock
from runner.commands import flag_values, flags
from runner.commands.film_output import print_film_files
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode

if TYPE_CHECKING:
    from runner.app.served_dailies import ServedDailies


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes the page on which a film is looked at: shots in the film's order, takes side by side, a player that "
        "plays the film through, prompts as written and as sent, prices, refusals. The page is one file that opens "
        "from disk. With --serve it is served on this machine, shows new takes while a run works, and keeps picks and "
        "notes in the manifest. Opens no other connection. Without --provider: the provider that has clips, the paid "
        "one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard dailies storyboards/harbour.yaml --open\n"
        "  storyboard dailies storyboards/harbour.yaml --serve\n"
        "      pick with 1 2 3, note with n; Ctrl-C ends it\n"
        "\n"
        "exit codes:\n"
        "  0  the page is made, or was served until Ctrl-C\n"
        "  1  the page is made, and some shots have no clip\n"
        "  3  invalid input, a port in use: nothing was made"
    )
    flags.add_film_parts(parser)
    group = parser.add_argument_group("dailies")
    text = "write the page here (default: dailies.html beside the manifest; a part: dailies.SELECTION.html)"
    group.add_argument("--to", type=Path, metavar="FILE", help=text)
    group.add_argument("--serve", action="store_true", help="serve the page on 127.0.0.1 until Ctrl-C")
    group.add_argument(
        "--port", type=flag_values.port, metavar="PORT", help="with --serve: the port (default: a free one)"
    )
    group.add_argument("--open", action="store_true", help="open the page with the system's browser")


def run(args: argparse.Namespace) -> ExitCode:
    if args.serve:
        _reject(args.to is not None, "--to: a served page is no file; leave out --to or --serve")
        _reject(args.json, "--json: a served page prints its address only; leave out --json or --serve")
    else:
        _reject(args.port is not None, "--port: only a served page has a port; add --serve")
    session = open_for_reading(command_options(args))
    if args.serve:
        # Imported here: the server takes a fifth of a second to load.
        from runner.app.served_dailies import ServedDailies

        _serve(ServedDailies(session), args.port or 0, is_opened=args.open)
        return ExitCode.OK
    maker = DailiesMaker(
        session.settings, session.credit_scope, session.manifests, session.sources, session.command_line
    )
    selected = films(session.selection, session.history_reader, args.to)
    pages = [maker.write(film, args.to) for film in selected]
    print_film_files("dailies", [page.file for page in pages], session.command.display)
    if args.open:
        open_in_viewer(pages[0].path)
    return ExitCode.FAILED if any(page.film.cut.missing for page in pages) else ExitCode.OK


def _reject(is_wrong: bool, message: str) -> None:
    if is_wrong:
        raise CommandError(ExitCode.USAGE, message)


def _serve(source: "ServedDailies", port: int, *, is_opened: bool) -> None:
    from runner.dailies_server.serve import serve

    def on_ready(address: str) -> None:
        print(f"dailies  {address}\n         Ctrl-C ends it; picks and notes are in the manifest", flush=True)
        # Not before the port listens: a browser does not ask twice.
        if is_opened:
            open_in_viewer(address)

    serve(source, port, SystemClock(), on_ready)
